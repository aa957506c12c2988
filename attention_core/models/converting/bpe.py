"""The tokenizer.json of a byte-level BPE (Radford et al. 2019), from the lists that a GGUF file keeps."""

from typing import Any

from attention_core.models.converting.reading import Cursor

CONTROL = 3  # llama.cpp's number for a piece that is a marker


def byte_level_tokenizer(file: Cursor, pieces: list[str], kinds: list[Any], merges: list[str]) -> dict[str, Any]:
    """SmolLM's rules: every digit alone, then GPT-2's pattern; markers are never made from text around them."""
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    whole = all(len(pair) == 2 and {*pair, "".join(pair)} <= vocabulary.keys() for pair in pairs)
    if len(vocabulary) != len(pieces) or not whole:
        raise file.fault("is damaged: its merges are not made of its pieces")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": piece, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
            for number, (piece, kind) in enumerate(zip(pieces, kinds, strict=True)) if kind == CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary,
                  "merges": pairs},
    }  # fmt: skip
