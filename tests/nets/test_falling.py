"""Laws of LoRA whose rank falls with noise: all of it acts on clean pictures, the least of it on noise, each row has
its own, and a network that is asked at one level does not change what is asked at another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Denoiser
from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.schedule import Flow, Karras
from mezzotint.diffusion.solver.euler import Euler
from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.adapters.begun import LoRA, TLoRA
from mezzotint.nets.adapters.changes import Change
from mezzotint.nets.adapters.falling import ByLevel, Falling, adapted_at, at, rank_at
from mezzotint.nets.adapters.lora import LowRank, adapted, merged
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.nets.remembered import remembering

RANK, LEAST = 6, 2


class Net(nn.Module):
    """A convolution and a layer of tokens, called as networks are."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.out = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 3)

    def forward(self, x: Tensor, c_noise: Tensor, cond: object) -> Tensor:
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        y: Tensor = self.out(tokens.sin()).transpose(1, 2).reshape(x.shape)
        return y


def low(layer: nn.Module, rank: int, seed: int) -> LowRank:
    random = torch.Generator().manual_seed(seed)
    weight = layer.get_parameter("weight")
    down = torch.randn(rank, *weight.shape[1:], generator=random)
    up = torch.randn(len(weight), rank, *(1,) * (weight.ndim - 2), generator=random)
    return LowRank(down, up, 3.0)


NET = Net().requires_grad_(False)
LOWS = {path: low(NET.get_submodule(path), RANK, k) for k, path in enumerate(("conv", "out"))}
WORN = adapted_at(NET, {path: [(Falling(one, LEAST), 0.7)] for path, one in LOWS.items()})
X = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(9))
ROWS = torch.tensor([0.0, 0.3, 0.6, 1.0], dtype=torch.float64)


def answer(net: nn.Module, x: Tensor = X) -> Tensor:
    y: Tensor = net(x, torch.zeros(len(x)), {})
    return y


def first(k: int) -> nn.Module:
    """With the first k components alone, at every level."""
    cut = {path: LowRank(o.down[:k], o.up[:, :k], o.scale * k) for path, o in LOWS.items() if k}
    return adapted(NET, {path: [(one, 0.7)] for path, one in cut.items()})


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 64), st.data())
def test_the_rank_falls_from_all_to_the_least(t: float, later: float, rank: int, data: st.DataObject) -> None:
    least = data.draw(st.integers(0, rank))
    low_t, high_t = sorted((t, later))
    ends = rank_at(torch.tensor([0.0, low_t, high_t, 1.0], dtype=torch.float64), rank, least).tolist()
    assert ends[0] == rank and ends[-1] == least and ends == sorted(ends, reverse=True)


def test_half_way_it_is_the_paper_s() -> None:
    t = torch.tensor([0, 100, 250, 500, 999, 1000]) / 1000
    assert rank_at(t, 64, 32).tolist() == [64, 60, 56, 48, 32, 32]  # floor((64 - 32)(1000 - t) / 1000) + 32


@pytest.mark.parametrize(("t", "k"), [(0.0, 6), (0.1, 5), (0.5, 4), (0.99, 2), (1.0, 2)])
def test_the_first_components_act(t: float, k: int) -> None:
    found = answer(at(WORN, torch.tensor(t)))
    assert torch.allclose(found, answer(first(k)), atol=1e-5)
    assert not torch.allclose(found, answer(first(k - 1)), atol=1e-3)


def test_nothing_is_left_of_a_least_rank_of_nothing() -> None:
    none = adapted_at(NET, {path: [(Falling(one, 0), 1.0)] for path, one in LOWS.items()})
    assert torch.equal(answer(at(none, torch.tensor(1.0))), answer(NET))


def test_every_row_has_its_own_level() -> None:
    together = answer(at(WORN, ROWS))
    for row, t in enumerate(ROWS):
        assert torch.allclose(together[row], answer(at(WORN, t), X[row : row + 1])[0], atol=1e-5)
    other = torch.where(torch.arange(4) == 1, ROWS, 1 - ROWS)
    assert torch.equal(answer(at(WORN, other))[1], together[1])  # batch-mates' levels never reach a row


def test_beside_a_plain_one_each_does_its_own() -> None:
    plain = low(NET.out, 2, 7)
    both = adapted_at(NET, {"out": [(plain, 0.5), (Falling(LOWS["out"], LEAST), 0.7)]})
    cut = LowRank(LOWS["out"].down[:4], LOWS["out"].up[:, :4], LOWS["out"].scale * 4)
    wanted = adapted(NET, {"out": [(plain, 0.5), (cut, 0.7)]})
    assert torch.allclose(answer(at(both, torch.tensor(0.5))), answer(wanted), atol=1e-5)


def test_weights_are_shared_and_nothing_is_told_to_the_net_itself() -> None:
    told = at(WORN, torch.tensor(0.5))
    own = {t.data_ptr() for t in (*WORN.parameters(), *WORN.buffers())}
    assert {t.data_ptr() for t in (*told.parameters(), *told.buffers())} == own
    with pytest.raises(ModelError, match="not told the level of every row"):
        answer(WORN)
    with pytest.raises(ModelError, match="not told the level of every row"):
        answer(at(WORN, ROWS[:3]))
    with pytest.raises(UsageError, match="one level a picture"):
        at(WORN, ROWS[:, None])


def walk(denoiser: Denoiser, seed: int, steps: int) -> Iterator[Tensor]:
    noise, levels = Noise((seed,)), karras(steps, 0.01, 20.0, 7.0)
    for state in trajectory(denoiser, 20.0 * noise(0, (1, 3, 5, 5)).float(), levels, Euler(), noise, {}):
        yield state.x


def test_requests_at_other_levels_run_beside_each_other() -> None:
    denoiser = ByLevel(lambda: WORN, EDM(0.5), Karras(0.01, 20.0).t)
    alone = [list(walk(denoiser, seed, steps))[-1] for seed, steps in ((1, 3), (2, 5))]
    walks = [walk(denoiser, 1, 3), walk(denoiser, 2, 5)]
    last: list[Tensor | None] = [None, None]
    for k in (0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1):
        last[k] = next(walks[k], last[k])
    assert all(a is not None and torch.equal(a, b) for a, b in zip(last, alone, strict=True))
    whole = adapted_at(NET, {path: [(Falling(one, RANK), 0.7)] for path, one in LOWS.items()})
    never = ByLevel(lambda: whole, EDM(0.5), Karras(0.01, 20.0).t)
    assert not torch.equal(list(walk(never, 1, 3))[-1], alone[0])


def test_the_level_says_how_noisy_it_is() -> None:
    denoiser = ByLevel(lambda: WORN, EDM(0.5), Flow().t)
    for sigma, k in ((0.0, 6), (1.0, 4), (1e9, 2)):
        level = Level(torch.tensor(1.0, dtype=torch.float64), torch.tensor(sigma, dtype=torch.float64))
        found = denoiser(X, level, {}).mean
        wanted = ByLevel(lambda k=k: first(k), EDM(0.5), Flow().t)(X, level, {}).mean  # type: ignore[misc]
        assert torch.allclose(found, wanted, atol=1e-4)


def test_it_has_no_one_weight() -> None:
    change: Change = Falling(LOWS["out"], LEAST)
    with pytest.raises(UsageError, match="rank falls with noise has no one weight to merge into; put it on"):
        merged(NET.out.weight, [(change, 1.0)])


@pytest.mark.parametrize("least", [-1, RANK + 1])
def test_a_least_rank_is_one_of_the_ranks(least: int) -> None:
    with pytest.raises(UsageError, match=f"rank at noise is {least}; expected 0 to the rank, 6"):
        Falling(LOWS["out"], least)


def test_a_layer_that_is_remembered_is_asked_at_each_level() -> None:
    kept = remembering(WORN, ("out", "conv")).eval()
    with torch.inference_mode():
        clean, noisy, again = (answer(at(kept, torch.tensor(t))) for t in (0.0, 1.0, 0.0))
    assert not torch.equal(clean, noisy) and torch.equal(clean, again)


def test_what_is_learnt_is_what_is_worn_at_every_level() -> None:
    net = trained(NET, dict.fromkeys(LOWS, TLoRA(LoRA(3, 2.0), 1)), 0)
    assert torch.equal(answer(at(net, ROWS)), answer(NET))
    for p in net.parameters():
        if p.requires_grad:
            p.data += 0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel()))
    changes = {path: [(one.change, 1.0)] for path, one in learnt(net).items()}
    assert all(isinstance(c, Falling) and c.least == 1 for ((c, _),) in changes.values())
    assert torch.allclose(answer(at(net, ROWS)), answer(at(adapted_at(NET, changes), ROWS)), atol=1e-5)


def test_components_that_do_not_act_learn_nothing() -> None:
    net = trained(NET, dict.fromkeys(LOWS, TLoRA(LoRA(3), 1)), 0)
    for p in net.parameters():
        p.data += 0.1 * p.requires_grad
    answer(at(net, torch.ones(4))).square().sum().backward()
    grads = {name: p.grad for name, p in net.named_parameters() if p.requires_grad}
    for name, grad in grads.items():
        assert grad is not None
        acts, rests = (grad[:1], grad[1:]) if name.endswith("down") else (grad[:, :1], grad[:, 1:])
        assert bool((acts != 0).any()) and bool((rests == 0).all()), name
