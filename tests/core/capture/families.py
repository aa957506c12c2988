"""Tiny random models of many families, their parameters scaled until the largest |score| is between 10 and 50."""

from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from attention_core.maps import Kind

VOCABULARY = 60
WORDS = [f"w{number}" for number in range(VOCABULARY - 2)]
_ENCODER = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 48, "max_position_embeddings": 64}  # fmt: skip
_DECODER = {**_ENCODER, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": None, "bos_token_id": None,
            "eos_token_id": None}  # fmt: skip

# family: (model class, configuration, the back end that the self-check must settle on)
FAMILIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "bert": ("BertModel", _ENCODER, "interface"),
    "roberta": ("RobertaModel", {**_ENCODER, "max_position_embeddings": 70}, "interface"),
    "distilbert": (
        "DistilBertModel",
        {"vocab_size": VOCABULARY, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
        "interface",
    ),
    "albert": ("AlbertModel", {**_ENCODER, "embedding_size": 16, "num_hidden_layers": 3}, "interface"),
    "electra": ("ElectraModel", {**_ENCODER, "embedding_size": 16}, "interface"),
    "gpt2": (
        "GPT2Model",
        {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
        "interface",
    ),
    "llama": ("LlamaModel", _DECODER, "interface"),
    "gemma2": (
        "Gemma2Model",
        {**_DECODER, "sliding_window": 10, "attn_logit_softcapping": 20.0},
        "interface",
    ),
    "gpt_oss": (
        "GptOssModel",
        {**_DECODER, "sliding_window": 10, "num_local_experts": 2, "num_experts_per_tok": 1},
        "interface",
    ),
    "t5": (
        "T5Model",
        {
            **{"vocab_size": VOCABULARY, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4},
            "decoder_start_token_id": 0,
        },
        "interface",
    ),
    "bloom": (
        "BloomModel",
        {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 4},
        "eager",
    ),
    "mpnet": ("MPNetModel", {**_ENCODER, "max_position_embeddings": 70}, "eager"),
    "deberta_v2": (
        "DebertaV2Model",
        {
            **_ENCODER,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
        },
        "eager",
    ),
}
DECODERS = ("gpt2", "llama", "gemma2", "gpt_oss", "bloom")


def tokenizer() -> Tokenizer:
    """Words w0, w1 ... as they are; nothing is special."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    made = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made


def text(count: int, seed: int = 1) -> str:
    """A text of `count` random words."""
    generator = torch.Generator().manual_seed(seed)
    return " ".join(WORDS[int(n)] for n in torch.randint(0, len(WORDS), (count,), generator=generator))


def build(family: str, **changes: Any) -> Any:
    """The family's tiny model in eval mode; the sharpness of its attention is real, not near-uniform."""
    name, options, _ = FAMILIES[family]
    model_class = getattr(transformers, name)
    config = model_class.config_class(**{**options, **changes})
    torch.manual_seed(0)
    model = model_class(config).eval()
    model.set_attn_implementation("eager")
    return sharpen(model)


def sharpen(model: Any) -> Any:
    """Scale the query and key projections until the largest |score| lies between 10 and 50."""
    for _ in range(60):
        largest = largest_score(model)
        if 10 <= largest <= 50:
            return model
        factor = (25 / max(largest, 1e-6)) ** 0.25
        factor = min(max(factor, 0.5), 2.0)
        for parameter_name, parameter in model.named_parameters():
            if parameter.ndim == 2 and _looks(parameter_name):
                parameter.data.mul_(factor)
    raise AssertionError(f"{type(model).__name__} reached |score| {largest_score(model):.1f}")


def _looks(name: str) -> bool:
    parts = [
        *("query", "key", "q_lin", "k_lin", "c_attn", "q_proj", "k_proj"),
        *(".q.", ".k.", "query_key_value", "attn.q", "attn.k"),
    ]
    return any(part in name for part in parts)


def largest_score(model: Any) -> float:
    """The largest |score| before the mask, from log-weights: a row's scores are known up to a constant.

    Half the spread of a row's log-weights is the least that its largest |score| can be; float32 keeps them
    down to e^-87, a spread of 43.
    """
    ids = torch.arange(2, 26)[None]
    options: dict[str, Any] = {"decoder_input_ids": ids[:, :15]} if model.config.is_encoder_decoder else {}
    options |= {"use_cache": False} if _caches(model) else {}
    with torch.inference_mode():
        output = model(ids, **options, output_attentions=True)
    names = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
    spread = 0.0
    for name in names:
        for weights in getattr(output, name, None) or ():
            logs = weights.clamp_min(1e-38).log()
            allowed = weights > 1e-37
            high = logs.masked_fill(~allowed, -torch.inf).amax(-1)
            low = logs.masked_fill(~allowed, torch.inf).amin(-1)
            spread = max(spread, float((high - low).max()) / 2)
    return spread


def _caches(model: Any) -> bool:
    return hasattr(model.config, "use_cache")


def own_weights(model: Any, inputs: dict[str, torch.Tensor]) -> dict[tuple[Kind, int], torch.Tensor]:
    """Every weight (head, query, key) as the model's own eager attention gives it."""
    model.set_attn_implementation("eager")
    options: dict[str, Any] = {"use_cache": False} if _caches(model) else {}
    with torch.inference_mode():
        output = model(**inputs, **options, output_attentions=True)
    if model.config.is_encoder_decoder:
        fields = {
            Kind.ENCODER_SELF: output.encoder_attentions,
            Kind.DECODER_SELF: output.decoder_attentions,
            Kind.CROSS: output.cross_attentions,
        }
    else:
        decoder = type(model).__name__ in {FAMILIES[name][0] for name in DECODERS}
        fields = {Kind.DECODER_SELF if decoder else Kind.ENCODER_SELF: output.attentions}
    return {(kind, layer): w[0].float() for kind, layers in fields.items() for layer, w in enumerate(layers)}
