"""Blocks that are run once more give the same answers and gradients, to the bit, and keep less meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mezzotint.errors import UsageError
from mezzotint.nets import DiTConfig, UNetConfig, build
from mezzotint.nets.checkpointed import checkpointed

NETS: dict[str, Callable[[], nn.Module]] = {
    "transformer": lambda: build(
        DiTConfig(in_channels=3, out_channels=3, size=(16, 16), patch=4, width=32, depth=4, heads=2)
    ),
    "unet": lambda: build(UNetConfig(2, 3, 3, (16, 16), 2, 16, (1, 2), 1, (), head_dim=16)),
}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    net = NETS[name]()
    for p in net.parameters():
        p.data = p.data + 0.1 * torch.randn_like(p)
    return net


def learnt(net: nn.Module) -> tuple[list[Tensor], int]:
    """The answer and all gradients, and the bytes that the forward pass kept for them."""
    kept: dict[int, int] = {}
    own = {p.data_ptr() for p in net.parameters()}

    def pack(t: Tensor) -> Tensor:
        if t.data_ptr() not in own:
            kept[t.data_ptr()] = t.untyped_storage().nbytes()
        return t

    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = net(x, torch.tensor([0.1, 0.7]), {})
    y.square().sum().backward()
    return [y.detach(), *(p.grad for p in net.parameters() if p.grad is not None)], sum(kept.values())


@pytest.mark.parametrize("name", NETS)
def test_gradients_are_the_same_to_the_bit_and_less_is_kept(name: str) -> None:
    (plain, much), (again, little) = learnt(made(name)), learnt(checkpointed(made(name)))
    assert len(plain) == len(again) > 4
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))
    assert little < much / 2


def test_what_repeats_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="Linear has no repeated blocks; leave --gradient-checkpointing out"):
        checkpointed(nn.Linear(2, 2))
