r"""Grids whose spacing is learned, in :math:`u = \sigma/(\alpha+\sigma)`, which is finite from pure noise to data."""

from __future__ import annotations

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level


def moved(u: Tensor, logits: Tensor) -> Tensor:
    r"""A falling grid u with its N gaps reweighed: :math:`w_k \propto (u_k - u_{k+1})\,e^{\theta_k}`, the ends kept.

    Falling whatever the logits; at 0 it is u itself.   Args: u: (N+1,).  logits: theta, (N,).   Returns: (N+1,).
    """
    gaps = torch.softmax((u[:-1] - u[1:]).log() + logits, 0) * (u[0] - u[-1])
    # Summed from the data's end, where small differences matter, and exact at both.
    inner = u[-1] + gaps.flip(0).cumsum(0).flip(0)[1:]
    return torch.cat((u[:1], inner, u[-1:]))


def ending_in_data(u: Tensor) -> Level:
    """The levels of u (N+1,), scaled so that the last has alpha = 1: it is above sigma = 0, and its state is data.

    Finite at u = 1.
    """
    norm = ((1 - u).square() + u.square()).sqrt()
    alpha, sigma = (1 - u) / norm, u / norm
    return Level(alpha / alpha[-1], sigma / alpha[-1])


def rectified(levels: Level) -> Tensor:
    """u of levels, (N+1,), on the CPU in float64."""
    return (levels.sigma / (levels.alpha + levels.sigma)).double().cpu()
