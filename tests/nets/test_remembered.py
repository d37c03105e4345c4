"""A layer that remembers gives the layer's own bits, and to each request its own."""

from __future__ import annotations

import threading

import torch
from torch import Tensor, nn

from mezzotint.nets.remembered import KEPT, Recognised, Remembered, remembering


class Counting(nn.Linear):
    """How often it was asked; frozen, as a model's layers are."""

    asked = 0

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.requires_grad_(False)

    def forward(self, input: Tensor) -> Tensor:
        self.asked += 1
        return super().forward(input)


def test_the_same_bits_computed_once() -> None:
    layer, x = Counting(8, 4), torch.randn(2, 3, 8)
    kept = Remembered(layer)
    with torch.inference_mode():
        wanted = layer(x)
        assert torch.equal(kept(x), wanted) and torch.equal(kept(x.clone()), wanted)
        assert layer.asked == 2
        other = x.clone()
        other[1, 2, 7] += 1e-3
        assert torch.equal(kept(other), layer(other)) and not torch.equal(kept(other), wanted)
        assert torch.equal(kept(x[:1]), layer(x[:1]))
        assert kept(x.double().float()) is kept(x)


def test_only_so_many_are_kept() -> None:
    layer = Counting(8, 4)
    kept = Remembered(layer)
    xs = [torch.randn(1, 8) for _ in range(KEPT + 1)]
    with torch.inference_mode():
        for x in (*xs, *xs[1:]):
            kept(x)
        assert layer.asked == KEPT + 1
        kept(xs[0])
    assert layer.asked == KEPT + 2


def test_nothing_is_kept_while_training() -> None:
    kept, x = Remembered(nn.Linear(8, 4)), torch.randn(2, 8)
    kept(x).sum().backward()
    kept(x).sum().backward()
    assert kept.weight.grad is not None


def test_the_network_it_is_made_of_stays_as_it_is() -> None:
    net = nn.ModuleDict({"attn2": nn.ModuleDict({"to_k": nn.Linear(8, 4), "to_q": nn.Linear(8, 4)})})
    made = remembering(net)
    assert isinstance(made.get_submodule("attn2.to_k"), Remembered)
    assert type(net.get_submodule("attn2.to_k")) is nn.Linear
    assert made.get_submodule("attn2.to_q").weight is net.get_submodule("attn2.to_q").weight


def test_threads_get_their_own_answers() -> None:
    layer = nn.Linear(64, 64)
    kept, wrong = Remembered(layer), list[int]()

    def work(seed: int) -> None:
        x = torch.randn(4, 64, generator=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            wanted = layer(x)
            wrong.extend(seed for _ in range(300) if not torch.equal(kept(x), wanted))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_layer_that_learns_is_asked_again() -> None:
    layer, x = Counting(8, 4).requires_grad_(True), torch.randn(2, 8)
    kept = Remembered(layer)
    with torch.no_grad():
        first = kept(x)
        layer.weight.add_(1)
        assert not torch.equal(kept(x), first)


def test_what_came_before_is_recognised_by_its_contents() -> None:
    seen, x = Recognised(), torch.randn(2, 3)
    with torch.inference_mode():
        assert seen(x) is x and seen(x.clone()) is x
        other = x.clone()
        other[1, 2] += 1e-3
        assert seen(other) is other and seen(x.clone()) is x and seen(other.clone()) is other
        assert seen(x.double()).dtype == torch.float64
        others = [torch.randn(2, 3) for _ in range(KEPT)]
        assert all(seen(one) is one for one in others) and seen(x.clone()) is not x
    y = others[-1].clone()
    assert seen(y) is y
