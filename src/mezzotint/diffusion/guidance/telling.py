"""A condition that is the same in every call: a distilled guidance scale, say."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.pair import without
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class Telling:
    """A denoiser that is told more.  told: names and values, (1, *) or (B, *), which go before what a call says.

    Meng et al., 2023, On Distillation of Guided Diffusion Models, sec. 3.1, tell the guidance scale so.
    """

    denoiser: Denoiser
    told: Cond

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        return self.denoiser(x, level, without(cond, self.told, len(x)))
