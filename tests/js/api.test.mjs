import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../static/js/api.js";

/** An EventSource whose connection the test opens and breaks, as a browser does. */
class Source extends EventTarget {
  static last = null;
  readyState = 0;

  constructor() {
    super();
    Source.last = this;
  }

  tell(what, readyState = 0) {
    if (this.readyState === 2) return;
    this.readyState = readyState;
    this.dispatchEvent(new Event(what));
  }

  close() {
    this.readyState = 2;
  }
}

function watched() {
  const lost = [];
  createApi({ EventSource: Source }).watchJob("a".repeat(16), { onLost: () => lost.push("lost") });
  return { source: Source.last, lost };
}

test("a server that is gone is told after some tries, once, and is asked no more", () => {
  const { source, lost } = watched();
  source.tell("open", 1);
  for (let i = 0; i < 9; i += 1) source.tell("error");
  assert.deepEqual([lost, source.readyState], [["lost"], 2]);
});

test("a connection that comes back is not lost, however often it breaks; a refusal is at once", () => {
  const { source, lost } = watched();
  for (let i = 0; i < 9; i += 1) {
    source.tell("open", 1);
    source.tell("error");
  }
  assert.deepEqual(lost, []);
  const refused = watched();
  refused.source.tell("error", 2);
  assert.deepEqual(refused.lost, ["lost"]);
});
