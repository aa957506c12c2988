"""Random weights from a generator of one's own: other threads of a server draw numbers too, and from torch's own
generator nobody would get the same ones twice."""

from typing import TypeVar

from torch import Generator, nn

Network = TypeVar("Network", bound=nn.Module)


def drawn(network: Network, seed: int) -> Network:
    """The network with weights drawn from the seed: matrices after Glorot & Bengio 2010, vectors that are looked up
    with numbers of standard deviation 1/√dim, biases zero; norms stay as they are."""
    random = Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            continue
        for name, given in module.named_parameters(recurse=False):
            if isinstance(module, nn.Embedding):
                nn.init.normal_(given, std=given.shape[-1] ** -0.5, generator=random)
            elif given.ndim > 1:
                nn.init.xavier_uniform_(given, generator=random)
            elif name.startswith("bias"):
                nn.init.zeros_(given)
    return network
