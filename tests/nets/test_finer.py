"""A transformer made finer: tokens read and say what they did, on four grids at once."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from mezzotint.errors import ModelError
from mezzotint.nets import DiTConfig, build
from mezzotint.nets.build import parameter_count
from mezzotint.nets.finer import finer, finer_weights

COARSE = DiTConfig(in_channels=3, out_channels=3, size=(8, 12), patch=4, width=32, depth=2, heads=2, position="rope")


def made(config: DiTConfig, seed: int = 0) -> torch.nn.Module:
    """A network that says something, whose blocks are still closed."""
    torch.manual_seed(seed)
    net = build(config)
    torch.nn.init.normal_(net.get_submodule("out").weight)
    torch.nn.init.normal_(net.get_submodule("out").bias)
    return net.eval()


@torch.no_grad()
def test_each_pixel_is_the_mean_of_four_grids() -> None:
    coarse, x, level = made(COARSE), torch.randn(2, 3, 8, 12), torch.zeros(2)
    fine = build(finer(COARSE)).eval()
    fine.load_state_dict(finer_weights(coarse.state_dict(), COARSE))
    moved = [
        coarse(F.pad(x, (across, across, down, down)), level, {})[:, :, down : down + 8, across : across + 12]
        for down, across in product((0, 2), repeat=2)
    ]
    inner = (slice(None), slice(None), slice(0, 6), slice(0, 10))  # the last half patch has fewer tokens
    torch.testing.assert_close(fine(x, level, {})[inner], torch.stack(moved).mean(0)[inner])


def test_positions_of_the_picture_stay_where_they_are() -> None:
    assert (finer(COARSE).tokens, finer(COARSE).rope_step) == (4 * COARSE.tokens, 0.5)
    assert finer(COARSE).windows == (6, 6)
    more = parameter_count(build(finer(COARSE))) - parameter_count(build(COARSE))
    assert more == 2 * 3 * (36 - 16) * 32 + 3 * (36 - 16)


@pytest.mark.parametrize("wrong", [{"patch": 1}, {"patch": (2, 4)}, {"overlap": 1}, {"dims": 1, "size": (8,)}], ids=str)
def test_what_cannot_be_made_finer_is_refused(wrong: dict[str, object]) -> None:
    config = DiTConfig(**{"patch": 4, "size": (8, 12), **wrong})  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="expected 2 axes, one even number, and no overlap"):
        finer(config)
