"""The transformer of a run, its tokenizer, and what is told of it."""

from collections.abc import Sequence
from math import sqrt

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFC, Lowercase
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import WhitespaceSplit

from attention_core.lab.choices import LabChoices
from attention_core.lab.tasks import TASKS
from attention_core.models.card import NATIVE, ModelCard
from attention_core.nn.config import DECODER_SELF, ENCODER_SELF, TransformerConfig
from attention_core.nn.transformer import Transformer, start_weights

UNKNOWN = "<unk>"


def config_of(choices: LabChoices) -> TransformerConfig:
    """What the transformer of these choices is made of: a decoder with a mask, an encoder without one."""
    task = TASKS[choices.task]
    return TransformerConfig(
        vocabulary=choices.vocabulary + 1,  # the last one stands for what is none of the task's
        embed_dim=choices.width,
        heads=choices.heads,
        inner_dim=task.inner * choices.width,
        encoder_layers=0 if choices.mask else choices.layers,
        decoder_layers=choices.layers if choices.mask else 0,
        max_tokens=choices.length,
        positions=choices.positions,
        norm="pre",
        final_norm=True,
        embedding_scale=sqrt(choices.width),
        scaled=choices.scaled,
        output="tokens",
    )


def kind_of(choices: LabChoices) -> str:
    """The kind of its attention."""
    return DECODER_SELF if choices.mask else ENCODER_SELF


def network_of(choices: LabChoices, generator: torch.Generator) -> Transformer:
    """The transformer at its beginning; its weights are drawn from this generator alone."""
    network = Transformer(config_of(choices))
    start_weights(network, generator)
    return network


def tokenizer_of(choices: LabChoices) -> Tokenizer:
    """One token a symbol of the task, cut at white space; what is none of them is the last one, which is unknown."""
    symbols = (*TASKS[choices.task].symbols(choices.vocabulary), UNKNOWN)
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(symbols)}, unk_token=UNKNOWN))
    made.normalizer = Normalizers([NFC(), Lowercase()])
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens([UNKNOWN])
    return made


def card_of(choices: LabChoices, name: str, revision: str) -> ModelCard:
    """What is told of the model; `revision` tells its weights from others'."""
    return ModelCard(
        name=name,
        title=f"lab-{choices.task}",  # the page has its name in the reader's language
        full_title=f"lab: {choices.task}, {choices.steps} steps, seed {choices.seed}",
        family=NATIVE,
        kinds=(kind_of(choices),),
        languages=(),
        layers=choices.layers,
        heads=choices.heads,
        max_tokens=choices.length,
        precision="exact",
        licence="",
        revision=revision,
        closed_vocabulary=True,
    )


def text_of(choices: LabChoices, ids: Sequence[int]) -> str:
    """A sequence as a person types it."""
    symbols = TASKS[choices.task].symbols(choices.vocabulary)
    return " ".join(symbols[number] for number in ids)
