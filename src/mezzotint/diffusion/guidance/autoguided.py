"""Autoguidance: away from a worse model instead of away from no condition."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.pair import Rule, Scale, linear
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class Autoguided:
    r"""Guidance by a smaller or less trained copy of the model, :math:`\hat x_0 = D_w + s\,(D - D_w)`.

    main, weak: D and D_w; both get the same cond.
    scale: s, a float or (B,); 1 is exactly ``main``, 0 exactly ``weak``, each with one call.   rule: as for ``Guided``.
    Karras et al., 2024, Guiding a Diffusion Model with a Bad Version of Itself, eq. 3.
    """

    main: Denoiser
    weak: Denoiser
    scale: Scale
    rule: Rule = linear

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        if not isinstance(self.scale, Tensor):
            if self.scale == 1:
                return self.main(x, level, cond)
            if self.scale == 0:
                return self.weak(x, level, cond)
        return self.merge(*self.pair(x, level, cond), x, level)

    def pair(self, x: Tensor, level: Level, cond: Cond) -> tuple[Posterior, Posterior]:
        """(main, weak)."""
        return self.main(x, level, cond), self.weak(x, level, cond)

    def merge(self, strong: Posterior, weak: Posterior, x: Tensor, level: Level) -> Posterior:
        """The rule at this scale."""
        return self.rule(strong, weak, self.scale, x, level)
