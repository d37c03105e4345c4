"""A learned solver and its grid as one vector of numbers, all zero for the backbone on the base grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import Scalar
from mezzotint.diffusion.solver.learned import Learned, Rows
from mezzotint.diffusion.spread import ending_in_data, moved

F64 = torch.float64


@dataclass(frozen=True)
class Layout:
    """What each of the numbers for n steps is, in this order: the grid's logits, n; shifts, n; weights of answers, then
    of states, n(n+1)/2 each, row by row."""

    n: int

    @property
    def weights(self) -> int:
        """Of answers, and as many of states."""
        return self.n * (self.n + 1) // 2

    @property
    def size(self) -> int:
        """Of the vector."""
        return 2 * self.n + 2 * self.weights

    def parts(self, theta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(logits, shifts, answers, states) of a vector (size,)."""
        sizes = [self.n, self.n, self.weights, self.weights]
        logits, shifts, answers, states = torch.split(theta, sizes)
        return logits, shifts, answers, states

    def rates(self, logits: float, shifts: float, weights: float) -> Tensor:
        """A number for each entry, (size,), by its part."""
        counts = (self.n, self.n, 2 * self.weights)
        return torch.cat(
            [torch.full((k,), r, dtype=F64) for k, r in zip(counts, (logits, shifts, weights), strict=True)]
        )


def rows_of(values: Sequence[Scalar]) -> Rows:
    """Row after row of a triangle; n of them from n(n+1)/2 values."""
    rows: list[tuple[Scalar, ...]] = []
    taken = 0
    while taken < len(values):
        width = len(rows) + 1
        rows.append(tuple(values[taken : taken + width]))
        taken += width
    return tuple(rows)


def differentiable(theta: Tensor, base: Tensor) -> tuple[Learned, Level]:
    """Solver and levels of a vector, with gradients.   theta: (size,).  base: u of the base grid, (n+1,)."""
    logits, shifts, answers, states = Layout(len(base) - 1).parts(theta)
    solver = Learned(rows_of(answers.unbind()), rows_of(states.unbind()), tuple(shifts.unbind()))
    return solver, ending_in_data(moved(base, logits))


def fixed(theta: Tensor, base: Tensor) -> tuple[Learned, Tensor]:
    """The solver as numbers, and u of its grid (n+1,)."""
    logits, shifts, answers, states = Layout(len(base) - 1).parts(theta.detach())
    solver = Learned(rows_of(answers.tolist()), rows_of(states.tolist()), tuple(shifts.tolist()))
    return solver, moved(base, logits)
