"""How much memory a model and one pass through it take, and how much there is: estimates in bytes, from above.

A trace keeps queries, keys and values of every layer, so a pass grows linearly with the text; only a model that is
read from its own eager attention keeps its weights, and grows with the square.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PASS_BASE = 8 << 20  # what any pass takes: buffers of the kernels, the self-check's rows, Python's own
LOAD_BASE = 176 << 20  # what any load takes: the tokenizer, the libraries' own, the probe that proves the model
BLOCK_NUMBERS = 3 << 19  # one block of scores, its softmax and what is made of them
ROWS_OF_SCORES = 64  # predictions are made of this many rows at once
_NAMES: dict[str, tuple[str, ...]] = {
    "width": ("embed_dim", "hidden_size", "d_model", "n_embd", "dim"),
    "inner": ("inner_dim", "intermediate_size", "encoder_ffn_dim", "n_inner", "d_ff", "hidden_dim"),
    "heads": ("heads", "num_attention_heads", "encoder_attention_heads", "n_head", "num_heads", "n_heads"),
    "vocabulary": ("vocabulary", "vocab_size"),
    "encoder_layers": ("encoder_layers",),
    "decoder_layers": ("decoder_layers", "num_decoder_layers"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
}
# Whatever a configuration may call its number of layers.
LAYERS = (*_NAMES["layers"], *_NAMES["encoder_layers"], *_NAMES["decoder_layers"])


@dataclass(frozen=True)
class Shape:
    """The numbers that a pass's memory depends on; `vocabulary` is 0 for a model that predicts no tokens."""

    width: int
    inner: int
    heads: int
    vocabulary: int
    encoder_layers: int
    decoder_layers: int

    @property
    def crosses(self) -> bool:
        """Whether the decoder looks at an encoder."""
        return self.encoder_layers > 0 and self.decoder_layers > 0


def shape_of(config: Any) -> Shape:
    """The shape that a configuration of ours or of transformers states, an object or its JSON; what it does not state
    counts as usual."""
    found = {name: _first(config, spelled) for name, spelled in _NAMES.items()}
    width, layers = found["width"] or 768, found["layers"] or 0
    encoder, decoder = found["encoder_layers"], found["decoder_layers"]
    if encoder is None and decoder is None:
        encoder, decoder = layers or 12, 0
    elif encoder is None or decoder is None:  # T5 names its encoder's layers num_layers
        encoder, decoder = encoder if encoder is not None else layers, decoder if decoder is not None else layers
    return Shape(
        width=width,
        inner=4 * width if found["inner"] is None else found["inner"],
        heads=found["heads"] or 1,
        vocabulary=0 if getattr(config, "output", None) in ("none", "classes") else found["vocabulary"] or 0,
        encoder_layers=encoder,
        decoder_layers=decoder,
    )


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    values = (config.get(name) if isinstance(config, dict) else getattr(config, name, None) for name in names)
    return next((value for value in values if isinstance(value, int)), None)


def load_bytes(size: int, *, item: int = 4, stored: int = 4, numbers: int | None = None) -> int:
    """Bytes that loading takes at its height, of a file of `size` bytes with `stored` bytes a number, `item` loaded.

    `numbers` is how many numbers there are, where their formats in the file differ.
    """
    parameters = size * item // stored if numbers is None else numbers * item
    # In the model and in the reference that proves it; what is read lies in memory only in part at any time.
    return LOAD_BASE + 2 * parameters + size // 2


def pass_bytes(
    shape: Shape, source: int, target: int = 0, *, item: int = 4, dense: bool = False, said_rows: int = 0
) -> int:
    """Bytes that one pass over `source` and `target` tokens and its trace take at their height.

    `item` is the bytes of a number; `dense` where the weights themselves are kept instead of what they are made of.
    `said_rows` is how many rows of scores over its vocabulary the network itself returns at most.
    """
    source, target = max(1, source), max(0, target)
    alone = shape.encoder_layers + shape.decoder_layers  # one sequence: all layers read the source
    pairs = (
        ((shape.encoder_layers, source, source), (shape.decoder_layers, target, target),
         (shape.decoder_layers, target, source))
        if shape.crosses
        else ((alone, source, source),)
    )  # fmt: skip
    # Queries, keys, values and what each head hands on: two vectors for the queries' side, two for the keys'.
    kept = sum(layers * 2 * (queries + keys) * shape.width for layers, queries, keys in pairs)
    weights = sum(layers * queries * keys for layers, queries, keys in pairs) * shape.heads if dense else 0
    longest = max(source, target)
    # While one layer runs: its input and sums, what enters and leaves the two linear maps, one block of scores.
    running = longest * (8 * shape.width + 3 * shape.inner) + BLOCK_NUMBERS
    if dense:
        running += 3 * shape.heads * longest * max(source, longest)
    said = (3 * min(longest, ROWS_OF_SCORES) + min(longest, said_rows)) * shape.vocabulary
    return PASS_BASE + item * (kept + weights + running) + 4 * said


def graph_bytes(shape: Shape, source: int, target: int = 0, *, item: int = 4) -> int:
    """Bytes that one pass takes whose gradients are wanted: what each layer makes of its tokens is kept to the end.

    Not its weights: they are no part of what is differentiated (`experiments.gradients`).
    """
    layers = shape.encoder_layers * max(1, source) + shape.decoder_layers * max(1, target or source)
    kept = layers * (12 * shape.width + 4 * shape.inner)  # norms and sums, queries, keys, values; the MLP's inside
    # A kernel that cannot be differentiated in blocks makes the scores of one layer whole, and their gradient.
    longest = max(1, source, target)
    whole = 4 * shape.heads * longest * longest
    return pass_bytes(shape, source, target, item=item) + item * (kept + whole)


def available_bytes(device: str = "cpu") -> int:
    """Bytes that can be taken now: of a CUDA device's memory, else of the machine's, within any control group."""
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + idle)
    left = (limit - used for limit, used in cgroup_limits())
    return max(0, min(int(psutil.virtual_memory().available), *left, 1 << 62))


def total_bytes() -> int:
    """Bytes that this process could ever have: the machine's memory, within any control group."""
    return min(int(psutil.virtual_memory().total), *(limit for limit, _ in cgroup_limits()), 1 << 62)


def cgroup_limits(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> Iterator[tuple[int, int]]:
    """(limit, used) in bytes of every control group around this process that has a limit; version 2, then version 1.

    Cached files that the kernel would drop first do not count as used.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names, base = ("memory.max", "memory.current", "inactive_file"), root
        elif "memory" in controllers.split(","):
            names, base = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"), root / "memory"
        else:
            continue
        # Inside a container the path may name what only its host can see: then the root is the container's own.
        inner = base / path.strip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(base):
                yield from _limit(folder, *names)


def _limit(folder: Path, limit: str, used: str, cached: str) -> Iterator[tuple[int, int]]:
    try:
        most, now = int((folder / limit).read_text()), int((folder / used).read_text())
        stated = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or "max": no limit
        return
    yield most, max(0, now - int(stated.get(cached, 0)))
