"""Where many steps end: the end points that few are fitted to, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.base import Solver
from mezzotint.errors import NonFiniteError
from mezzotint.fewstep.problem import Problem
from mezzotint.files import make_folder, write_atomic

FAR = 100.0
"""States have a standard deviation of about 1; one as large as this is no data."""


class HaltedError(Exception):
    """Somebody asked to stop.  Never leaves ``fewstep``."""


@dataclass(frozen=True)
class Teacher:
    """Many steps.   name: for people."""

    name: str
    solver: Solver[Any]
    levels: Level

    @property
    def calls(self) -> int:
        """Of the denoiser, at most."""
        return (len(self.levels) - 1) * self.solver.calls


def check_end(x: Tensor, who: str) -> Tensor:
    """The same.  Raises NonFiniteError where it is not finite, or far beyond all data."""
    worst = x.abs().max().item()
    if not worst < FAR:
        raise NonFiniteError(
            f"{who} diverges: a state of {worst:.3g} where data is about 1; use another grid, or a smaller --scale"
        )
    return x


def taught(
    problem: Problem,
    teacher: Teacher,
    folder: Path,
    report: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Tensor:
    """Its end points, (rows, *shape) float32 on the CPU; batches that ``folder`` has are not made again.

    report: told (rows, of how many).   Raises NonFiniteError (it diverges), StorageError, HaltedError.
    """
    make_folder(folder)
    rows, found = range(len(problem.seeds)), []
    for part in problem.batches(rows):
        path = folder / f"ends-{part[0]}-{part[-1]}.safetensors"
        ends = _kept(path)
        if ends is None:
            if stop():
                raise HaltedError
            x = problem.ends(part, teacher.levels, teacher.solver)
            ends = check_end(x, f"the teacher {teacher.name}").float().cpu().contiguous()
            write_atomic(path, save({"ends": ends}))
        found.append(ends)
        report(part[-1] + 1, len(rows))
    return torch.cat(found)


def _kept(path: Path) -> Tensor | None:
    """None where it is not there, or damaged."""
    try:
        return load_file(path)["ends"] if path.is_file() else None
    except (SafetensorError, KeyError, OSError):
        return None
