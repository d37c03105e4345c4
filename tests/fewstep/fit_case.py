"""A problem with a known answer, small enough to fit in a second: a mixture of two Gaussians."""

from __future__ import annotations

from pathlib import Path

import torch

from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.oracle import MixtureOracle
from mezzotint.diffusion.schedule import Karras
from mezzotint.diffusion.solver.learned import Learned
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.fewstep.calibrated import calibrate
from mezzotint.fewstep.fit import Recipe, Watch
from mezzotint.fewstep.loss import Absolute
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import Teacher, taught

F64 = torch.float64
MEAN = torch.tensor([0.5, -1.0, 0.8], dtype=torch.float32)
MIX = MixtureOracle(torch.tensor([0.3, 0.7]), torch.stack((MEAN, -MEAN)), torch.tensor([0.05, 0.02, 0.1]))
TEACHER = Teacher("UniPC-3 in 24 steps", UniPC(3), karras(24, 0.002, 80.0))
RECIPE = Recipe(steps=60, batch=8)
QUIET = Watch(lambda report: None, lambda: False)
LOSS = Absolute()


def problem(denoiser=MIX, rows=96, held=32) -> Problem:
    seeds = tuple(range(1000, 1000 + rows))
    return Problem(denoiser, Karras(), (3,), seeds, held, lambda some: {}, batch=16)


def found_in(folder: Path) -> tuple[Learned, tuple[float, ...]]:
    """The solver of 4 calls and its levels, fitted with a folder's checkpoints."""
    found = calibrate(problem(), ends(folder), 4, RECIPE, LOSS, folder / "fit", QUIET)
    return found.solver, found.u


def ends(folder, of=None, teacher=TEACHER):
    return taught(of or problem(), teacher, folder, lambda done, total: None, lambda: False)
