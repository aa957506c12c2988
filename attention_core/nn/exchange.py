"""Weights to and from torch.nn.MultiheadAttention, which keeps three matrices as one where it can."""

import torch
from torch import Tensor, nn

from attention_core.errors import NotAvailableError

Projections = tuple[nn.Linear, nn.Linear, nn.Linear, nn.Linear]  # query, key, value, output


def projections_of(source: nn.MultiheadAttention) -> Projections:
    """Copies of a torch module's four projections; NotAvailableError for add_bias_kv and add_zero_attn."""
    if source.bias_k is not None or source.add_zero_attn:
        raise NotAvailableError(
            "add_bias_kv and add_zero_attn append keys that belong to no token; our modules have none"
        )
    if source.kdim == source.vdim == source.embed_dim:
        weights = source.in_proj_weight.chunk(3)  # three times (embed_dim, embed_dim)
    else:  # inputs of different widths: torch keeps three matrices
        weights = (source.q_proj_weight, source.k_proj_weight, source.v_proj_weight)
    biases = (None,) * 3 if source.in_proj_bias is None else source.in_proj_bias.chunk(3)
    query, key, value = map(_linear, weights, biases)
    return query, key, value, _linear(source.out_proj.weight, source.out_proj.bias)


def torch_module(heads: int, projections: Projections) -> nn.MultiheadAttention:
    """A torch.nn.MultiheadAttention (batch_first) with copies of these projections."""
    query, key, value, output = projections
    width, kdim, vdim = query.out_features, key.in_features, value.in_features
    bias = query.bias is not None
    made = nn.MultiheadAttention(width, heads, bias=bias, kdim=kdim, vdim=vdim, batch_first=True)
    if kdim == vdim == width:
        state = {"in_proj_weight": torch.cat([layer.weight for layer in (query, key, value)])}
    else:
        layers = {"q": query, "k": key, "v": value}
        state = {f"{letter}_proj_weight": layer.weight for letter, layer in layers.items()}
    state["out_proj.weight"] = output.weight
    if bias:
        state["in_proj_bias"] = torch.cat([layer.bias for layer in (query, key, value)])
        state["out_proj.bias"] = output.bias
    made.to(query.weight).load_state_dict(state)
    return made


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A linear layer with copies of these parameters; made on no device, so that no random start is drawn."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer
