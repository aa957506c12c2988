"""GGUF, the file format of llama.cpp, and the Llamas in it (github.com/ggml-org/ggml, docs/gguf.md).

    "GGUF" version, count of weights, count of facts
    facts          name, type, value: the architecture, its sizes, the tokenizer
    weights        name, sizes (columns first), format, offset
    the numbers    from the next multiple of general.alignment
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_core.models.converting.blocks import FORMATS, Packed, packed_bytes
from attention_core.models.converting.bpe import byte_level_tokenizer
from attention_core.models.converting.reading import Cursor
from attention_core.models.converting.writing import Step, write_json, write_weights

MAGIC = b"GGUF"
VERSIONS = (2, 3)
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_FORMATS = {0: FORMATS["F32"], 2: FORMATS["Q4_0"], 3: FORMATS["Q4_1"], 8: FORMATS["Q8_0"]}
_LARGEST = 1 << 24  # no size of a model that this machine could run is larger

Facts = dict[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Llama:
    """The sizes that the names and shapes of a Llama's weights follow from."""

    layers: int
    heads: int
    key_heads: int
    width: int
    inner: int
    vocabulary: int

    def shapes(self) -> dict[str, tuple[str, Shape]]:
        """Of each weight's name in the file: its name in transformers, and its shape (row, column)."""
        keys = self.width // self.heads * self.key_heads
        found: dict[str, tuple[str, Shape]] = {
            "token_embd.weight": ("model.embed_tokens.weight", (self.vocabulary, self.width)),
            "output_norm.weight": ("model.norm.weight", (self.width,)),
        }
        block: dict[str, tuple[str, Shape]] = {
            "attn_norm": ("input_layernorm", (self.width,)),
            "attn_q": ("self_attn.q_proj", (self.width, self.width)),
            "attn_k": ("self_attn.k_proj", (keys, self.width)),
            "attn_v": ("self_attn.v_proj", (keys, self.width)),
            "attn_output": ("self_attn.o_proj", (self.width, self.width)),
            "ffn_norm": ("post_attention_layernorm", (self.width,)),
            "ffn_gate": ("mlp.gate_proj", (self.inner, self.width)),
            "ffn_up": ("mlp.up_proj", (self.inner, self.width)),
            "ffn_down": ("mlp.down_proj", (self.width, self.inner)),
        }
        for layer in range(self.layers):
            for stored, (name, shape) in block.items():
                found[f"blk.{layer}.{stored}.weight"] = (f"model.layers.{layer}.{name}.weight", shape)
        return found

    def order(self, stored: str) -> NDArray[np.intp] | None:
        """Where each row of a query's or key's weight stands in the file; None where rows stand as they are.

        llama.cpp rotates neighbours, transformers a dimension and the one half a head further: their rows differ.
        """
        heads = {"attn_q": self.heads, "attn_k": self.key_heads}.get(stored.split(".")[-2])
        if heads is None:
            return None
        size = self.width // self.heads
        return np.arange(heads * size).reshape(heads, size // 2, 2).swapaxes(1, 2).ravel()


def convert_gguf(packed: Path, folder: Path, step: Step) -> None:
    """Writes the Llama and the byte-level tokenizer that the file holds; a CheckpointError for any other file."""
    file = Cursor(packed.read_bytes(), packed.name)
    if bytes(file.bytes(4)) != MAGIC or file.number("I") not in VERSIONS:
        raise file.fault(f"is no GGUF file of version {' or '.join(map(str, VERSIONS))}")
    count, facts_count = file.count("Q", least=24), file.count("Q", least=13)
    facts = dict(_fact(file) for _ in range(facts_count))
    stored = _weights(file, count, facts)
    pieces = _texts(file, facts, "tokenizer.ggml.tokens")
    llama = _llama(file, facts, count, len(pieces))
    weights = _named(file, stored, llama)
    write_json(folder / "config.json", _config(file, facts, llama, tied="lm_head.weight" not in weights), indent=2)
    kinds, merges = facts.get("tokenizer.ggml.token_type"), _texts(file, facts, "tokenizer.ggml.merges")
    rules = tuple(facts.get(f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    marks = facts.get("tokenizer.ggml.add_bos_token") or facts.get("tokenizer.ggml.add_space_prefix")
    if rules != ("gpt2", "smollm") or marks or not isinstance(kinds, list) or len(kinds) != len(pieces):
        raise file.fault(f"has a tokenizer that is not read here: {rules}")
    write_json(folder / "tokenizer.json", byte_level_tokenizer(file, pieces, kinds, merges))
    write_weights(folder / "model.safetensors", weights, step)


def _fact(file: Cursor) -> tuple[str, Any]:
    name, kind = file.text("Q"), file.number("I")
    if kind != _ARRAY:
        return name, _value(file, kind)
    kind = file.number("I")
    count = file.count("Q")
    if kind in _SCALARS:
        return name, list(file.numbers(f"{count}{_SCALARS[kind]}"))
    return name, [_value(file, kind) for _ in range(count)]


def _value(file: Cursor, kind: int) -> Any:
    if kind == _TEXT:
        return file.text("Q")
    if kind not in _SCALARS:
        raise file.fault(f"is damaged: it holds a value of the unknown type {kind}")
    return file.number(_SCALARS[kind])


def _weights(file: Cursor, count: int, facts: Facts) -> dict[str, Packed]:
    """Every weight by its name in the file."""
    listed = []
    for _ in range(count):
        name = file.text("Q")
        sizes = file.numbers(f"{file.count('I', least=8)}Q")
        listed.append((name, sizes[::-1], *file.numbers("IQ")))
    alignment = facts.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 16:
        raise file.fault(f"is damaged: its alignment is {alignment!r}")
    begin = file.at + -file.at % alignment
    found = {}
    for name, shape, kind, offset in listed:
        if kind not in _FORMATS:
            raise file.fault(f"holds {name!r} in format {kind}; accepted: F32, Q4_0, Q4_1, Q8_0")
        if not 1 <= len(shape) <= 2 or not all(0 < size <= _LARGEST for size in shape):
            raise file.fault(f"holds {name!r} of the shape {shape}")
        found[name] = Packed(_FORMATS[kind], shape, file.slice(begin + offset, packed_bytes(_FORMATS[kind], shape)))
    return found


def _texts(file: Cursor, facts: Facts, name: str) -> list[str]:
    found = facts.get(name)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise file.fault(f"lacks {name}")
    return found


def _size(file: Cursor, facts: Facts, name: str) -> int:
    found = facts.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= _LARGEST:
        raise file.fault(f"has {name} = {found!r}, which is no size")
    return found


def _llama(file: Cursor, facts: Facts, count: int, vocabulary: int) -> Llama:
    if facts.get("general.architecture") != "llama":
        raise file.fault(f"holds {facts.get('general.architecture')!r}; accepted: 'llama'")
    sizes = Llama(
        layers=_size(file, facts, "llama.block_count"),
        heads=_size(file, facts, "llama.attention.head_count"),
        key_heads=_size(file, facts, "llama.attention.head_count_kv"),
        width=_size(file, facts, "llama.embedding_length"),
        inner=_size(file, facts, "llama.feed_forward_length"),
        vocabulary=vocabulary,
    )
    rotated = facts.get("llama.rope.dimension_count", sizes.width // sizes.heads)
    halves = sizes.width % (2 * sizes.heads) == 0 and sizes.heads % sizes.key_heads == 0
    if not halves or sizes.layers > count or rotated != sizes.width // sizes.heads:
        raise file.fault(f"has sizes that make no Llama: {sizes}")
    return sizes


def _named(file: Cursor, stored: Mapping[str, Packed], llama: Llama) -> dict[str, Packed]:
    """The weights as transformers names and orders them."""
    shapes = llama.shapes()
    if "output.weight" in stored:
        shapes["output.weight"] = ("lm_head.weight", (llama.vocabulary, llama.width))
    if wrong := sorted(shapes.keys() ^ stored.keys()):
        raise file.fault(f"has not the weights of a Llama of {llama.layers} layers: {', '.join(wrong[:5])}")
    named = {}
    for name, (long, shape) in shapes.items():
        weight = stored[name]
        if weight.shape != shape:
            raise file.fault(f"has {name!r} of the shape {weight.shape} instead of {shape}")
        named[long] = Packed(weight.format, shape, weight.data, llama.order(name))
    return named


def _config(file: Cursor, facts: Facts, llama: Llama, *, tied: bool) -> dict[str, Any]:
    base, epsilon = facts.get("llama.rope.freq_base", 10_000.0), facts.get("llama.attention.layer_norm_rms_epsilon")
    if not isinstance(epsilon, float) or not 0 < epsilon < 1 or not isinstance(base, float) or not 0 < base < 1e12:
        raise file.fault(f"has rotary base {base!r} and epsilon {epsilon!r}")
    if scaled := sorted(name for name in facts if name.startswith("llama.rope.scaling")):
        raise file.fault(f"scales its rotary positions, which is not read here: {', '.join(scaled)}")
    ends = {name: facts.get(f"tokenizer.ggml.{name}") for name in ("bos_token_id", "eos_token_id")}
    template = facts.get("tokenizer.chat_template")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": llama.vocabulary,
        "hidden_size": llama.width,
        "intermediate_size": llama.inner,
        "num_hidden_layers": llama.layers,
        "num_attention_heads": llama.heads,
        "num_key_value_heads": llama.key_heads,
        "max_position_embeddings": _size(file, facts, "llama.context_length"),
        "rms_norm_eps": float(f"{epsilon:.6g}"),  # the file has it in float32
        "rope_theta": base,
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        **{name: number for name, number in ends.items() if isinstance(number, int)},
        **({"chat_template": template} if isinstance(template, str) else {}),
    }
