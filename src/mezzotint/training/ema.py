r"""Averages of the weights along training: power-function profiles that can be rebuilt afterwards, and the exponential
one.

A profile is the weighting :math:`\bar\theta_t = \sum_{i \le t} w_{t,i}\,\theta_i` with :math:`\sum_i w_{t,i} = 1`; it
is kept up to date by
:math:`\bar\theta_t = \beta_t \bar\theta_{t-1} + (1-\beta_t)\,\theta_t` with :math:`\beta_1 = 0`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from mezzotint.errors import UsageError
from mezzotint.training.distributed import local


class Profile(Protocol):
    """How past weights are averaged.  ``name`` is unique within a recipe and part of file names."""

    @property
    def name(self) -> str: ...
    def beta(self, step: int) -> float:
        """The share of the old average at update ``step`` = 1, 2, …; 0 at step 1."""
        ...


@dataclass(frozen=True)
class Power:
    r"""The power-function average: :math:`w_{t,i} = (i/t)^{\gamma+1} - ((i-1)/t)^{\gamma+1}`, :math:`\beta_t =
    (1-1/t)^{\gamma+1}`.

    sigma_rel: the profile's standard deviation as a share of the training time so far, in (0, 0.288); 0.05 and 0.10
    are usual.
    Karras et al., 2024, Analyzing and Improving the Training Dynamics of Diffusion Models, sec. 3.1, app. C.
    """

    sigma_rel: float

    def __post_init__(self) -> None:
        if not 0 < self.sigma_rel < 12**-0.5:
            raise UsageError(f"EMA sigma_rel {self.sigma_rel} is out of range; expected 0 < sigma_rel < 0.288")

    @property
    def name(self) -> str:
        return f"power-{self.sigma_rel:.4f}"

    @property
    def gamma(self) -> float:
        r"""The exponent with this width: :math:`\sigma_{rel}^2 = (\gamma+1)/((\gamma+2)^2(\gamma+3))`, the largest
        root."""
        # With s = sigma_rel^-2:  g^3 + 7 g^2 + (16 - s) g + (12 - s) = 0.
        s = self.sigma_rel**-2
        return float(np.roots([1, 7, 16 - s, 12 - s]).real.max())

    def beta(self, step: int) -> float:
        return float((1 - 1 / step) ** (self.gamma + 1))


@dataclass(frozen=True)
class Exponential:
    r"""The classic average without its start's bias: :math:`w_{t,i} = (1-d)\,d^{t-i}/(1-d^t)`.

    decay: d in [0, 1); 0.999 averages over about 1000 steps.  The bias correction is that of Kingma & Ba, 2015, Adam,
    sec. 3.
    """

    decay: float

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise UsageError(f"EMA decay {self.decay} is out of range; expected 0 <= decay < 1")

    @property
    def name(self) -> str:
        return f"exponential-{self.decay:g}"

    def beta(self, step: int) -> float:
        return self.decay * (1 - self.decay ** (step - 1)) / (1 - self.decay**step)


def trainable(net: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that training changes, by name: those that want a gradient."""
    return {k: p for k, p in net.named_parameters() if p.requires_grad}


class Averages:
    """The running averages of one network's trainable parameters, float32, one set a profile."""

    def __init__(self, net: nn.Module, profiles: Sequence[Profile]) -> None:
        self.profiles = tuple(profiles)
        self.values: dict[str, dict[str, Tensor]] = {
            p.name: {k: v.detach().float().clone() for k, v in trainable(net).items()} for p in self.profiles
        }

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Takes in the weights after update ``step`` = 1, 2, …"""
        now = [local(p.detach()) for p in trainable(net).values()]
        for profile in self.profiles:
            old = [local(v) for v in self.values[profile.name].values()]
            torch._foreach_lerp_(old, now, 1 - profile.beta(step))

    @contextmanager
    def applied(self, net: nn.Module, profile: str) -> Iterator[None]:
        """The network with an average in place of its weights, within a ``with``; they come back to the bit."""
        params = [local(p.detach()) for p in trainable(net).values()]
        kept = [p.clone() for p in params]
        torch._foreach_copy_(params, [local(v) for v in self.values[profile].values()])
        try:
            yield
        finally:
            torch._foreach_copy_(params, kept)
