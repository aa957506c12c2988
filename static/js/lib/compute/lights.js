// A symbol of a formula and what it stands for in the picture light up together, whichever is pointed at or in focus.

/** Lights what has the same data-symbol within root. */
export function createLights(root) {
  let lit = null;

  function light(event) {
    const name = event.target.closest?.("[data-symbol]")?.dataset.symbol ?? null;
    if (name === lit) return;
    lit = name;
    for (const one of root.querySelectorAll("[data-symbol]")) one.classList.toggle("lit", lit !== null && one.dataset.symbol === lit);
  }
  const none = () => light({ target: root });
  root.addEventListener("pointerover", light);
  root.addEventListener("pointerleave", none);
  root.addEventListener("focusin", light);
  root.addEventListener("focusout", none);
}
