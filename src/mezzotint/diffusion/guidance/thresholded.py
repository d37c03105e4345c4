"""Dynamic thresholding: keeps the denoised picture in the range of pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level, expand
from mezzotint.errors import UsageError


@dataclass(frozen=True)
class Thresholded:
    r"""Clips each row's :math:`\hat x_0` at the p-th percentile of its absolute value, and scales it back into range.

    .. math:: \hat x_0 \leftarrow \mathrm{clip}(\hat x_0, -s, s)\cdot low / s,
        \quad s = \min(\max(Q_p(|\hat x_0|), low), high)

    percentile: p in (0, 1]; the paper uses 0.995.   low: the data's bound, 1 for pixels in [-1, 1].
    high: no s above it; high = low is static thresholding, clip(x0, -low, low).  For bounded data (pixels), not for
        latents.
    Saharia et al., 2022, Photorealistic Text-to-Image Diffusion Models (Imagen), section 2.3.   Raises UsageError on
    a bad p.
    """

    denoiser: Denoiser
    percentile: float = 0.995
    low: float = 1.0
    high: float = float("inf")

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 1:
            raise UsageError(
                f"percentile {self.percentile} is out of range; expected a fraction in (0, 1], such as 0.995"
            )
        if not 0 < self.low <= self.high:
            raise UsageError(f"thresholds low = {self.low}, high = {self.high}; expected 0 < low <= high")

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        posterior = self.denoiser(x, level, cond)
        x0 = posterior.mean
        if self.high == self.low:
            return replace(posterior, mean=x0.clamp(-self.low, self.low))
        s = expand(quantile(x0, self.percentile).clamp(self.low, self.high), x0)
        return replace(posterior, mean=(x0.clamp(-s, s) * (self.low / s)).to(x0.dtype))


def quantile(x: Tensor, p: float) -> Tensor:
    """The p-quantile of each row's absolute values, linear between ranks: (B, *) -> (B,), float32 at least.

    torch.quantile has the same definition but refuses more than 2^24 values.
    """
    ranked = x.to(torch.promote_types(x.dtype, torch.float32)).abs().flatten(1).sort(1).values
    place = p * (ranked.shape[1] - 1)
    below = int(place)
    above = min(below + 1, ranked.shape[1] - 1)
    return torch.lerp(ranked[:, below], ranked[:, above], place - below)
