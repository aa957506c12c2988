"""Waves against Marian's own table, turns against Llama's own function."""

import pytest
import torch

from attention_core.nn import Transformer, TransformerConfig, Watch
from attention_core.nn.positions import rotate, sinusoidal


@pytest.mark.parametrize("dim", [2, 7, 24, 64])
def test_the_waves_are_marians(dim):
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

    table = MarianSinusoidalPositionalEmbedding(600, dim)
    expected = table.create_weight()
    torch.testing.assert_close(sinusoidal(torch.arange(600), dim), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(sinusoidal(torch.arange(590, 600), dim), expected[590:], atol=1e-6, rtol=0)


@pytest.mark.parametrize("start", [0, 5])
def test_the_turns_are_llamas(start):
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    llama = LlamaRotaryEmbedding(LlamaConfig(hidden_size=36, num_attention_heads=3))
    q, k = torch.randn(2, 3, 11, 12), torch.randn(2, 3, 11, 12)
    places = torch.arange(start, start + 11)
    cos, sin = llama(q, places[None])
    expected = apply_rotary_pos_emb(q, k, cos, sin)
    torch.testing.assert_close((rotate(q, places), rotate(k, places)), expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_rotary_decoder_attends_as_llama_does():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding

    sizes = {"embed_dim": 36, "heads": 3, "inner_dim": 0, "max_tokens": 20, "vocabulary": 30}
    ours = Transformer(TransformerConfig(**sizes, decoder_layers=1, positions="rotary", norm="pre"))
    for parameter in ours.parameters():
        parameter.add_(0.4 * torch.randn_like(parameter))
    config = LlamaConfig(
        hidden_size=36,
        num_attention_heads=3,
        num_key_value_heads=3,
        attention_bias=True,
        attn_implementation="eager",
    )
    theirs = LlamaAttention(config, 0).eval()
    block = ours.decoder[0]
    for name, projection in (("q", "query"), ("k", "key"), ("v", "value"), ("o", "output")):
        theirs.get_submodule(f"{name}_proj").load_state_dict(block.attention.get_submodule(projection).state_dict())
    ids = torch.randint(0, 30, (2, 17))
    x = ours.embedding(ids, None, torch.arange(ids.shape[1]))
    turns = LlamaRotaryEmbedding(config)(x, torch.arange(17)[None])
    added, weights = theirs(block.attention_norm(x), turns, torch.full((17, 17), -torch.inf).triu(1))
    watch = Watch()
    torch.testing.assert_close(ours(ids, watch=watch).hidden, x + added, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(watch.records["decoder-self"][0].weights(), weights, atol=1e-5, rtol=0)


def test_a_turned_score_depends_on_the_distance_alone():
    q, k = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(query_position, key_position):
        turned = (rotate(x, torch.tensor([place])) for x, place in ((q, query_position), (k, key_position)))
        return float(torch.mul(*turned).sum())

    assert score(9, 4) == pytest.approx(score(105, 100), abs=1e-4)
    assert abs(score(9, 4) - score(9, 5)) > 1e-3
    assert rotate(q, torch.tensor([50])).norm() == pytest.approx(float(q.norm()), rel=1e-5)
