"""How far the end of few steps is from that of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Loss(Protocol):
    """(ends, the teacher's, both (B, *), their row numbers) -> a number a row, (B,)."""

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor: ...


@dataclass(frozen=True)
class Absolute:
    """The mean absolute difference, of pixels or latents."""

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        return (x - goal).abs().flatten(1).mean(1)


@dataclass(frozen=True)
class LogSum:
    r"""The mean of :math:`10\,\varepsilon\ln(1+|x-y|/\varepsilon)`: noise that is left on a flat ground, small but
    everywhere, counts nearly as much as a line that is elsewhere.

    Candès, Wakin & Boyd, 2008, Enhancing Sparsity by Reweighted l1 Minimization, sec. 2.2.   epsilon: what is small; of
    pixels -1 … 1, 2.5 grey levels.
    """

    epsilon: float = 0.02

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        return 10 * self.epsilon * ((x - goal).abs() / self.epsilon).log1p().flatten(1).mean(1)


@dataclass(frozen=True)
class Texture:
    r"""How much pictures change near each place, whatever the lines are: with d the differences of neighbours along an
    axis, and :math:`\overline{d^2}` their mean square in a window,

    .. math:: \tfrac12\,\bigl|\ln(\overline{d_x^2}+f^2) - \ln(\overline{d_y^2}+f^2)\bigr|

    the mean over places, both axes and scales, each half as fine as the one before.  Differences of values alone are
    least for the mean of what could be, which is smoother; this is least for what is as rough as the teacher's.

    Ding et al., 2020, Image Quality Assessment: Unifying Structure and Texture Similarity (DISTS), compare statistics
    of a network's features likewise; here no network is needed, and none that a metric uses.

    floor: f, changes that nobody sees.  window: its side, odd.   States are (B, C, H, W).
    """

    scales: int = 2
    window: int = 5
    floor: float = 0.01

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        parts: list[Tensor] = []
        for _ in range(self.scales):
            parts += [(self._rough(x, k) - self._rough(goal, k)).abs().flatten(1).mean(1) for k in (2, 3)]
            x, goal = F.avg_pool2d(x, 2), F.avg_pool2d(goal, 2)
        return torch.stack(parts).mean(0)

    def _rough(self, x: Tensor, axis: int) -> Tensor:
        """The logarithm of the root mean square of differences, at every other place."""
        squares, half = x.diff(dim=axis).square(), self.window // 2
        near = F.avg_pool2d(squares, self.window, 2, half, ceil_mode=True, count_include_pad=False)
        return 0.5 * (near + self.floor**2).log()


@dataclass(frozen=True)
class Weighed:
    """The sum of losses, each with its weight."""

    parts: tuple[tuple[float, Loss], ...]

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        return torch.stack([weight * loss(x, goal, rows) for weight, loss in self.parts]).sum(0)
