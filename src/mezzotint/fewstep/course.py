"""Trajectories in progress: where a guided model is asked, one step of each row at a time, each row at its own step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.guidance.noise_of import noise_of
from mezzotint.diffusion.level import Level, expand
from mezzotint.fewstep.problem import Problem


@dataclass(frozen=True, eq=False)
class Walks:
    """B trajectories.

    x: their states, (B, *shape).  at: the step that each is at, (B,).  row: of the problem, whose noise and words it
    has, (B,).  taken: how many were begun, (1,).
    """

    x: Tensor
    at: Tensor
    row: Tensor
    taken: Tensor

    @property
    def tensors(self) -> dict[str, Tensor]:
        """For a checkpoint, on the CPU."""
        return {"x": self.x.cpu(), "at": self.at, "row": self.row, "taken": self.taken}


def of_tensors(found: Mapping[str, Tensor], device: str) -> Walks:
    """The inverse of ``Walks.tensors``."""
    return Walks(found["x"].to(device), found["at"], found["row"], found["taken"])


@dataclass(frozen=True, eq=False)
class Course:
    """What they go along.

    problem: the guided model and its rows.  levels: (N+1,).   first, every: the trajectories begun are of the rows
    first, first + every, … of those that are learnt from, around and around.
    """

    problem: Problem
    levels: Level
    first: int = 0
    every: int = 1

    @property
    def steps(self) -> int:
        """Of each trajectory."""
        return len(self.levels) - 1

    def level(self, walks: Walks) -> Level:
        """Of each row, (B,)."""
        return self.levels[walks.at]

    def cond(self, walks: Walks) -> Cond:
        """What each row is told."""
        return self.problem.cond(walks.row.tolist())

    def answers(self, walks: Walks) -> Tensor:
        """What the guided model says of each, (B, *shape)."""
        with torch.no_grad():
            return self.problem.denoiser(walks.x, self.level(walks), self.cond(walks)).mean

    def _rows(self, taken: int, n: int) -> list[int]:
        learnt = self.problem.learnt
        return [learnt[(self.first + self.every * k) % len(learnt)] for k in range(taken, taken + n)]

    def begun(self, batch: int) -> Walks:
        """Rows spread evenly over the steps, each on a trajectory of its own."""
        rows = self._rows(0, batch)
        start = self.problem.started(rows, self.levels)
        walks = Walks(start, torch.zeros(batch, dtype=torch.int64), torch.tensor(rows), torch.tensor([batch]))
        goal = torch.arange(batch) * self.steps // batch
        while bool((left := walks.at < goal).any()):
            walks = self._stepped(walks, left)
        return walks

    def _stepped(self, walks: Walks, some: Tensor) -> Walks:
        """Those of ``some`` (B,) bool, one step on."""
        part = replace(walks, x=walks.x[some.to(walks.x.device)], at=walks.at[some], row=walks.row[some])
        x = walks.x.clone()
        x[some.to(x.device)] = self._next(part, self.answers(part))
        return replace(walks, x=x, at=walks.at + some.long())

    def _next(self, walks: Walks, answers: Tensor) -> Tensor:
        """Where the probability flow leads in one step, DDIM's: Song et al., 2021, DDIM, eq. 12, eta = 0."""
        now, then = self.level(walks), self.levels[walks.at + 1]
        eps = noise_of(Posterior(answers), walks.x, now)
        there = then.to(walks.x)
        return (expand(there.alpha, answers) * answers + expand(there.sigma, eps) * eps).to(walks.x.dtype)

    def moved(self, walks: Walks, answers: Tensor) -> Walks:
        """All one step on; a row that has reached the end begins anew from other noise."""
        x, at = self._next(walks, answers), walks.at + 1
        done = (at == self.steps).nonzero().flatten().tolist()
        if not done:
            return replace(walks, x=x, at=at)
        row, taken = walks.row.clone(), int(walks.taken)
        fresh = self._rows(taken, len(done))
        row[done], at[done] = torch.tensor(fresh), 0
        x[done] = self.problem.started(fresh, self.levels).to(x)
        return Walks(x, at, row, walks.taken + len(done))
