"""The noise that a posterior says is in x."""

from __future__ import annotations

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.level import Level, expand


def noise_of(posterior: Posterior, x: Tensor, level: Level) -> Tensor:
    r"""The posterior's own eps where it prescribes one, else :math:`(x - \alpha \hat x_0)/\sigma`; 0 where sigma = 0.

    Args: x: (B, *).   Returns: (B, *), dtype of x; computed in float32 at least.
    """
    if posterior.eps is not None:
        return posterior.eps
    own = level.to(x)
    a, s = expand(own.alpha, x), expand(own.sigma, x)
    return torch.where(s > 0, (x - a * posterior.mean) / torch.where(s > 0, s, 1.0), 0.0).to(x.dtype)
