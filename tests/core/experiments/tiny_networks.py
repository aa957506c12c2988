"""Tiny random models of transformers with a head, and words for them."""

from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from attention_core.capture import LoadedModel, ready, wrap


def words(count: int, *more: str) -> Tokenizer:
    """The words w0, w1 ... up to `count` tokens with `more` and the unknown one."""
    names = [*(f"w{number}" for number in range(count - 1 - len(more))), *more, "[UNK]"]
    made = Tokenizer(models.WordLevel({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def tiny_llama() -> LoadedModel:
    """A decoder of two layers with four heads of 8, two of them a key head, read through the attention interface."""
    torch.manual_seed(2)
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=48, max_position_embeddings=64, initializer_range=0.4, pad_token_id=None, bos_token_id=None,
        eos_token_id=None,
    )  # fmt: skip
    network: Any = transformers.LlamaForCausalLM(config)
    network.model.layers[0].self_attn.o_proj.weight.data *= 4
    return ready(wrap(network.eval(), words(40)))


def tiny_bert(*, headless: bool = False) -> LoadedModel:
    """An encoder of one layer that guesses masked words, or without that head."""
    torch.manual_seed(1)
    config = transformers.BertConfig(vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=4,
                                     intermediate_size=48, max_position_embeddings=64)  # fmt: skip
    made: Any = transformers.BertModel if headless else transformers.BertForMaskedLM
    return ready(wrap(made(config).eval(), words(40, "[MASK]")))
