"""The table of measures: ratios against a peer or a bare model in the same run.

python tests/benchmarks/run.py            (pip install -e ".[bench]" first)
"""

import io
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from efficient import efficient
from generation import generation
from pictures import pictures
from transformers import AutoModel

from attention_core.capture import capture, open_model, ready
from attention_core.nn import MultiHeadAttention, fused_attention

PAIRS = 50
TEXT = "The old sailor told the young captain that he had seen the whale before the storm began . "
Row = tuple[str, str, str, str]


def interleaved(ours: Callable[[], object], theirs: Callable[[], object], pairs: int = PAIRS) -> tuple[float, float]:
    """The median ratio ours / theirs of alternating runs, and the median seconds of ours."""
    for _ in range(3):
        ours(), theirs()
    ratios, seconds = [], []
    for number in range(pairs):
        times = {}
        for name in (("a", "b") if number % 2 else ("b", "a")):
            start = time.perf_counter()
            (ours if name == "a" else theirs)()
            times[name] = time.perf_counter() - start
        ratios.append(times["a"] / times["b"])
        seconds.append(times["a"])
    return statistics.median(ratios), statistics.median(seconds)


def text_of(tokens: int) -> str:
    """A text of exactly `tokens` MiniLM tokens, special tokens included."""
    model = open_model("minilm")
    words = (TEXT * 40).split()
    kept = words[: tokens - 2]
    assert len(model.tokenizer.encode(" ".join(kept)).ids) == tokens
    return " ".join(kept)


def making_a_trace() -> Row:
    """A trace of 510 tokens against the same network's bare forward pass."""
    model = ready(open_model("minilm"))
    text = text_of(510)
    ids = torch.tensor([model.tokenizer.encode(text).ids])

    def bare() -> object:
        with torch.inference_mode():
            return model.network(ids)

    ratio, seconds = interleaved(lambda: capture(model, text), bare)
    return ("making a trace, MiniLM, 510 tokens", "bare fast forward pass", "<= 1.10 x its time",
            f"{ratio:.2f} x ({seconds * 1000:.0f} ms)")  # fmt: skip


def first_view() -> list[Row]:
    """Bytes and server time of the first view at 510 tokens against BertViz's head view."""
    from bertviz import head_view

    model = ready(open_model("minilm"))
    text = text_of(510)
    start = time.perf_counter()
    trace = capture(model, text)
    thumbnails = torch.stack([one.overview(size=32) for one in trace.maps])
    large = trace.map("encoder-self", 3).overview(1, 256)
    size = 0
    for matrix in ((255 * thumbnails.sqrt()).round().to(torch.uint8).numpy(), large.numpy()):
        buffer = io.BytesIO()
        np.save(buffer, matrix)
        size += buffer.tell()
    size += sum(len(repr(value)) for value in (trace.source.ids, trace.source.texts, trace.source.spans))
    ours = time.perf_counter() - start
    assert model.folder is not None
    peer = AutoModel.from_pretrained(model.folder, attn_implementation="eager").eval()
    encoding = model.tokenizer.encode(text)
    start = time.perf_counter()
    with torch.inference_mode():
        attentions = peer(torch.tensor([encoding.ids]), output_attentions=True).attentions
    html = head_view(attentions, encoding.tokens, html_action="return").data
    theirs = time.perf_counter() - start
    return [
        ("first view at 510 tokens: bytes, uncompressed", "BertViz head_view HTML", "2,000 x fewer",
         f"{len(html.encode()) / size:,.0f} x ({size / 1e3:.0f} kB against {len(html) / 1e6:.0f} MB)"),
        ("the same: server time", "BertViz head_view", "50 x less",
         f"{theirs / ours:.0f} x ({ours * 1000:.0f} ms against {theirs:.1f} s)"),
    ]  # fmt: skip


def memory() -> Row:
    """A trace's bytes at 4,096 tokens of SmolLM2 against dense float32 weights."""
    model = ready(open_model("smollm2"))
    text = (TEXT * 300).strip()
    cut = model.tokenizer.encode(text).offsets[4096][0]
    trace = capture(model, text[:cut].rstrip())
    layers, heads, count = len(trace.maps), trace.maps[0].head_count, len(trace.source)
    dense = layers * heads * count * count * 4
    return (f"memory of a trace, SmolLM2, {layers} x {heads} heads, {count:,} tokens, q + k + v",
            "dense weights in float32", "30 x less",
            f"{dense / trace.nbytes:.0f} x ({trace.nbytes / 1e6:.0f} MB against {dense / 1e9:.1f} GB)")  # fmt: skip


def attention_modules() -> list[Row]:
    """Our modules against torch's, in inference."""
    return [*_modules_of(1, 512, 384, 12), *_modules_of(8, 128, 512, 8)]


def _modules_of(batch: int, count: int, width: int, heads: int) -> list[Row]:
    ours = MultiHeadAttention(width, heads).eval()
    theirs = ours.to_torch().eval()
    x = torch.randn(batch, count, width)
    q = torch.randn(batch, heads, count, width // heads)
    with torch.inference_mode():
        module, _ = interleaved(lambda: ours(x, need_weights=False), lambda: theirs(x, x, x, need_weights=False))
        weights, _ = interleaved(lambda: ours(x), lambda: theirs(x, x, x, average_attn_weights=False))
        kernel, _ = interleaved(
            lambda: fused_attention(q, q, q), lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q)
        )
    shape = f"{batch} x {count} x {width}, {heads} heads"
    return [
        (f"MultiHeadAttention without weights, {shape}", "nn.MultiheadAttention", "<= 1.10 x", f"{module:.2f} x"),
        (f"fused_attention, {shape}", "torch's kernel", "<= 1.10 x", f"{kernel:.2f} x"),
        (f"MultiHeadAttention with weights per head, {shape}", "nn.MultiheadAttention", "printed", f"{weights:.2f} x"),
    ]


def main() -> None:
    """Print the table in Markdown."""
    torch.manual_seed(0)
    rows = [making_a_trace(), *first_view(), memory(), *attention_modules(), *generation(), *pictures(interleaved)]
    rows += efficient(interleaved)
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, Python "
          f"{platform.python_version()}\n")  # fmt: skip
    print("| what | against | at least | measured |")
    print("|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
