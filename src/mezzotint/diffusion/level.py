"""How noisy a state is: ``x = alpha x0 + sigma eps``.  No time, no schedule, no network is needed to say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.diffusion.scalar import Scalar


def expand(a: Tensor, x: Tensor) -> Tensor:
    """Right-pads ``a`` with singleton axes until it broadcasts against ``x`` from the left; moves it to x's device.

    Args: a: () or (B,) or (B, F) …  x: (B, *).   Returns: a, shape (…, 1, 1), on the device of x.
    """
    return a.to(x.device).reshape(*a.shape, *(1,) * (x.ndim - a.ndim))


@dataclass(frozen=True)
class Level:
    r"""A noise level, or a grid of them: :math:`x = \alpha x_0 + \sigma \varepsilon`.

    alpha, sigma: () | (B,) | (B, F) …, broadcast against x from the LEFT.  Grids are (N+1,), on the CPU in float64.
    index: the network's own (possibly rounded) time index where a grid must reproduce another tool's pictures, else
    None.
    """

    alpha: Tensor
    sigma: Tensor
    index: Tensor | None = None

    @property
    def logsnr(self) -> Tensor:
        r""":math:`2 \ln(\alpha/\sigma)`; +inf at sigma = 0, -inf at alpha = 0.  (Kingma et al., 2021, Variational
        Diffusion Models, eq. 3)
        """
        return 2 * (self.alpha.log() - self.sigma.log())

    @property
    def scale(self) -> Tensor:
        r""":math:`\sqrt{\alpha^2 + \sigma^2}`: the standard deviation of x where data has unit variance."""
        return (self.alpha.square() + self.sigma.square()).sqrt()

    def __getitem__(self, i: int | slice | Tensor) -> Level:
        return Level(self.alpha[i], self.sigma[i], None if self.index is None else self.index[i])

    def __len__(self) -> int:
        return len(self.alpha)

    def __iter__(self) -> Iterator[Level]:
        """The levels of a grid, one by one (faster than indexing)."""
        index = [None] * len(self) if self.index is None else self.index.unbind()
        for a, s, i in zip(self.alpha.unbind(), self.sigma.unbind(), index, strict=True):
            yield Level(a, s, i)

    def to(self, like: Tensor) -> Level:
        """The same level in the dtype (float32 at least) and on the device of a state, for use in a network's
        arithmetic.
        """
        dtype = torch.promote_types(like.dtype, torch.float32)
        index = None if self.index is None else self.index.to(like.device, dtype)
        return Level(self.alpha.to(like.device, dtype), self.sigma.to(like.device, dtype), index)

    def coefficients(self, x: Tensor) -> tuple[Scalar, Scalar]:
        """(alpha, sigma) as Python floats where one level serves the batch, else as tensors that broadcast against x
        (B, *), float32 at least: differences of them would not survive in half precision.
        """
        if self.alpha.ndim == 0 and not (self.alpha.requires_grad or self.sigma.requires_grad):
            return self.alpha.item(), self.sigma.item()
        dtype = torch.promote_types(x.dtype, torch.float32)
        return expand(self.alpha.to(dtype), x), expand(self.sigma.to(dtype), x)


def noised(x0: Tensor, eps: Tensor, level: Level) -> Tensor:
    r"""The forward process :math:`x = \alpha x_0 + \sigma \varepsilon` (Ho et al., 2020, DDPM, eq. 4).

    Args: x0, eps: (B, *).  level: () | (B,) | (B, F).   Returns: (B, *), dtype of x0.
    """
    a, s = level.coefficients(x0)
    return (a * x0 + s * eps).to(x0.dtype)
