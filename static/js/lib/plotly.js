// Plotly is large: it is fetched when the first heatmap is drawn, once.

/** load() resolves to Plotly; a failed load may be tried again. */
export function createPlotly(doc, url) {
  let loading = null;

  function load() {
    loading ??= new Promise((resolve, reject) => {
      const script = doc.createElement("script");
      script.src = url;
      script.async = true;
      script.addEventListener("load", () => resolve(doc.defaultView.Plotly));
      script.addEventListener("error", () => {
        script.remove();
        loading = null;
        reject(new Error("plotly"));
      });
      doc.head.append(script);
    });
    return loading;
  }
  return { load, now: () => doc.defaultView.Plotly ?? null };
}
