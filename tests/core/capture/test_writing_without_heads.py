"""Heads that are off stay off while a model writes: each step saw what the final trace shows, made without them."""

from dataclasses import replace

import families
import pytest
import torch
from writers import HEADS, rows_agree, writer

from attention_core.capture import Example, capture, generate, open_model, ready, wrap, write
from attention_core.nn import HeadsOff, greedy

PROMPT, WRITTEN = 7, 20  # together longer than twice a sliding window
WORDS = "ant bed boy cheese ant bed boy"


@pytest.mark.parametrize("family", [name for name in HEADS if families.FAMILIES[name].back_end == "interface"])
def test_heads_of_models_of_transformers_stay_off_while_they_write(family: str) -> None:
    loaded = ready(wrap(writer(family), families.tokenizer()))
    example = Example(families.text(PROMPT), off=("decoder-self.0.1", "decoder-self.0.2"))
    trace = rows_agree(loaded, example, WRITTEN)
    whole = capture(loaded, replace(example, off=(), written=trace.source.ids[PROMPT:]))
    first, second = (torch.dist(one.weights(), two.weights()) for one, two in zip(trace.maps, whole.maps, strict=True))
    assert (first < 1e-5, second > 1e-3) == (True, True)


def test_heads_that_are_off_stay_off_while_it_writes() -> None:
    loaded = ready(open_model("induction"))
    off = tuple(f"decoder-self.{layer}.{head}" for layer in range(2) for head in range(4))
    heads = [tuple(int(part) for part in name.split(".")[1:]) for name in off]
    ids = loaded.encode(Example(WORDS)).inputs["input_ids"]
    changes = HeadsOff([[("decoder-self", layer, head) for layer, head in heads]])
    expected = greedy(loaded.network, ids, limit=6, changes=changes)  # type: ignore[arg-type]
    written = [step.id for step in write(loaded, Example(WORDS, off=off), most=6)]
    assert written == expected[0].tolist()
    assert written != [step.id for step in write(loaded, Example(WORDS), most=6)]
    assert generate(loaded, Example(WORDS, off=off), most=6).off == off
