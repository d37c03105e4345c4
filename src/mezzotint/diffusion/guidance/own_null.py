"""Guidance away from what each row brings itself."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.guided import Guided
from mezzotint.diffusion.guidance.pair import Ask, Rule, Scale, apart, linear
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class OwnNull:
    """``Guided`` whose null is known only with the row: cond's ``away`` (B, *) stands in the place of ``name``.

    So a prior makes two embeddings, of what is meant and of what to steer away from: Ramesh et al., 2022, Hierarchical
    Text-Conditional Image Generation with CLIP Latents, sec. 2.1.
    """

    denoiser: Denoiser
    scale: Scale
    name: str
    away: str
    ask: Ask = apart
    rule: Rule = linear

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        told = {name: value for name, value in cond.items() if name != self.away}
        return Guided(self.denoiser, self.scale, {self.name: cond[self.away]}, self.rule, self.ask)(x, level, told)
