"""The fit of a learned solver: its end points are moved to the teacher's, from the same noise.

All that is drawn in step k is a function of (seed, k), and a checkpoint is the whole state: a fit that was killed and
goes on ends with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import NonFiniteError
from mezzotint.fewstep.adam import begun, stepped
from mezzotint.fewstep.kept import resumed, save
from mezzotint.fewstep.loss import Loss
from mezzotint.fewstep.parameters import Layout, differentiable
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.training.checkpoint import Store

EVERY = 20
"""Steps between checkpoints: some seconds of small models."""


@dataclass(frozen=True)
class Recipe:
    """How it is fitted.

    steps, batch: updates, and rows of each.  logits, shifts, weights: rates of the three parts; they fall to 0 over
    the last ``cooling`` of the steps.  clip: of the gradient's norm.  keep: of the average of the last steps.
    """

    steps: int = 800
    batch: int = 16
    logits: float = 5e-2
    shifts: float = 5e-2
    weights: float = 6e-3
    cooling: float = 0.5
    clip: float = 1.0
    keep: float = 0.95
    seed: int = 0

    def rates(self, n: int, step: int) -> Tensor:
        """Of update ``step`` = 0, 1, …"""
        left = min(1.0, (self.steps - step) / max(1.0, self.cooling * self.steps))
        return left * Layout(n).rates(self.logits, self.shifts, self.weights)


@dataclass(frozen=True)
class Report:
    """After an update: which one, of how many, its loss."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True, eq=False)
class Watch:
    """Who is told of each update, and asked whether to stop before the next."""

    report: Callable[[Report], None]
    stop: Callable[[], bool]


def drawn(rows: range, batch: int, seed: int, step: int) -> list[int]:
    """The rows of an update: without repeats, by (seed, step) alone."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
    picks = torch.randperm(len(rows), generator=generator)[:batch].tolist()
    return [rows[k] for k in picks]


def gradient(
    problem: Problem, theta: Tensor, base: Tensor, ends: Tensor, rows: list[int], loss: Loss, frugal: bool
) -> tuple[Tensor, float]:
    """(of the loss of some rows, the loss).   Raises NonFiniteError."""
    theta = theta.clone().requires_grad_()
    solver, levels = differentiable(theta, base)
    x = problem.traced(rows, levels, solver, frugal)
    goal = ends[rows].to(problem.device)
    value = loss(problem.shown(x), problem.shown(goal), rows).mean()
    (found,) = torch.autograd.grad(value, theta)
    if not bool(found.isfinite().all()):
        raise NonFiniteError("the fit left the finite numbers; use smaller rates, or another base grid")
    return found, value.item()


def fit(
    problem: Problem,
    ends: Tensor,
    base: Tensor,
    first: Callable[[], Tensor],
    recipe: Recipe,
    loss: Loss,
    folder: Path,
    watch: Watch,
    frugal: bool = False,
) -> Tensor:
    """The vector that it ends with, the average of the last steps (``Layout``).

    first: what it begins with, asked where ``folder`` has no checkpoint.  ends: of the teacher, all rows.  base: u of
    the grid, (n+1,).   Raises NonFiniteError, StorageError, HaltedError (asked to stop: all is in ``folder``).
    """
    store = Store(folder)
    kept = resumed(store)
    now = begun(first()) if kept is None else kept[0]
    n = len(base) - 1
    while now.step < recipe.steps:
        if watch.stop():
            save(store, now)
            raise HaltedError
        rows = drawn(problem.learnt, recipe.batch, recipe.seed, now.step)
        found, value = gradient(problem, now.theta, base, ends, rows, loss, frugal)
        now = stepped(now, found, recipe.rates(n, now.step), recipe.clip, recipe.keep)
        if now.step % EVERY == 0 or now.step == recipe.steps:
            save(store, now)
        watch.report(Report(now.step, recipe.steps, value))
    return now.average
