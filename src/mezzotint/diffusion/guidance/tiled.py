"""States larger than a network sees at once: tiles, blended in every step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.tiles import Span, Tiles, blended
from mezzotint.errors import UsageError

PLANES = ("mask", "masked", "lowres")
"""Conditions that lie beside the state, cell by cell, and are cut with it."""


@dataclass(frozen=True)
class Tiled:
    r"""Every tile's estimate, blended: :math:`\hat x_0 = \sum_k w_k D(x|_k) / \sum_k w_k`.

    As all tiles are blended in every step, neighbours agree where they overlap and no seam is seen; a denoiser that
    looks at each cell alone gives what it gives without tiles.   State: (B, C, H, W); one level, or one a row.
    Put it outside guidance.   What is left out: what a network would say of far parts together.
    Bar-Tal et al., 2023, MultiDiffusion, eq. 5, with weights; Jiménez, 2023, Mixture of Diffusers, sec. 3.
    Raises UsageError where a tile's answer has more than a mean: the noise of CFG++, or a learned variance.
    """

    denoiser: Denoiser
    tiles: Tiles

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        plane = (x.shape[-2], x.shape[-1])
        if len(self.tiles.spans(plane)) == 1:
            return self.denoiser(x, level, cond)
        return Posterior(blended(self.tiles, plane, partial(self._of, x, level, cond)).to(x.dtype))

    def _of(self, x: Tensor, level: Level, cond: Cond, span: Span) -> Tensor:
        rows, columns = span
        cut = {name: v[..., rows, columns] if name in PLANES else v for name, v in cond.items()}
        answer = self.denoiser(x[..., rows, columns], level, cut)
        if answer.eps is not None or answer.logvar is not None:
            what = "CFG++" if answer.eps is not None else "a learned variance"
            raise UsageError(f"{what} does not work in tiles; use other guidance or another model, or one tile for all")
        return answer.mean
