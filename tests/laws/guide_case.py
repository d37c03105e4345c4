"""A small network that guidance moves, and the lesson of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import small_nets
import torch
from torch import nn

from mezzotint.diffusion.denoiser import Denoiser, Preconditioned
from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.guidance import Guided
from mezzotint.diffusion.objective import EDMWeight
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.diffusion.schedule import Karras
from mezzotint.fewstep.course import Course
from mezzotint.fewstep.fit import Watch
from mezzotint.fewstep.guide import Lesson, Recipe, Student
from mezzotint.fewstep.problem import Problem

GUIDE = Path(__file__).parent
SCALE, LOW, HIGH = 2.0, 0.3, 4.0
EDM5 = EDM(0.5)
RECIPE = Recipe(steps=40, batch=8, rank=2, rate=5e-3)
QUIET = Watch(lambda report: None, lambda: False)


@cache
def network() -> nn.Module:
    return small_nets.network("dit")


def guided(scale: float) -> Denoiser:
    return Guided(Preconditioned(network(), EDM5), scale, {"label": torch.tensor([3])})


def problem(denoiser: Denoiser | None = None) -> Problem:
    seeds = tuple(range(500, 580))

    def cond(rows):
        return {"label": torch.tensor([k % 3 for k in rows])}

    return Problem(denoiser or guided(SCALE), Karras(), small_nets.shape("dit"), seeds, 16, cond, batch=16)


def student() -> Student:
    return Student(network(), EDM5, RECIPE.rank, SCALE)


COURSE = Course(problem(), karras(6, 0.02, 20.0))


def lesson() -> Lesson:
    return Lesson((SCALE,), (COURSE,), EDMWeight(0.5))
