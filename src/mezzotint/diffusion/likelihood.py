r"""Likelihood: the density a denoiser gives to data, through the probability-flow ODE.

The state is written as :math:`y = x/\sqrt{\alpha^2+\sigma^2} = \cos\varphi\, x_0 + \sin\varphi\, \varepsilon`, with
:math:`\varphi = \arctan(\sigma/\alpha)`: in that coordinate the ODE is the expected v of Salimans & Ho (2022),
bounded from data to pure noise, alpha = 0 included, whatever schedule the model was trained on:

.. math:: \frac{dy}{d\varphi} = \frac{\cos\varphi\, y - D(y)}{\sin\varphi}, \qquad
    \frac{d \log p(y)}{d\varphi} = -\frac{d \cos\varphi - \mathrm{tr}\,\partial D/\partial y}{\sin\varphi}

Song et al., 2021, Score-Based Generative Modeling through SDEs, eq. 39, in this coordinate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.philox import bits
from mezzotint.errors import UsageError

Field = Callable[[Tensor], Tensor]
"""(B, *) -> (B, *), each row by itself."""

Divergence = Callable[[Field, Tensor], tuple[Tensor, Tensor]]
"""(field, y (B, *)) -> (field(y) (B, *), the trace of its Jacobian (B,)): ``exact`` or ``Hutchinson``."""

Slope = Callable[[float, Tensor], tuple[Tensor, Tensor]]
"""(phi, y (B, *)) -> (dy/dphi (B, *), its divergence (B,))."""

Rule = Callable[[Slope, Tensor, float, float], tuple[Tensor, Tensor]]
"""One step: (slope, y, phi, next phi) -> (next y (B, *), integral of the divergence (B,)): ``heun`` or ``rk4``."""


def exact(field: Field, y: Tensor) -> tuple[Tensor, Tensor]:
    """The trace entry by entry: as many backward passes as a row has entries, for small states and for tests."""
    with torch.inference_mode(False), torch.enable_grad():
        z = y.detach().clone().requires_grad_()
        out = field(z)
        flat = out.flatten(1)
        trace = torch.zeros(len(y), dtype=flat.dtype, device=y.device)
        for i in range(flat.shape[1]):
            trace += _pulled(flat[:, i].sum(), z, None).flatten(1)[:, i]
    return out.detach(), trace


@dataclass(frozen=True)
class Hutchinson:
    r"""The unbiased estimate :math:`\tfrac1P \sum_p z_p^\top J z_p`, P backward passes.

    probes: z, (P, B, *), of mean 0 and covariance 1; the same ones along a whole trajectory.   See ``rademacher``.
    Hutchinson, 1990; Grathwohl et al., 2019, FFJORD, eq. 8.
    """

    probes: Tensor

    def __call__(self, field: Field, y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            x = y.detach().clone().requires_grad_()
            out = field(x)
            parts = [(_pulled(out, x, z) * z).flatten(1).sum(1) for z in self.probes.to(y)]
        return out.detach(), torch.stack(parts).mean(0)


def _pulled(out: Tensor, x: Tensor, z: Tensor | None) -> Tensor:
    """z^T J, zeros where out does not depend on x."""
    if not out.requires_grad:
        return torch.zeros_like(x)
    (g,) = torch.autograd.grad(out, x, z, retain_graph=True, materialize_grads=True)
    return g


def rademacher(noise: Noise, shape: Sequence[int], count: int = 1) -> Hutchinson:
    """Probes of independent signs, a function of the noise's seeds and stage alone.

    Args: shape: (B, *).  count: P, draws 0 … P - 1 of the noise.
    """
    z = torch.stack([noise(k, shape) for k in range(count)])
    return Hutchinson(torch.where(z < 0, -1.0, 1.0).to(z.dtype))


def heun(slope: Slope, y: Tensor, phi: float, end: float) -> tuple[Tensor, Tensor]:
    """Second order, two evaluations.  Heun, 1900."""
    h = end - phi
    k1, d1 = slope(phi, y)
    k2, d2 = slope(end, y + h * k1)
    return y + (h / 2) * (k1 + k2), (h / 2) * (d1 + d2)


def rk4(slope: Slope, y: Tensor, phi: float, end: float) -> tuple[Tensor, Tensor]:
    """Fourth order, four evaluations.  Kutta, 1901."""
    h, middle = end - phi, (phi + end) / 2
    k1, d1 = slope(phi, y)
    k2, d2 = slope(middle, y + (h / 2) * k1)
    k3, d3 = slope(middle, y + (h / 2) * k2)
    k4, d4 = slope(end, y + h * k3)
    return y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4), (h / 6) * (d1 + 2 * d2 + 2 * d3 + d4)


def ascent(n: int, clean: float = 12.0, noisy: float = math.inf) -> Level:
    """A grid of n steps from logsnr = clean up to logsnr = -noisy, even in logsnr; inf ends it at alpha = 0.

    With inf the last step goes from -12 to alpha = 0, where an eps model cannot be asked: give it a finite ``noisy``.
    Returns: (n + 1,), alpha^2 + sigma^2 = 1, float64.   Raises UsageError for n < 2.
    """
    if n < 2:
        raise UsageError(f"a likelihood grid of {n} steps was asked for; expected at least 2")
    endless = math.isinf(noisy)
    logsnr = torch.linspace(clean, -12.0 if endless else -noisy, n if endless else n + 1, dtype=torch.float64)
    if endless:
        logsnr = torch.cat((logsnr, logsnr.new_tensor([-math.inf])))
    return Level(logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt())


def log_likelihood(
    denoiser: Denoiser, x: Tensor, levels: Level, cond: Cond, divergence: Divergence = exact, rule: Rule = rk4
) -> Tensor:
    r"""log p(x) in nats: of the data, blurred by the noise of the first level.

    .. math:: \log p(x) = \log N(y_T; 0, 1) + \int_{\varphi_0}^{\varphi_T} \nabla\!\cdot\frac{dy}{d\varphi}\,d\varphi
        + d\,\log\cos\varphi_0, \quad y_0 = x\cos\varphi_0

    Args: x: data, (B, *), wide enough for the precision wanted: float32 is good to about 1e-3 nats a dimension.
        levels: rising, (N+1,), sigma > 0 at the first, alpha ~ 0 at the last, where y is taken as standard normal:
            ``ascent``.
    Returns: (B,) float64, on the CPU.   Raises UsageError for a grid that starts at sigma = 0 or falls.
    """
    phi = torch.atan2(levels.sigma.double(), levels.alpha.double()).tolist()
    if phi[0] <= 0 or any(b <= a for a, b in pairwise(phi)):
        raise UsageError("a likelihood grid rises from sigma > 0 to noise; this one does not: use likelihood.ascent")

    def slope(at: float, y: Tensor) -> tuple[Tensor, Tensor]:
        c, s = (math.cos(at) if at < math.pi / 2 else 0.0), math.sin(at)
        level = Level(torch.tensor(c, dtype=torch.float64), torch.tensor(s, dtype=torch.float64))
        mean, trace = divergence(lambda z: denoiser(z, level, cond).mean, y)
        return (c * y - mean) / s, (y[0].numel() * c - trace.cpu().double()) / s

    dim = x[0].numel()
    y = x * math.cos(phi[0])
    total = torch.full((len(x),), dim * math.log(math.cos(phi[0])), dtype=torch.float64)
    for a, b in pairwise(phi):
        y, gained = rule(slope, y, a, b)
        total = total + gained
    return total - 0.5 * (y.cpu().double().square().flatten(1).sum(1) + dim * math.log(2 * math.pi))


def dequantised(pixels: Tensor, noise: Noise, draw: int = 0) -> Tensor:
    r"""8-bit values made continuous: :math:`x = (z + u - \tfrac12)/127.5 - 1` with u uniform in (0, 1).

    A value's bin has its centre where ``codecs`` put the value and is 2/255 wide; the density of x is then a lower
    bound on the log-probability of z (Theis et al., 2016, A Note on the Evaluation of Generative Models, eq. 4).
    Args: pixels: uint8 (B, *), B = len(noise.seeds).   Returns: (B, *) in (-1 - 1/255, 1 + 1/255), dtype of the noise.
    """
    count = pixels[0].numel()
    rows = [
        ((bits(s, noise.stage, draw, count) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53 for s in noise.seeds
    ]
    u = torch.from_numpy(np.stack(rows)).reshape(pixels.shape)
    return ((pixels.cpu().double() + u - 0.5) / 127.5 - 1).to(noise.dtype).to(pixels.device)


def bits_per_dim(log_p: Tensor, dim: int, width: float = 2 / 255) -> Tensor:
    r""":math:`-(\log p / d + \ln width)/\ln 2`: the code length of a value whose bin is ``width`` wide.

    Args: log_p: nats, (B,).  dim: entries of one datum.  width: 2/255 for ``dequantised`` pixels.   Returns: (B,).
    """
    return -(log_p / dim + math.log(width)) / math.log(2)
