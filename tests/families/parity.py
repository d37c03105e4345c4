"""Equality with diffusers' pipelines, measured the same way everywhere, and the table of it that the tests print."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

LATENTS, LEVELS, SHARE = 1e-4, 1, 0.05
"""Largest gap of final latents, of their largest value where that is above 1; of pixels in levels of 255; and how many
pixels may differ at all: two pictures within 1e-4 round apart in about 255 * 2e-4 of them."""


@dataclass(frozen=True)
class Gap:
    """latents: see LATENTS.   pixels: share of the values that differ, 0 where none were compared."""

    what: str
    scheduler: str
    latents: float
    pixels: float


FOUND: list[Gap] = []


def agree(
    what: str,
    scheduler: str | None,
    mine: torch.Tensor,
    latents: torch.Tensor,
    made: np.ndarray | None = None,
    pixels: np.ndarray | None = None,
) -> bool:
    """Whether a run gave the pipeline's latents and pixels ((H, W, 3), 0 … 255); noted for the table where it did."""
    gap = float((mine - latents).abs().max()) / max(1.0, float(latents.abs().max()))
    apart = np.zeros(1) if made is None or pixels is None else np.abs(made.astype(int) - pixels.astype(int))
    share = float((apart > 0).mean())
    ok = gap < LATENTS and int(apart.max()) <= LEVELS and share <= SHARE
    if ok:
        FOUND.append(Gap(what, scheduler or "its own", gap, share))
    return ok


def table() -> list[str]:
    """One line a family or way: with how many schedulers it was compared, and the worst gaps."""
    lines = [f"{'compared with the pipeline':44} {'schedulers':>10} {'latents':>9} {'pixels that differ':>19}"]
    for what in dict.fromkeys(g.what for g in FOUND):
        gaps = [g for g in FOUND if g.what == what]
        schedulers = len({g.scheduler.partition(":")[0] for g in gaps})
        worst, pixels = max(g.latents for g in gaps), max(g.pixels for g in gaps)
        lines.append(f"{what:44} {schedulers:10} {worst:9.1e} {pixels:18.2%}")
    return lines
