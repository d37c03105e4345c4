"""The teacher's walks: where many steps are at each level that a student of few is asked at, kept on disk, to learn
from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mezzotint.codecs.halves import Halves
from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.diffusion.spread import rectified
from mezzotint.errors import InputError
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import HaltedError, check_end
from mezzotint.files import make_folder, sha256, write_atomic
from mezzotint.training.data.source import Item, Report, Shard

RHO = 7.0
"""Karras' rho, of the teacher's levels between two of the student's."""

TOGETHER = 256
"""Rows of a file: a shard of the data set."""

SOLVER = UniPC(3)


def finer(levels: Level, each: int, low: float) -> Level:
    r"""The student's grid with ``each`` steps in each of its own, the same at its own levels.

    Between them :math:`u^{1/\rho}` is evenly spaced, u = sigma/(alpha+sigma); the last step begins at sigma/alpha
    ``low``.   levels: N+1, to sigma = 0.   Returns: N each + 1, alpha + sigma = 1.
    """
    u, least = rectified(levels).tolist(), low / (1 + low)
    parts = [_spaced(a, b, each + 1)[:-1] for a, b in pairwise(u[:-1])]
    values = torch.cat([*parts, _spaced(u[-2], min(least, u[-2] / 2), each), torch.zeros(1, dtype=torch.float64)])
    return Level(1 - values, values)


def _spaced(a: float, b: float, n: int) -> Tensor:
    """n values from a to b; of one alone a."""
    ramp: Tensor = torch.linspace(a ** (1 / RHO), b ** (1 / RHO), n, dtype=torch.float64) ** RHO
    ramp[0] = a
    return ramp


def walked(problem: Problem, levels: Level, each: int, low: float, rows: Sequence[int]) -> Tensor:
    """The teacher's states at every level of the student's, the first is noise: (rows, (N+1) C, *), each over its
    level's ``scale``.   Raises NonFiniteError where the teacher diverges."""
    grid = finer(levels, each, low)
    noise = Noise(tuple(problem.seeds[k] for k in rows))
    with torch.no_grad():
        x = problem.started(rows, grid)
        found = [x / grid[0].scale.item()]
        walk = trajectory(problem.denoiser, x, grid, SOLVER, noise, problem.cond(rows))
        found.extend(s.x / grid[s.i + 1].scale.item() for s in walk if (s.i + 1) % each == 0)
    for x in found:
        check_end(x, f"the teacher UniPC-3 in {each * (len(levels) - 1)} steps")
    return torch.cat(found, 1).float().cpu()


@dataclass(frozen=True)
class Shown:
    """Some rows of a file, as samples: their states as bytes, their number as label."""

    first: int
    states: Tensor

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, i: int) -> Item:
        row = self.first + i
        return Item(f"walk {row}", self.states[i].numpy(), None, row)


@dataclass(frozen=True)
class Walks:
    """A data set of walks.   files: (the first row, the file), in their order.  fingerprint: of how they were made."""

    files: tuple[tuple[int, Path], ...]
    fingerprint: str

    @property
    def classes(self) -> tuple[str, ...]:
        return ()

    @property
    def shards(self) -> int:
        return len(self.files)

    def open(self, shard: int, report: Report) -> Shard:
        first, path = self.files[shard]
        states = _kept(path)
        if states is None:
            raise InputError(f"{path} is gone or damaged; the same command with --resume makes it again")
        return Shown(first, states)


def walks(
    problem: Problem,
    rows: range,
    levels: Level,
    each: int,
    low: float,
    folder: Path,
    key: str,
    report: Callable[[int], None],
    stop: Callable[[], bool],
) -> Walks:
    """The walks of some rows, made where ``folder`` has them not.

    key: of all that they depend on; walks of another key lie apart, and are never taken for these.
    report: told how many are there.
    Raises NonFiniteError (the teacher diverges), StorageError, HaltedError.
    """
    place = make_folder(folder / key[:16])
    codec, files = halves(problem.shape, len(levels)), []
    for first in range(rows.start, rows.stop, TOGETHER):
        some = range(first, min(first + TOGETHER, rows.stop))
        path = place / f"walks-{some.start}-{some.stop}.safetensors"
        if _kept(path) is None:
            found = []
            for part in problem.batches(some):
                if stop():
                    raise HaltedError
                found.append(codec.decode(walked(problem, levels, each, low, part)))
                report(part[-1] + 1 - rows.start)
            write_atomic(path, save({"states": torch.cat(found)}))
        files.append((some.start, path))
        report(some.stop - rows.start)
    return Walks(tuple(files), sha256(f"{key} {rows}".encode()))


def halves(shape: tuple[int, ...], states: int) -> Halves:
    """How walks of so many states are kept as bytes."""
    return Halves((states * shape[0], *shape[1:]))


def ends(walks: Walks, shape: tuple[int, ...]) -> Tensor:
    """Where they end, (rows, *shape) float32."""
    found = []
    for shard in range(walks.shards):
        part = walks.open(shard, lambda bad: None)
        states = torch.stack([torch.from_numpy(part[i].image) for i in range(len(part))])
        codec = Halves((states.shape[1] // 2, *shape[1:]))
        found.append(codec.encode(states)[:, -shape[0] :])
    return torch.cat(found)


def _kept(path: Path) -> Tensor | None:
    """None where it is not there, or damaged."""
    try:
        return load_file(path)["states"] if path.is_file() else None
    except (SafetensorError, KeyError, OSError):
        return None


@dataclass(frozen=True)
class OfRows:
    """A ``Conditioning`` by the numbers of rows.   sha256: of what they are told.  cond: numbers -> that."""

    sha256: str
    cond: Callable[[Sequence[int]], Cond]

    def __call__(self, items: Sequence[Item]) -> Cond:
        return self.cond([-1 if item.label is None else item.label for item in items])

    def null(self, rows: int) -> Cond:
        return self.cond([0] * rows)  # nothing is dropped, so that nobody is told it
