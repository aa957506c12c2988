"""Writing on, one token at a time: always the one with the highest score."""

import torch
from torch import Tensor

from attention_core.errors import InputError, NotAvailableError
from attention_core.nn.changing import Changes
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Cache, Watch


@torch.inference_mode()
def greedy(
    network: Transformer,
    source: Tensor,
    *,
    limit: int,
    mask: Tensor | None = None,
    changes: Changes | None = None,
) -> Tensor:
    """The ids that the network writes (batch, position): a translation of the source, or what follows it.

    At most `limit` tokens, and no more than the model takes; the end token is the last of a row, and padding follows
    where other rows are longer. Padding itself is never written. mask (batch, position): 1 for a real token
    of the source, for an encoder-decoder alone. changes: what is done to the network meanwhile.
    """
    config = network.config
    if config.output != "tokens":
        raise NotAvailableError("this model does not write tokens")
    if mask is not None and not config.encoder_layers:
        raise NotAvailableError("the rows of a text that is written on have the same length, without padding")
    watch = Watch(changes, keeps=False)
    memory, read = None, source
    if config.encoder_layers:
        if config.start is None:
            raise InputError("this model's configuration names no start token")
        memory = network.encode(source, mask=mask, watch=watch).hidden
        read = source.new_full((len(source), 1), config.start)
    room = config.max_tokens - read.shape[1] + (1 if config.encoder_layers else 0)
    filler = next((token for token in (config.pad, config.end) if token is not None), 0)
    cache, written = Cache(), []
    done = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    for _ in range(min(limit, room)):
        hidden = network.decode(read, memory, mask=mask, cache=cache, watch=watch).hidden[:, -1:]
        scores = network.logits(hidden)[:, 0]  # (batch, token)
        if config.pad is not None and config.pad != config.end:
            scores[:, config.pad] = -torch.inf
        token = scores.argmax(dim=-1).masked_fill(done, filler)  # (batch)
        written.append(token)
        if config.end is not None:
            done |= token == config.end
        if done.all():
            break
        read = token[:, None]
    return torch.stack(written, dim=1) if written else source.new_empty((len(source), 0))
