"""Small random models in our own format, one of each input, as a catalogue of bundled entries."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from attention_core.models.card import ModelCard
from attention_core.models.catalogue import Bundled, Catalogue, CatalogueEntry
from attention_core.nn import Transformer, TransformerConfig, save_transformer
from attention_core.nn.config import Patches

WORDS = ["<pad>", "</s>", "<unk>", "a", "b", "c", "d", "e", "f", "g", "h"]
SIZES: dict[str, Any] = {"embed_dim": 16, "heads": 2, "inner_dim": 32}
TEXT = {"vocabulary": len(WORDS), "max_tokens": 12, "output": "tokens"}
CONFIGS = {
    "sees": TransformerConfig(
        **SIZES, encoder_layers=2, patches=Patches(image_size=12, patch_size=4), max_tokens=10, classes=4,
        output="classes", norm="pre",
    ),
    "writes": TransformerConfig(**SIZES, **TEXT, decoder_layers=2, norm="pre"),
    "translates": TransformerConfig(**SIZES, **TEXT, encoder_layers=2, decoder_layers=2, start=0, end=1, pad=0),
}  # fmt: skip
INPUTS = {"sees": "picture", "writes": "text", "translates": "translation"}
LABELS = {0: "shape/circle", 1: "shape/square", 2: "colour/red", 3: "colour/blue"}


def catalogue(folder: Path) -> Catalogue:
    """The three models, saved under the folder; `sees` has one sample picture, "sample"."""
    return Catalogue(tuple(_entry(name, folder / name) for name in CONFIGS))


def _entry(name: str, folder: Path) -> CatalogueEntry:
    torch.manual_seed(0)
    config = CONFIGS[name]
    extra = {"image_size": 12, "patch_size": 4, "id2label": LABELS} if name == "sees" else {}
    save_transformer(Transformer(config), folder, **extra)
    if name == "sees":
        _write_sample(folder / "samples")
    else:
        _tokenizer(ends=name == "translates").save(str(folder / "tokenizer.json"))
    card = ModelCard(
        name=name, title=name.title(), full_title=name, family="attention-atlas", kinds=config.kinds, languages=(),
        layers=2, heads=2, max_tokens=None if name == "sees" else 12, precision="exact", licence="MIT",
        revision="1", input=INPUTS[name],
    )  # fmt: skip
    return CatalogueEntry(
        card=card, size_bytes=(folder / "model.safetensors").stat().st_size, download_bytes=0, sources=(),
        bundled=Bundled("bundled", str(folder)), sha256={}, look_for=(), cautions=(), training=None,
    )  # fmt: skip


def _tokenizer(*, ends: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<pad>", "</s>"])
    if ends:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
        )
    return tokenizer


def _write_sample(folder: Path) -> None:
    from PIL import Image

    folder.mkdir()
    Image.linear_gradient("L").resize((24, 24)).save(folder / "sample.png")
