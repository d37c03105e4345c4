"""Laws of first-block caching: threshold 0 is the network itself; no trajectory reaches another's memory, no row
another row's."""

from __future__ import annotations

import pytest
import small_nets
import torch
from torch import Tensor, nn

from mezzotint.diffusion.begun import Remembering, begun
from mezzotint.diffusion.denoiser import Denoiser, Preconditioned
from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.guidance import Guided, Interval, Thresholded, apart, together
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.diffusion.sample import sample, start, trajectory
from mezzotint.diffusion.solver.dpm import DPMpp2M
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.nets.recalled import Recalled
from mezzotint.pretrained.recalling import recalling

EDM5 = EDM(0.5)
LEVELS = karras(24, 0.02, 20.0)
"""Networks with random weights change much from step to step; thresholds here are large accordingly."""
OFTEN = 0.8
PLAIN = DPMpp2M()


def cond(net: nn.Module, rows: int, shift: int = 0) -> dict[str, Tensor]:
    return {"label": (torch.arange(rows) + shift) % 3} if "label" in net.cond_names else {}  # type: ignore[operator]


def shape(net: nn.Module) -> tuple[int, ...]:
    return (net.config.in_channels, *net.config.size)  # type: ignore[union-attr, misc]


def ends(denoiser: Denoiser, net: nn.Module, seeds: tuple[int, ...], solver=PLAIN) -> Tensor:
    noise = Noise(seeds)
    with torch.no_grad():
        told = cond(net, len(seeds), seeds[0])
        return sample(denoiser, start(noise, shape(net), LEVELS), LEVELS, solver, noise, told)


@pytest.fixture(params=small_nets.NETS)
def net(request) -> nn.Module:
    return small_nets.network(request.param)


@pytest.fixture
def counted(monkeypatch) -> list[tuple[int, int]]:
    """(rows asked for, rows whose middle was run) after every call of every memory."""
    seen: list[tuple[int, int]] = []
    call = Recalled.__call__

    def told(self, x, c_noise, cond):
        answer = call(self, x, c_noise, cond)
        seen.append((self.rows, self.ran))
        return answer

    monkeypatch.setattr(Recalled, "__call__", told)
    return seen


@pytest.mark.parametrize("solver", [PLAIN, Heun()])
def test_threshold_0_is_exactly_the_network(net, solver) -> None:
    plain = Preconditioned(net, EDM5)
    assert torch.equal(ends(recalling(plain, 0.0), net, (3, 4), solver), ends(plain, net, (3, 4), solver))
    assert recalling(plain, None) is plain


def test_a_middle_is_left_out_and_the_answer_stays_near(net, counted) -> None:
    plain = Preconditioned(net, EDM5)
    exact, near = ends(plain, net, (3,)), ends(recalling(plain, OFTEN), net, (3,))
    rows, ran = counted[-1]
    assert rows == len(LEVELS) - 1 and 0 < ran < rows
    assert not torch.equal(near, exact)
    assert (near - exact).square().mean() < 0.5 * exact.square().mean()


def test_a_larger_threshold_runs_fewer(net, counted) -> None:
    ran = []
    for threshold in (0.0, 0.1, OFTEN, float("inf")):
        ends(recalling(Preconditioned(net, EDM5), threshold), net, (3,))
        ran.append(counted[-1][1])
    assert ran == sorted(ran, reverse=True) and ran[0] == len(LEVELS) - 1 and ran[-1] == 1


def test_two_interleaved_trajectories_are_each_alone(net) -> None:
    denoiser = recalling(Preconditioned(net, EDM5), OFTEN)
    alone = [ends(denoiser, net, seeds) for seeds in ((3,), (5,))]
    walks = []
    for seeds in ((3,), (5,)):
        noise = Noise(seeds)
        x = start(noise, shape(net), LEVELS)
        walks.append(trajectory(denoiser, x, LEVELS, PLAIN, noise, cond(net, 1, seeds[0])))
    with torch.no_grad():
        for states in zip(*walks, strict=True):
            last = states
    assert all(torch.equal(state.x, end) for state, end in zip(last, alone, strict=True))


def test_the_contents_of_batch_mates_do_not_change_a_row(net) -> None:
    denoiser = recalling(Preconditioned(net, EDM5), OFTEN)
    one = ends(denoiser, net, (3, 7, 11))
    for others in ((3, 100, 101), (3, 3, 3)):
        assert torch.equal(ends(denoiser, net, others)[0], one[0])


def test_prompt_and_null_in_turn_do_not_mix(counted) -> None:
    """Asked apart, each has its own memory: as asked together, but for the batch's rounding."""
    net = small_nets.network("dit")
    null = {"label": torch.tensor([3])}
    base = recalling(Preconditioned(net, EDM5), OFTEN)
    found = [ends(Guided(base, 2.0, null, ask=ask), net, (3,)) for ask in (apart, together)]
    assert counted[-1][1] < counted[-1][0]
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-3)


def test_a_trajectory_begins_every_memory_within_guidance() -> None:
    net = small_nets.network("dit")
    base = recalling(Preconditioned(net, EDM5), OFTEN)
    assert isinstance(base, Remembering)
    whole = Thresholded(Interval(Guided(base, 2.0, {"label": torch.tensor([3])}), base, 0.3, 5.0), 0.995)
    one, two = begun(whole), begun(whole)
    assert isinstance(one, Thresholded) and isinstance(two, Thresholded)
    inner = [d.denoiser for d in (one, two)]
    assert all(isinstance(d, Interval) for d in inner)
    memories = {id(part.network) for d in inner for part in (d.inside.denoiser, d.outside)}  # type: ignore[attr-defined]
    assert len(memories) == 4
    plain = Guided(Preconditioned(net, EDM5), 2.0, {})
    assert begun(plain) is plain


def test_outside_of_a_trajectory_nothing_is_remembered(counted) -> None:
    net = small_nets.network("dit")
    base, level = recalling(Preconditioned(net, EDM5), float("inf")), LEVELS[3]
    x = torch.randn(1, *shape(net), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for k in range(2):
            told = cond(net, 1)
            assert torch.equal(base(x + k, level, told).mean, Preconditioned(net, EDM5)(x + k, level, told).mean)
    assert counted == [(1, 1), (1, 1)]
