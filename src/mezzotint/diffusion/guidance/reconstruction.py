"""Reconstruction guidance: towards agreement with what has been observed, through the denoiser's own gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.gradient import recordable, value_and_gradient
from mezzotint.diffusion.level import Level, expand


@dataclass(frozen=True)
class Reconstruction:
    r"""Pulls the estimate towards :math:`A \hat x_0 = y`: a known part, a blur, a low resolution, any differentiable A.

    .. math:: \hat x_0 \leftarrow \hat x_0 - \frac{w\,\alpha}{2}\, \nabla_x \lVert y - A(\hat x_0(x)) \rVert^2

    measure: A, (B, *) -> (B, …), each row by itself.   observed: y, broadcasts against A's result.   weight: w; 1 is
    the Gaussian approximation's own.  One call and one backward pass through the denoiser; with ``Inpainted``
    outside, the known part is also exact.  Nothing is added at alpha = 0.
    Ho et al., 2022, Video Diffusion Models, eq. 7; Chung et al., 2023, Diffusion Posterior Sampling, algorithm 1.
    """

    denoiser: Denoiser
    measure: Callable[[Tensor], Tensor]
    observed: Tensor
    weight: float = 1.0

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        given = recordable(level, cond)

        def misfit(y: Tensor) -> tuple[Posterior, Tensor]:
            posterior = self.denoiser(y, *given)
            error = self.observed.to(y) - self.measure(posterior.mean)
            return posterior, error.square().flatten(1).sum(1)

        p, gradient = value_and_gradient(misfit, x)
        p = p if x.requires_grad else _detached(p)
        pull = (0.5 * self.weight) * expand(level.to(x).alpha, x) * gradient
        return replace(p, mean=(p.mean - pull).to(x.dtype))


def _detached(p: Posterior) -> Posterior:
    logvar, eps = (None if t is None else t.detach() for t in (p.logvar, p.eps))
    return Posterior(p.mean.detach(), logvar, eps)
