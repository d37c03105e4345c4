"""Tiles: they cover, they blend, and an oracle that looks at each cell alone answers as without them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.guidance import CFGPlusPlus, Guided, Tiled
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.sample import sample, start
from mezzotint.diffusion.solver.dpm import DPMpp2M
from mezzotint.diffusion.tiles import Tiles, blended, ramp, starts
from mezzotint.errors import UsageError


@pytest.mark.parametrize(("length", "tile", "overlap"), [*itertools.product((5, 16, 17, 40, 101), (8, 16), (0, 3, 7))])
def test_tiles_cover_and_overlap_enough(length: int, tile: int, overlap: int) -> None:
    found = starts(length, tile, overlap)
    assert found[0] == 0 and max(found) + min(tile, length) == length
    assert all(b - a <= tile - overlap and b > a for a, b in itertools.pairwise(found))
    fewer = len(found) - 1
    assert fewer == 0 or fewer * (tile - overlap) + overlap < length, "no tile too many"


def test_ramps_are_high_within_and_never_zero() -> None:
    assert ramp(8, 3).tolist() == [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]
    assert ramp(3, 9).min() > 0 and ramp(5, 0).tolist() == [1.0] * 5


@pytest.mark.parametrize("scale", [1, 2])
def test_what_is_cut_and_blended_is_whole_again(scale: int) -> None:
    x = torch.randn(2, 3, 19, 33, generator=torch.Generator().manual_seed(0))
    tiles = Tiles((8, 12), 3)
    found = blended(
        tiles, (19, 33), lambda s: x[..., s[0], s[1]].repeat_interleave(scale, 2).repeat_interleave(scale, 3), scale
    )
    torch.testing.assert_close(found, x.repeat_interleave(scale, 2).repeat_interleave(scale, 3), rtol=0, atol=1e-6)


def test_an_oracle_of_single_cells_answers_as_without_tiles() -> None:
    """Closed form: cells are independent, so that whole trajectories agree, through a multistep solver."""
    mean = torch.tensor([0.3, -0.2])[:, None, None]
    oracle = GaussianOracle(mean, torch.tensor([0.5, 2.0])[:, None, None])
    levels, noise = karras(8, 0.02, 40.0), Noise((3, 4))
    x = start(noise, (2, 21, 37), levels)
    whole = sample(oracle, x, levels, DPMpp2M(), noise, {})
    tiled = sample(Tiled(oracle, Tiles((8, 16), 5)), x, levels, DPMpp2M(), noise, {})
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5)


def told(x: Tensor, level: Level, cond: Cond) -> Posterior:
    """What is beside the state, plus a number that all cells share."""
    assert cond["lowres"].shape[-2:] == x.shape[-2:]
    return Posterior(cond["lowres"] + cond["text"][:, :, None, None])


def test_what_lies_beside_the_state_is_cut_with_it() -> None:
    x, lowres = torch.zeros(2, 1, 20, 20), torch.arange(800.0).view(2, 1, 20, 20)
    cond = {"lowres": lowres, "text": torch.tensor([[1.0], [2.0]])}
    level = Level(torch.tensor(1.0), torch.tensor(1.0))
    found = Tiled(told, Tiles((8, 8), 2))(x, level, cond).mean
    torch.testing.assert_close(found, lowres + cond["text"][:, :, None, None], rtol=1e-6, atol=1e-3)


def test_a_network_never_sees_more_than_a_tile_and_seams_are_smooth() -> None:
    seen: list[tuple[int, ...]] = []

    def by_its_own_mean(x: Tensor, level: Level, cond: Cond) -> Posterior:
        seen.append(tuple(x.shape[-2:]))
        return Posterior(x.mean((-2, -1), keepdim=True).expand(x.shape))

    x = torch.linspace(0, 1, 64).expand(1, 1, 16, 64)
    found = Tiled(by_its_own_mean, Tiles((16, 16), 8))(x, Level(torch.tensor(1.0), torch.tensor(1.0)), {}).mean
    assert set(seen) == {(16, 16)}
    step = found[0, 0, 0].diff().abs().max()
    assert step < 0.05, "tiles differ by 0.13 each; a ramp of 8 cells hides that"


NORMAL = GaussianOracle(torch.tensor(0.0), torch.tensor(1.0))


def spread(x: Tensor, level: Level, cond: Cond) -> Posterior:
    """With a learned variance."""
    return Posterior(x, torch.zeros_like(x))


@pytest.mark.parametrize(
    ("denoiser", "what"),
    [
        (spread, "a learned variance"),
        (CFGPlusPlus(Guided(GaussianOracle(torch.tensor(0.0), torch.tensor(1.0)), 0.5, {})), r"CFG\+\+"),
    ],
    ids=["variance", "CFG++"],
)
def test_more_than_a_mean_is_refused_in_tiles_and_kept_in_one(denoiser: Denoiser, what: str) -> None:
    level, tiled = Level(torch.tensor(1.0), torch.tensor(1.0)), Tiled(denoiser, Tiles((8, 8), 2))
    found = tiled(torch.zeros(1, 1, 8, 8), level, {})
    assert found.logvar is not None or found.eps is not None
    with pytest.raises(UsageError, match=f"^{what} does not work in tiles; .*$"):
        tiled(torch.zeros(1, 1, 8, 20), level, {})


@pytest.mark.parametrize(("size", "overlap"), [((8, 8), 8), ((8, 4), 5), ((8, 8), -1), ((0, 8), 0)])
def test_faults(size: tuple[int, int], overlap: int) -> None:
    with pytest.raises(UsageError, match="expected less overlap than tile"):
        Tiles(size, overlap)
