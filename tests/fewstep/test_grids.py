"""Optimised grids: the bound is read off the solver, the path is the shortest."""

from __future__ import annotations

import itertools

import pytest
import torch
from fit_case import F64, MIX, TEACHER, problem

from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import sample
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.ddpm import DDPM
from mezzotint.diffusion.solver.dpm import DPMpp2M
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.diffusion.spread import ending_in_data, rectified
from mezzotint.errors import UsageError
from mezzotint.fewstep.dmn import bound, dmn, suited, weights
from mezzotint.fewstep.gits import costs, path

U = rectified(karras(7, 0.01, 80.0)[:-1])
SOLVERS = {"ddim": DDIM(), "2m": DPMpp2M(), "unipc": UniPC(3), "ipndm": IPNDM(), "heun": Heun()}


@pytest.mark.parametrize("name", SOLVERS)
def test_weights_are_those_of_the_solver(name):
    """Its end is the weighted sum of the answers it is given, beside a share of its start."""
    solver, levels, given = SOLVERS[name], ending_in_data(U), []

    def denoise(x, level, cond):
        found = MIX(x, level, cond)
        given.append(found.mean)
        return found

    x = torch.randn(2, 3, dtype=F64, generator=torch.Generator().manual_seed(0)) * levels[0].scale.item()
    end = sample(denoise, x, levels, solver, Noise((0, 1)), {})
    w, r = weights(solver, levels)
    rest = end - sum(k * answer for k, answer in zip(w.tolist(), given, strict=True))
    share = rest / x
    torch.testing.assert_close(share, share[0, 0].expand(2, 3), rtol=1e-6, atol=1e-9)
    assert len(w) == len(r) == len(given) and r[0].item() == pytest.approx(80)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_dmn_grid_is_not_worse_by_the_bound_and_falls(name):
    u = dmn(SOLVERS[name], U)
    assert u[0] == U[0] and u[-1] == U[-1] and bool((u[1:] < u[:-1]).all())
    assert bound(SOLVERS[name], ending_in_data(u)) <= bound(SOLVERS[name], ending_in_data(U))


def test_solvers_of_eps_take_another_ones_grid():
    assert suited(IPNDM(), U) == UniPC() and suited(DPMpp2M(), U) == DPMpp2M()
    with pytest.raises(UsageError, match="draws noise"):
        suited(DDPM(), U)


def test_a_solver_that_draws_noise_is_refused():
    with pytest.raises(UsageError, match="draws noise"):
        dmn(DDPM(), U)


def test_the_path_is_the_cheapest_of_all():
    c = torch.rand(8, 8, dtype=F64, generator=torch.Generator().manual_seed(5))
    for n in (1, 2, 4, 7):
        ways = ([0, *inner, 7] for inner in itertools.combinations(range(1, 7), n - 1))

        def total(way):
            return sum(1.15**k * c[i, j].item() for k, (i, j) in enumerate(itertools.pairwise(way)))

        assert path(c, n) == min(ways, key=total)


def test_costs_vanish_where_trajectories_are_straight():
    """With the answer known, Euler's step is exact, however long."""
    from mezzotint.diffusion.denoiser import Posterior

    def known(x, level, cond):
        return Posterior(torch.full_like(x, 0.3))

    straight = costs(problem(known), TEACHER, range(8))
    bent = costs(problem(), TEACHER, range(8))
    above = torch.ones_like(bent, dtype=torch.bool).triu(1)
    above[-1] = False
    assert straight[above].max() < 1e-5 < bent[above].max() < 10
