"""Classifier-free guidance: away from the unconditional answer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.pair import Ask, Rule, Scale, apart, linear, without
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class Guided:
    r"""Classifier-free guidance, :math:`\hat x_0 = u + s\,(c - u)` with c = D(x, cond), u = D(x, null).

    scale: s, a float or (B,).  1 is exactly the conditional answer and 0 exactly the null's, each with one call.
    null: the names to replace and their unconditional values, (1, *) or (B, *); a negative prompt is a null.
    rule: how the two are merged: ``linear``, or a ``Rescaled`` or ``APG`` value.
    ask: ``apart`` (two calls), ``together`` (one call of twice the batch), or ``sharing`` (one call of the batch with
    twice the conditions, for networks that take that).
    Ho & Salimans, 2022, Classifier-Free Diffusion Guidance, eq. 6, with s = 1 + w.
    """

    denoiser: Denoiser
    scale: Scale
    null: Cond
    rule: Rule = linear
    ask: Ask = apart

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        if not isinstance(self.scale, Tensor):
            if self.scale == 1:
                return self.denoiser(x, level, cond)
            if self.scale == 0:
                return self.denoiser(x, level, without(cond, self.null, len(x)))
        return self.merge(*self.pair(x, level, cond), x, level)

    def pair(self, x: Tensor, level: Level, cond: Cond) -> tuple[Posterior, Posterior]:
        """(conditional, unconditional)."""
        return self.ask(self.denoiser, x, level, cond, without(cond, self.null, len(x)))

    def merge(self, strong: Posterior, weak: Posterior, x: Tensor, level: Level) -> Posterior:
        """The rule at this scale."""
        return self.rule(strong, weak, self.scale, x, level)
