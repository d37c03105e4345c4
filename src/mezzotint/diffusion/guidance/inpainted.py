"""Inpainting and outpainting with any model: the known region is put into every estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.noise_of import noise_of
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class Inpainted:
    r"""Replaces the estimate where the data is known: :math:`\hat x_0 \leftarrow m\, y + (1-m)\, \hat x_0`.

    That is enough for any solver to carry :math:`x = \alpha y + \sigma\varepsilon` through the known region and end
    on y itself: the state's own noise there is (x - alpha y)/sigma, which a deterministic step keeps and a
    stochastic one refreshes.
    known: y, (B, *) or (1, *).   mask: m in [0, 1], 1 = known, broadcasts against y.
    Put it outside guidance.  What is left out: RePaint's harmonisation, which visits levels several times; it is a
    matter of the grid, not of the denoiser, and a model trained to see the mask does not need it.
    Song et al., 2021, Score-Based Generative Modeling through SDEs, app. I.2; Lugmayr et al., 2022, RePaint, eq. 8.
    """

    denoiser: Denoiser
    known: Tensor
    mask: Tensor

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        posterior = self.denoiser(x, level, cond)
        y, m = self.known.to(x), self.mask.to(x)
        mean = torch.lerp(posterior.mean, y.expand(x.shape), m.expand(x.shape))
        if posterior.eps is None:
            return replace(posterior, mean=mean)
        own = noise_of(Posterior(y), x, level)
        return replace(posterior, mean=mean, eps=torch.lerp(posterior.eps, own, m.expand(x.shape)))
