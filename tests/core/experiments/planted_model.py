"""A real transformer of one layer whose heads are known: head 0 looks from *it* at *cat*, head 1 at all words alike."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from attention_core.models.card import ModelCard
from attention_core.models.loading import LoadedModel
from attention_core.nn import Transformer, TransformerConfig

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "it", "cat", "dog", "mat", "and", "saw", "ran", "the"]
SHARP = 12.0


def planted(*, decoder: bool = False, max_tokens: int = 16) -> LoadedModel:
    """The model: vectors are one-hot, so that a projection of one entry ties one word to one other."""
    config = TransformerConfig(
        embed_dim=16, heads=2, inner_dim=0, max_tokens=max_tokens, vocabulary=len(WORDS), positions="none",
        **({"decoder_layers": 1} if decoder else {"encoder_layers": 1}),
    )  # fmt: skip
    network = Transformer(config).eval()
    with torch.no_grad():
        network.embedding.tokens.weight.copy_(torch.eye(16)[: len(WORDS)])
        attention = (network.decoder if decoder else network.encoder)[0].attention
        for projection in (attention.query, attention.key):
            projection.weight.zero_()
            projection.bias.zero_()
        attention.query.weight[0, WORDS.index("it")] = SHARP
        attention.key.weight[0, WORDS.index("cat")] = SHARP
    kinds = ("decoder-self",) if decoder else ("encoder-self",)
    card = ModelCard(
        name="planted", title="Planted", full_title="Planted", family="attention-atlas", kinds=kinds, languages=("en",),
        layers=1, heads=2, max_tokens=max_tokens, precision="exact", licence="MIT", revision="1",
    )  # fmt: skip
    return LoadedModel(card, _tokenizer(marked=not decoder), network, "in-house")


def _tokenizer(*, marked: bool) -> Tokenizer:
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(WORDS[:3])
    if marked:
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
    return made


def row(number: int, text: str, antecedent: str, *distractors: str, **meta: str) -> dict:
    """A row whose pronoun is the last *it* and whose candidates are words of the text."""
    def span(word: str) -> list[int]:
        return [text.index(word), text.index(word) + len(word)]

    at = text.rindex("it")
    return {
        "id": f"row-{number}", "source": "made", "text": text, "pronoun": [at, at + 2], "antecedent": span(antecedent),
        "distractors": [span(word) for word in distractors], "meta": meta,
    }  # fmt: skip


def write_rows(path: Path, rows: list) -> Path:
    """The rows as JSON lines; a string is written as it is."""
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
