"""A sliding window and random features against the formula, in the same run: time, and bytes of tensors alive at once.

python tests/benchmarks/efficient.py     (or all of run.py)
"""

from collections.abc import Callable

import torch

from attention_core.ideas.counting import peak_bytes
from attention_core.nn import attention
from attention_core.nn.efficient import Window, random_feature_attention, random_features, sliding_window_attention

COUNT, DIM = 2048, 64
PAIRS = 15


def efficient(interleaved: Callable[..., tuple[float, float]]) -> list[tuple[str, str, str, str]]:
    """One head of 64 on 2,048 positions; interleaved is run.py's."""
    random = torch.Generator().manual_seed(0)
    given = [torch.randn(1, COUNT, DIM, generator=random) for _ in range(3)]
    window, features = Window(64, (0,)), random_features(DIM, 128).float()
    ways = {
        "sliding window of 64 with a global token": lambda: sliding_window_attention(*given, window),
        "128 random features": lambda: random_feature_attention(*given, features),
    }
    rows = []
    with torch.inference_mode():
        exact = peak_bytes(lambda: attention(*given), given)
        for name, work in ways.items():
            ratio, seconds = interleaved(work, lambda: attention(*given), PAIRS)
            share = peak_bytes(work, given) / exact
            rows.append((f"{name}, {COUNT:,} positions", "the formula", "<= 0.50 x its time and memory",
                         f"{ratio:.2f} x ({1000 * seconds:.1f} ms), {share:.2f} x the bytes"))  # fmt: skip
    return rows


if __name__ == "__main__":
    from run import interleaved

    for row in efficient(interleaved):
        print(" | ".join(row))
