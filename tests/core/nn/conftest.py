"""Small random models of every family, by transformers, whose attention is as decided as a trained one's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from attention_core.nn import load_transformer

Make = Callable[..., Any]

VOCABULARY, TOKENS = 60, 40
BERT = {
    "vocab_size": VOCABULARY,
    "max_position_embeddings": TOKENS,
    "type_vocab_size": 2,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "hidden_size": 24,
    "intermediate_size": 40,
    "hidden_act": "gelu",
}
GPT2 = {
    "vocab_size": VOCABULARY,
    "n_positions": TOKENS,
    "n_layer": 2,
    "n_head": 3,
    "n_embd": 24,
    "n_inner": 40,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MARIAN = {
    "vocab_size": VOCABULARY,
    "max_position_embeddings": TOKENS,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "d_model": 24,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "scale_embedding": True,
    "pad_token_id": 59,
    "eos_token_id": 2,
    "forced_eos_token_id": None,
    "decoder_start_token_id": 59,
}
VIT = {
    "image_size": 12,
    "patch_size": 4,
    "num_channels": 3,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_labels": 5,
}
SPREAD = {"gpt2": "initializer_range", "marian": "init_std"}
QUERIES_AND_KEYS = re.compile(r"(q_proj|k_proj|\.query|\.key|c_attn)$")


def _classes(family: str) -> tuple[Any, Any, dict[str, Any]]:
    """The configuration's class, the model's, and the sizes that it has unless a test says otherwise."""
    import transformers as t

    return {
        "bert": (t.BertConfig, t.BertModel, BERT),
        "bert-masked": (t.BertConfig, t.BertForMaskedLM, BERT),
        "gpt2": (t.GPT2Config, t.GPT2LMHeadModel, GPT2),
        "gpt2-bare": (t.GPT2Config, t.GPT2Model, GPT2),
        "marian": (t.MarianConfig, t.MarianMTModel, MARIAN),
        "marian-bare": (t.MarianConfig, t.MarianModel, MARIAN),
        "vit": (t.ViTConfig, t.ViTForImageClassification, VIT),
        "vit-bare": (t.ViTConfig, t.ViTModel, {k: v for k, v in VIT.items() if k != "num_labels"}),
    }[family]


def _inputs_of(model: Any, *, batch: int = 1, count: int | None = None) -> dict[str, torch.Tensor]:
    """Random inputs by transformers' names; as long as the model takes unless `count` says otherwise."""
    config = model.config
    if config.model_type == "vit":
        return {"pixel_values": torch.randn(batch, config.num_channels, config.image_size, config.image_size)}
    count = config.max_position_embeddings if count is None else count
    ids = torch.randint(3, config.vocab_size - 1, (batch, count))
    if config.model_type != "marian":
        return {"input_ids": ids}
    # Another length than the source's, so that the two cannot be mistaken for one another.
    target = torch.randint(3, config.vocab_size - 1, (batch, max(1, count - 3)))
    return {"input_ids": ids, "decoder_input_ids": target}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Models this small are no work to share: threads would only wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small() -> Make:
    """Makes a small random model of a family, with the largest |score| of each attention between 10 and 50."""

    def make(family: str, seed: int = 0, **sizes: Any) -> Any:
        config, model, usual = _classes(family)
        spread = SPREAD.get(family.split("-")[0], "initializer_range")
        torch.manual_seed(seed)
        made = model(config(**{spread: 0.3, "attn_implementation": "eager", **usual, **sizes})).eval()
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.ndim == 1:  # biases start at 0 and norms at 1, which would hide a swap
                    parameter.add_(0.2 * torch.randn_like(parameter))
            for name, buffer in made.named_buffers():
                if name == "final_logits_bias":
                    buffer.normal_()
            _sharpen(made)
        return made

    return make


@pytest.fixture(scope="session")
def inputs_of() -> Make:
    """Makes random inputs of a small model, by transformers' names."""
    return _inputs_of


@pytest.fixture(scope="session")
def bert(small) -> Make:
    """Makes a small random BertModel."""
    return lambda seed=0, **sizes: small("bert", seed, **sizes)


@pytest.fixture
def ours_of(tmp_path) -> Make:
    """Our transformer with the weights of transformers' model, through its saved files."""

    def load(model: Any, **options: Any) -> Any:
        model.save_pretrained(tmp_path / "small")
        return load_transformer(tmp_path / "small", **options)

    return load


def _sharpen(model: Any) -> None:
    """Scales queries and keys until the largest |score| of every attention is between 10 and 50."""
    inputs = _inputs_of(model)
    for _ in range(40):
        largest = _largest_scores(model, inputs)
        if all(13 < score < 45 for score in largest.values()):
            return
        for name, module in model.named_modules():
            if QUERIES_AND_KEYS.search(name):
                width = module.weight.shape[-1] if name.endswith("c_attn") else 0
                for parameter in module.parameters():
                    # GPT-2 has queries, keys and values side by side; values stay as they are.
                    part = parameter[..., : 2 * width // 3] if width else parameter
                    part.mul_((25 / largest[name.rpartition(".")[0]]) ** 0.5)
    raise AssertionError(f"the largest scores stay at {largest}")


def _largest_scores(model: Any, inputs: dict[str, torch.Tensor]) -> dict[str, float]:
    """The largest |score| of each attention, by the name of its module."""
    seen: dict[str, list[torch.Tensor]] = {}
    hooks = [
        module.register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.setdefault(name.rpartition(".")[0], []).append(output)
        )
        for name, module in model.named_modules()
        if QUERIES_AND_KEYS.search(name)
    ]
    model(**inputs)
    for hook in hooks:
        hook.remove()
    largest = {}
    for name, outputs in seen.items():
        q, k = outputs if len(outputs) == 2 else outputs[0].chunk(3, dim=-1)[:2]
        heads = model.config.num_attention_heads
        q, k = (one.unflatten(2, (heads, -1)).transpose(1, 2) for one in (q, k))  # (batch, head, position, dim)
        largest[name] = float((q @ k.transpose(2, 3)).abs().max()) / q.shape[-1] ** 0.5
    return largest
