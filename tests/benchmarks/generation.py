"""Writing 64 tokens with every step's rows and the final trace, against the same model's bare `generate`.

python tests/benchmarks/generation.py [pairs]      (SmolLM2 is fetched at first use)
"""

import statistics
import sys
import time
from dataclasses import replace

import torch

from attention_core.capture import Example, capture, open_model, ready, write
from attention_core.models.loading import load_reference

PROMPT = "Once upon a time, in a small village by the sea, there lived an old sailor who"
TOKENS, PAIRS = 64, 5


def generation(pairs: int = PAIRS) -> list[tuple[str, str, str, str]]:
    """The median ratios of interleaved pairs: with capture, and of the steps alone; both write the same tokens."""
    model = ready(open_model("smollm2"))
    assert model.folder is not None
    bare = load_reference(model.folder, dtype=model.dtype, device=model.device)
    bare.set_attn_implementation("sdpa")  # type: ignore[operator]
    example = Example(PROMPT)
    ids = model.encode(example).inputs["input_ids"]
    # The end is forbidden until it is reached, so that it writes as many whatever it would say.
    options = {"do_sample": False, "max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "pad_token_id": 0}

    def theirs() -> list[int]:
        with torch.inference_mode():
            written = bare.generate(ids, attention_mask=torch.ones_like(ids), **options)  # type: ignore[operator]
        return [int(number) for number in written[0, ids.shape[1] :]]

    whole, steps, seconds = [], [], []
    for number in range(pairs + 1):
        start = time.perf_counter()
        expected = theirs()
        between = time.perf_counter()
        written = [step.id for step in write(model, example, most=TOKENS)]
        end = time.perf_counter()
        capture(model, replace(example, written=tuple(written)))
        last = time.perf_counter()
        assert written == expected, "both write the same"
        if number:  # the first warms up
            steps.append((end - between) / (between - start))
            whole.append((last - between) / (between - start))
            seconds.append(last - between)
    what = f"writing {TOKENS} tokens with every step's rows and the final trace, SmolLM2"
    against = "its bare generate (sdpa, greedy)"
    ratio, alone = statistics.median(whole), statistics.median(steps)
    return [(what, against, "<= 1.25 x its time", f"{ratio:.2f} x ({statistics.median(seconds):.1f} s)"),
            ("the same: the steps alone", against, "printed", f"{alone:.2f} x")]  # fmt: skip


if __name__ == "__main__":
    for row in generation(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS):
        print("| " + " | ".join(row) + " |")
