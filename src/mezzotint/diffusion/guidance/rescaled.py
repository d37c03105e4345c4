"""Guidance rescale: the guided answer with the contrast of the conditional one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.guidance.pair import Rule, Scale, linear
from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.parametrisation import X0, Parametrisation


@dataclass(frozen=True)
class Rescaled:
    r"""A rule that brings the guided answer g back to the standard deviation of the conditional one, c.

    .. math:: g' = \varphi\, g\, \frac{\mathrm{std}(c)}{\mathrm{std}(g)} + (1-\varphi)\, g

    The standard deviation is over each row.  phi: 0 is off, 1 the full correction; the paper uses 0.7.
    rule: how g is made.   space: in which prediction the formula is read; X0 here (the same for every model), while
    the paper and other tools read it in what their network predicts: pass the model's parametrisation (V, EPS) to
    reproduce them.
    Lin et al., 2024, Common Diffusion Noise Schedules and Sample Steps are Flawed, eq. 14-16.
    """

    phi: float = 0.7
    rule: Rule = linear
    space: Parametrisation = X0

    def __call__(self, strong: Posterior, weak: Posterior, scale: Scale, x: Tensor, level: Level) -> Posterior:
        merged = self.rule(strong, weak, scale, x, level)
        c = self.space(level.to(x))
        skip = expand(c.skip, x) * x
        out = expand(torch.where(c.out == 0, 1.0, c.out), x)
        g = (merged.mean - skip) / out
        wanted, found = _std((strong.mean - skip) / out), _std(g)
        ratio = torch.where(found > 0, wanted / torch.where(found > 0, found, 1.0), 1.0)
        gain = self.phi * ratio + (1 - self.phi)
        return replace(merged, mean=(skip + out * expand(gain, x) * g).to(x.dtype))


def _std(x: Tensor) -> Tensor:
    """Standard deviation of each row: (B, *) -> (B,)."""
    return x.flatten(1).std(1, correction=0)
