"""Classifier guidance by a classifier of clean data: it reads estimates of x0 in place of noisy states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.gradient import recordable, value_and_gradient
from mezzotint.diffusion.level import Level, expand

LogProb = Callable[[Tensor, Cond], Tensor]
"""(x0 (B, *), what is asked of each row) -> log p(y | x0) (B,), differentiable in x0, each row by itself."""


@dataclass(frozen=True)
class EstimateGuided:
    r"""Bayes' rule on the score, with log p(y | x) taken as that of the estimate.

    .. math:: \hat x_0 \leftarrow \hat x_0
        + s\,\frac{\sigma^2}{\alpha^2+\sigma^2}\,\nabla_{\hat x_0} \log p(y \mid \hat x_0)

    The factor is Var[x0 | x] of data of unit variance, which stands for the denoiser's own Jacobian, so that nothing
    goes back through the denoiser: one call of it.  Exact for normal data of unit variance and a log-likelihood that is
    linear in x0, with s = 1.  At high levels estimates move most, at the end hardly.
    log_prob: of clean data.   names: what of cond is the classifier's; the denoiser is told the rest.   scale: s.
    Bansal et al., 2023, Universal Guidance for Diffusion Models, section 3.1 (forward guidance), with the variance of
    Song et al., 2023, Pseudoinverse-Guided Diffusion Models, in place of the gradient through the denoiser.
    """

    denoiser: Denoiser
    log_prob: LogProb
    names: tuple[str, ...]
    scale: float = 1.0

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        own = {name: cond[name] for name in self.names}
        posterior = self.denoiser(x, level, {name: value for name, value in cond.items() if name not in own})
        asked = recordable(level, own)[1]
        _, gradient = value_and_gradient(lambda mean: (None, self.log_prob(mean, asked)), posterior.mean)
        at = level.to(x)
        variance = expand(at.sigma.square() / (at.alpha.square() + at.sigma.square()), x)
        return replace(posterior, mean=(posterior.mean + self.scale * variance * gradient).to(x.dtype))
