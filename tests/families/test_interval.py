"""Guidance in an interval of noise, of checkpoints: flows, cascades, a base and its refiner; FLUX refuses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cascades import kandinsky_decoder, kandinsky_prior, karlo
from checkpoints import stable_diffusion_xl, stable_diffusion_xl_refiner

import mezzotint as mz
from mezzotint.errors import UsageError

EMPTY, WHOLE = "1e-31,1e-30", "1e-30,inf"
MADE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "kandinsky": lambda f: {"model": kandinsky_decoder(f), "prior": kandinsky_prior(f)},
    "karlo": lambda f: {"model": karlo(f)},
    "refined": lambda f: {
        "model": stable_diffusion_xl(f / "base"),
        "refiner": stable_diffusion_xl_refiner(f / "refiner"),
    },
}


def made(interval: str | None, **words: Any) -> mz.Image:
    said = {"steps": 5, "scale": 4.0, "seed": 2, **words}
    return mz.generate("a red chair", **said, guidance_interval=interval).images[0]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", *MADE])
def test_its_ends(family: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    words = MADE[family](tmp_path) if family in MADE else {"model": request.getfixturevalue(family)}
    guided, bare = made(None, **words), made(None, **words, scale=1.0)
    assert np.array_equal(made(WHOLE, **words).pixels, guided.pixels)
    assert np.array_equal(made(EMPTY, **words).pixels, bare.pixels)
    part = made("1,inf", **words)
    assert (part.pixels != guided.pixels).any() and (part.pixels != bare.pixels).any()
    main = part.receipt.made.main
    said = [stage.guidance_interval for stage in part.receipt.made.stages]
    assert said == [(1.0, None) if k == main or family == "refined" else None for k in range(len(said))]


def test_what_a_prior_makes_to_steer_away_from_is_told_inside_alone(tmp_path: Path) -> None:
    words = {**MADE["kandinsky"](tmp_path), "negative_prompt": "blue"}
    guided = made(None, **words).pixels
    assert np.array_equal(made(WHOLE, **words).pixels, guided) and (made(EMPTY, **words).pixels != guided).any()


def test_distilled_guidance_is_always_on(flux_dev: Path) -> None:
    with pytest.raises(UsageError, match="no effect on model, whose guidance is in its weights; leave it out"):
        made("0.28,2.9", model=flux_dev, size="32x32")
