import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../static/js/api.js";

const REQUEST = { model: "m", text: "a b", target: null, image: null, truncate: true, off: "cross.0.1,cross.0.2", how: "mean", written: "3.4", chat: false };

function recorded() {
  const sent = [];
  const fetch = async (url, { method, body }) => {
    sent.push([method, url, JSON.parse(body)]);
    return { ok: true, json: async () => ({ id: "1", state: "running" }) };
  };
  return { sent, api: createApi({ fetch, EventSource: null }) };
}

test("an experiment is the example of a trace and what was chosen; what was left open is not sent", async () => {
  const { sent, api } = recorded();
  await api.experiment(REQUEST, { name: "scan", kind: null, row: 0, key: undefined, how: "zero", words: false });
  assert.deepEqual(sent, [["POST", "/api/v1/jobs", {
    do: "experiment", name: "scan", model: "m", text: "a b", row: 0, how: "zero", words: false, written: [3, 4],
    options: { truncate: true, off: ["cross.0.1", "cross.0.2"], off_with: "mean" },
  }]]);
});

test("an evaluation names a model, and what of ours it is to be measured on where that was chosen", async () => {
  const { sent, api } = recorded();
  await api.evaluate("minilm");
  await api.evaluate("minilm", { task: "antecedent", file: null });
  assert.deepEqual(sent.map(([, , body]) => body), [
    { do: "evaluate", model: "minilm" }, { do: "evaluate", model: "minilm", task: "antecedent" },
  ]);
});
