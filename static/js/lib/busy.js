// A picture that comes soon replaces the old one without a flicker in between.

const PATIENCE = 120; // milliseconds

/** soon(isWanted): busy in a moment, unless it is over by then or nobody wants it any more; over(); now(). */
export function createBusy({ onChange, wait = setTimeout, stop = clearTimeout }) {
  let busy = false;
  let timer = 0;

  function soon(isWanted) {
    stop(timer);
    timer = wait(() => {
      if (!isWanted()) return;
      busy = true;
      onChange();
    }, PATIENCE);
  }
  function over() {
    stop(timer);
    busy = false;
  }
  return { soon, over, now: () => busy };
}
