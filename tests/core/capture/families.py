"""Tiny random models of many families, their parameters scaled until the largest |score| is between 10 and 50.

FAMILIES is the parity matrix; the README prints it as `table` does: python tests/core/capture/families.py
"""

from dataclasses import dataclass
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from attention_core.capture import Example, LoadedModel, wrap
from attention_core.maps import Kind

VOCABULARY = 60
WORDS = [f"w{number}" for number in range(VOCABULARY - 2)]
SOURCE, TARGET = 26, 17  # words of the texts; longer than twice the WINDOW
WINDOW, HEADS = 10, 4
PICTURE, PATCH = 24, 4  # pixels a side

_WORDS = {"vocab_size": VOCABULARY}
_SIZES = {**_WORDS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
_ENCODER = {**_SIZES, "max_position_embeddings": 64}
_PADDED = {**_SIZES, "max_position_embeddings": 66}  # positions are counted from the padding token on
_NO_TOKENS = {"pad_token_id": None, "bos_token_id": None, "eos_token_id": None}
_DECODER = {**_ENCODER, **_NO_TOKENS, "num_key_value_heads": 2, "head_dim": 8}
_BOTH = {
    **{**_WORDS, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "max_position_embeddings": 64},
    **{"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48},
    **{"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "forced_eos_token_id": None},
    "decoder_start_token_id": 2,
}
_ALTERNATING = ["sliding_attention", "full_attention"]
_SELF, _MASKED = (Kind.ENCODER_SELF,), (Kind.DECODER_SELF,)
_ALL = (Kind.ENCODER_SELF, Kind.DECODER_SELF, Kind.CROSS)


@dataclass(frozen=True)
class Family:
    """One row of the matrix; `back_end` is what the self-check must settle on, None for a family that is refused.

    `windows` are the sliding windows, one a layer: keys at least so many positions away are masked. `why` says why a
    family is not read through the interface, or is refused.
    """

    title: str
    model: str
    kinds: tuple[Kind, ...]
    options: dict[str, Any]
    back_end: str | None = "interface"
    layers: int = 2
    windows: tuple[int | None, ...] = ()
    why: str = ""


FAMILIES = {
    "bert": Family("BERT", "BertModel", _SELF, _ENCODER),
    "roberta": Family("RoBERTa", "RobertaModel", _SELF, _PADDED),
    "xlm_roberta": Family("XLM-R", "XLMRobertaModel", _SELF, _PADDED),
    "distilbert": Family(
        "DistilBERT",
        "DistilBertModel",
        _SELF,
        {**_WORDS, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64},
    ),
    "albert": Family(
        "ALBERT", "AlbertModel", _SELF, {**_ENCODER, "embedding_size": 16, "num_hidden_layers": 3}, layers=3
    ),
    "electra": Family("ELECTRA", "ElectraModel", _SELF, {**_ENCODER, "embedding_size": 16}),
    "modernbert": Family(
        "ModernBERT",
        "ModernBertModel",
        _SELF,
        {**_ENCODER, **_NO_TOKENS, "num_hidden_layers": 3, "local_attention": WINDOW, "cls_token_id": None}
        | {"sep_token_id": None},
        layers=3,
        windows=(None, WINDOW // 2 + 1, WINDOW // 2 + 1),
    ),
    "mpnet": Family("MPNet", "MPNetModel", _SELF, _PADDED, "eager", why="does not use the attention interface"),
    "deberta_v2": Family(
        "DeBERTa-v2",
        "DebertaV2Model",
        _SELF,
        {**_ENCODER, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False},
        "eager",
        why="does not use the attention interface",
    ),
    "longformer": Family(
        "Longformer",
        "LongformerModel",
        _SELF,
        {**_PADDED, "attention_window": WINDOW},
        None,
        why="what it returns is not one weight for each query and key",
    ),
    "gpt2": Family(
        "GPT-2", "GPT2Model", _MASKED, {**_WORDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
    ),
    "gpt_neo": Family(
        "GPT-Neo",
        "GPTNeoModel",
        _MASKED,
        {**_WORDS, "hidden_size": 32, "num_layers": 2, "num_heads": 4, "max_position_embeddings": 64}
        | {"attention_types": [[["global", "local"], 1]], "window_size": WINDOW},
        "eager",
        windows=(None, WINDOW),
        why="does not use the attention interface",
    ),
    "llama": Family("Llama", "LlamaModel", _MASKED, _DECODER),
    "mistral": Family(
        "Mistral", "MistralModel", _MASKED, {**_DECODER, "sliding_window": WINDOW}, windows=(WINDOW, WINDOW)
    ),
    "qwen3": Family("Qwen3", "Qwen3Model", _MASKED, _DECODER),
    "gemma2": Family(
        "Gemma-2",
        "Gemma2Model",
        _MASKED,
        {**_DECODER, "sliding_window": WINDOW, "layer_types": _ALTERNATING, "attn_logit_softcapping": 20.0},
        windows=(WINDOW, None),
    ),
    "gemma3": Family(
        "Gemma-3",
        "Gemma3TextModel",
        _MASKED,
        {**_DECODER, "sliding_window": WINDOW, "layer_types": _ALTERNATING, "query_pre_attn_scalar": 1},
        windows=(WINDOW, None),
    ),
    "gpt_oss": Family(
        "gpt-oss",
        "GptOssModel",
        _MASKED,
        {**_DECODER, "sliding_window": WINDOW, "layer_types": _ALTERNATING, "num_local_experts": 2}
        | {"num_experts_per_tok": 1},
        windows=(WINDOW, None),
    ),
    "bloom": Family(
        "Bloom",
        "BloomModel",
        _MASKED,
        {**_WORDS, "hidden_size": 32, "n_layer": 2, "n_head": 4},
        "eager",
        why="does not use the attention interface",
    ),
    "t5": Family(
        "T5",
        "T5Model",
        _ALL,
        {**_WORDS, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0},
    ),
    "bart": Family("BART", "BartModel", _ALL, _BOTH),
    "marian": Family("Marian", "MarianModel", _ALL, _BOTH),
    "vit": Family(
        "ViT",
        "ViTModel",
        _SELF,
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
        | {"image_size": PICTURE, "patch_size": PATCH},
    ),
}
SHOWN = [name for name, family in FAMILIES.items() if family.back_end]
REFUSED = [name for name in FAMILIES if name not in SHOWN]


def table() -> str:
    """The matrix as the README prints it."""
    kinds = {Kind.ENCODER_SELF: "encoder", Kind.DECODER_SELF: "decoder", Kind.CROSS: "cross"}
    rows = ["| family | attention | sliding windows | read from |", "|---|---|---|---|"]
    for family in FAMILIES.values():
        windows = "yes" if any(family.windows) else ""
        read = ": ".join(part for part in (family.back_end or "refused", family.why) if part)
        cells = (family.title, ", ".join(kinds[kind] for kind in family.kinds), windows, read)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows).replace("|  |", "| |") + "\n"


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


def example(name: str, seed: int = 1) -> Example:
    """What the family takes: a text, a source with its target, or a picture."""
    if name == "vit":
        generator = torch.Generator().manual_seed(seed)
        pixels = torch.randint(0, 256, (PICTURE, PICTURE, 3), generator=generator, dtype=torch.uint8)
        return Example(image=pixels)
    target = text(TARGET, seed + 1) if Kind.CROSS in FAMILIES[name].kinds else None
    return Example(text(SOURCE, seed), target=target)


def wrapped(name: str) -> LoadedModel:
    """The family's tiny model, ready for `capture`."""
    return wrap(build(name), None if name == "vit" else tokenizer())


def build(name: str, **changes: Any) -> Any:
    """The family's tiny model in eval mode; the sharpness of its attention is real, not near-uniform."""
    family = FAMILIES[name]
    model_class = getattr(transformers, family.model)
    config = model_class.config_class(**{**family.options, **changes})
    torch.manual_seed(0)
    model = model_class(config).eval()
    model.set_attn_implementation("eager")
    return sharpen(model) if family.back_end else model


def sharpen(model: Any) -> Any:
    """Scale the query and key projections until the largest |score| lies between 10 and 50."""
    made = [parameter for name, parameter in model.named_parameters() if _looks(name, parameter.ndim)]
    for parameter in made:
        if not parameter.any():
            parameter.data.fill_(1.0)  # Gemma adds 1 to the weights of its norms
    for _ in range(60):
        largest = largest_score(model)
        if 10 <= largest <= 50:
            return model
        factor = (25 / max(largest, 1e-6)) ** 0.25
        factor = min(max(factor, 0.5), 2.0)
        for parameter in made:
            parameter.data.mul_(factor)
    raise AssertionError(f"{type(model).__name__} reached |score| {largest_score(model):.1f}")


def _looks(name: str, axes: int) -> bool:
    """Whether a parameter makes queries or keys; where they are normalised, only the norms' own weights count."""
    if axes != 2:
        return "q_norm" in name or "k_norm" in name
    parts = [
        *("query", "key", "q_lin", "k_lin", "c_attn", "q_proj", "k_proj", "Wqkv"),
        *(".q.", ".k.", "query_key_value", "attn.q", "attn.k"),
    ]
    return any(part in name for part in parts)


def largest_score(model: Any) -> float:
    """The largest |score| before the mask, from log-weights: a row's scores are known up to a constant.

    Half the spread of a row's log-weights is the least that its largest |score| can be; float32 keeps them
    down to e^-87, a spread of 43.
    """
    spread = 0.0
    for weights in own_weights(model, _probe(model)).values():
        logs = weights.clamp_min(1e-38).log()
        allowed = weights > 1e-37
        high = logs.masked_fill(~allowed, -torch.inf).amax(-1)
        low = logs.masked_fill(~allowed, torch.inf).amin(-1)
        spread = max(spread, float((high - low).max()) / 2)
    return spread


def _probe(model: Any) -> dict[str, torch.Tensor]:
    if model.main_input_name == "pixel_values":
        generator = torch.Generator().manual_seed(0)
        return {"pixel_values": torch.randn(1, 3, PICTURE, PICTURE, generator=generator)}
    ids = torch.arange(2, 26)[None]
    target = {"decoder_input_ids": ids[:, :15]} if model.config.is_encoder_decoder else {}
    return {"input_ids": ids, **target}


def own_weights(model: Any, inputs: dict[str, torch.Tensor]) -> dict[tuple[Kind, int], torch.Tensor]:
    """Every weight (head, query, key) as the model's own eager attention gives it."""
    model.set_attn_implementation("eager")
    options: dict[str, Any] = {"use_cache": False} if hasattr(model.config, "use_cache") else {}
    with torch.inference_mode():
        output = model(**inputs, **options, output_attentions=True)
    names = {_ALL: ("encoder_attentions", "decoder_attentions", "cross_attentions")}
    kinds = next(family.kinds for family in FAMILIES.values() if family.model == type(model).__name__)
    given = zip(kinds, (output[name] for name in names.get(kinds, ("attentions",))), strict=True)
    return {(kind, layer): weights[0].float() for kind, layers in given for layer, weights in enumerate(layers)}


if __name__ == "__main__":
    print(table(), end="")
