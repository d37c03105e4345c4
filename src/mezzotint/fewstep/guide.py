"""Guidance in one call: a small change of the weights that makes the conditional answer the guided one.

Jensen & Sadat, 2025, Efficient Distillation of Classifier-Free Guidance using Adapters: the base stays frozen, and what
is learnt from is met on guided trajectories, not on noised data.  All that is drawn is a function of the seed, and a
checkpoint is the whole state: a fit that was killed and goes on ends with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mezzotint.diffusion.denoiser import Cond, Denoiser, Preconditioned
from mezzotint.diffusion.guidance.interval import Interval, inside
from mezzotint.diffusion.objective import Weight
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.errors import NonFiniteError
from mezzotint.fewstep.adam import Moving, begun, stepped
from mezzotint.fewstep.course import Course, Walks, of_tensors
from mezzotint.fewstep.fit import Report, Watch
from mezzotint.fewstep.kept import resumed, save
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.nets.adapters import scaled
from mezzotint.training.checkpoint import Store

EVERY = 50
"""Updates between checkpoints."""

Bounds = tuple[float, float]
"""Of sigma/alpha, where guidance is on: low < sigma/alpha <= high."""

EVERYWHERE: Bounds = (0.0, math.inf)


@dataclass(frozen=True)
class Recipe:
    """How it is fitted.

    steps, batch: updates, and rows of each.  rate: Adam's; it falls to 0 over the last ``cooling`` of the steps.
    rank: of each change.  clip: of the gradient's norm.  keep: of the average of the last steps.
    """

    steps: int = 2000
    batch: int = 32
    rank: int = 4
    rate: float = 3e-3
    cooling: float = 0.7
    clip: float = 1.0
    keep: float = 0.98
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Of update ``step`` = 0, 1, …"""
        return self.rate * min(1.0, (self.steps - step) / max(1.0, self.cooling * self.steps))


@dataclass(frozen=True, eq=False)
class Student:
    """A frozen network, and how a vector (``nets.adapters.scaled``) changes it.   top: the largest scale."""

    net: nn.Module
    parametrisation: Parametrisation
    rank: int
    top: float
    interval: Bounds = EVERYWHERE

    def known(self) -> dict[str, Tensor]:
        """The weights that are changed."""
        return scaled.weights(self.net)

    def changes(self, theta: Tensor) -> scaled.Changes:
        """What a vector says, layer by layer."""
        return scaled.parted(theta, self.known(), self.rank)

    def strength(self, scale: float) -> float:
        """t of ``Scaled``."""
        return (scale - 1) / (self.top - 1)

    def inner(self, theta: Tensor, scale: float) -> Denoiser:
        """One call a step, where guidance is on; differentiable in theta."""
        moved = scaled.moved(self.known(), self.changes(theta), self.strength(scale))

        def network(x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
            y: Tensor = functional_call(self.net, moved, (x, c_noise, cond))
            return y

        return Preconditioned(network, self.parametrisation)

    def denoiser(self, theta: Tensor, scale: float) -> Denoiser:
        """The same with the base itself outside the interval."""
        base = Preconditioned(self.net, self.parametrisation)
        return Interval(self.inner(theta, scale), base, *self.interval)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learnt: at which scales, of which guided trajectories, with what weight on an error of x0."""

    scales: Sequence[float]
    courses: Sequence[Course]
    weight: Weight

    def begun(self, batch: int) -> list[Walks]:
        """Where the trajectories of every scale begin."""
        return [course.begun(batch) for course in self.courses]


def _told(walks: Sequence[Walks]) -> dict[str, Tensor]:
    return {f"{k}.{name}": value for k, one in enumerate(walks) for name, value in one.tensors.items()}


def _found(told: Mapping[str, Tensor], courses: Sequence[Course]) -> list[Walks]:
    parts = [
        {n.removeprefix(f"{k}."): v for n, v in told.items() if n.startswith(f"{k}.")} for k in range(len(courses))
    ]
    return [of_tensors(part, course.problem.device) for part, course in zip(parts, courses, strict=True)]


def error(
    student: Student, theta: Tensor, scale: float, course: Course, walks: Walks, goal: Tensor, weight: Weight
) -> Tensor:
    """The mean weighted squared error of x0 on the rows where guidance is on, (): 0 where it is on for none."""
    level = course.level(walks)
    on = inside(level, *student.interval)
    if not bool(on.any()):
        return theta.sum() * 0
    there = on.to(walks.x.device)
    cond = {name: value[there] for name, value in course.cond(walks).items()}
    answer = student.inner(theta, scale)(walks.x[there], level[on], cond).mean
    each = (answer.float() - goal[there].float()).square().flatten(1).mean(1)
    return (each * weight(level[on]).to(each)).mean()


def gradient(
    student: Student, theta: Tensor, scale: float, course: Course, walks: Walks, goal: Tensor, weight: Weight
) -> tuple[Tensor, float]:
    """(of ``error``, the error).   Raises NonFiniteError."""
    theta = theta.clone().requires_grad_()
    value = error(student, theta, scale, course, walks, goal, weight)
    (found,) = torch.autograd.grad(value, theta)
    if not bool(found.isfinite().all()):
        raise NonFiniteError("the fit left the finite numbers; use a smaller rate")
    return found, value.item()


def fit(student: Student, lesson: Lesson, recipe: Recipe, folder: Path, watch: Watch) -> Tensor:
    """The vector that it ends with, the average of the last updates.

    Raises NonFiniteError, StorageError, HaltedError (asked to stop: all is in ``folder``).
    """
    store = Store(folder)
    kept = resumed(store)
    if kept is None:
        now = begun(scaled.begun(student.known(), recipe.rank, recipe.seed))
        walks = lesson.begun(recipe.batch)
    else:
        now, walks = kept[0], _found(kept[1], lesson.courses)
    while now.step < recipe.steps:
        if watch.stop():
            save(store, now, _told(walks))
            raise HaltedError
        now, walks, value = _updated(student, lesson, recipe, now, walks)
        if now.step % EVERY == 0 or now.step == recipe.steps:
            save(store, now, _told(walks))
        watch.report(Report(now.step, recipe.steps, value))
    return now.average


def _updated(
    student: Student, lesson: Lesson, recipe: Recipe, now: Moving, walks: Sequence[Walks]
) -> tuple[Moving, list[Walks], float]:
    """One update, on the trajectories of one scale, which then go one step on; the scales take turns."""
    k = now.step % len(lesson.scales)
    course, here = lesson.courses[k], walks[k]
    goal = course.answers(here)
    found, value = gradient(student, now.theta, lesson.scales[k], course, here, goal, lesson.weight)
    rates = torch.full_like(now.theta, recipe.rate_at(now.step))
    after = stepped(now, found, rates, recipe.clip, recipe.keep)
    return after, [*walks[:k], course.moved(here, goal), *walks[k + 1 :]], value
