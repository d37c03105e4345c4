"""Classifier guidance: up the gradient of any log-probability of the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.gradient import recordable, value_and_gradient
from mezzotint.diffusion.level import Level, expand

LogProb = Callable[[Tensor, Level, Cond], Tensor]
"""(x (B, *), level, cond) -> log p(y | x) (B,), differentiable in x."""


@dataclass(frozen=True)
class ClassifierGuided:
    r"""Bayes' rule on the score.

    .. math:: \hat x_0 \leftarrow \hat x_0 + s\,\frac{\sigma^2}{\alpha}\,\nabla_x \log p(y \mid x)

    With the exact classifier and s = 1 it is the conditional denoiser.  Nothing is added at alpha = 0, where x says
    nothing of y.
    log_prob: of the *noisy* state; it gets the level.   scale: s, a float or (B,).
    Dhariwal & Nichol, 2021, Diffusion Models Beat GANs on Image Synthesis, algorithm 2, in terms of x0.
    """

    denoiser: Denoiser
    log_prob: LogProb
    scale: float | Tensor = 1.0

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        posterior = self.denoiser(x, level, cond)
        given = recordable(level, cond)
        _, gradient = value_and_gradient(lambda y: (None, self.log_prob(y, *given)), x)
        own = level.to(x)
        a, s = expand(own.alpha, x), expand(own.sigma, x)
        reach = torch.where(a > 0, s.square() / torch.where(a > 0, a, 1.0), 0.0)
        scale = expand(self.scale.to(own.alpha.dtype), x) if isinstance(self.scale, Tensor) else self.scale
        return replace(posterior, mean=(posterior.mean + scale * reach * gradient).to(x.dtype))
