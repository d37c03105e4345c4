"""The lesson of a distillation: what is learnt, from which samples, by which task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.objective import LogNormal
from mezzotint.diffusion.solver.base import Solver
from mezzotint.errors import InputError, UsageError
from mezzotint.fewstep.asked import as_pairs, sampled, way
from mezzotint.fewstep.bases import bounds
from mezzotint.fewstep.consistency import Consistency
from mezzotint.fewstep.follow import Follow
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.student import Learner, Pace, adapted, learner_of, rate_of, student_recipe, whole
from mezzotint.fewstep.walks import OfRows, Walks, halves, walks
from mezzotint.making.calibrated.losses import LOSSES, loss_for
from mezzotint.making.classes import class_numbers
from mezzotint.making.distilled.settings import Settings
from mezzotint.making.job import Job
from mezzotint.making.tuned.told import Told, reader
from mezzotint.pretrained.spec import Sampling
from mezzotint.pretrained.stage_model import StageModel
from mezzotint.pretrained.system import System
from mezzotint.pretrained.tunable import Tunable, tunable
from mezzotint.training.conditioning import Conditioning, Labels, Unconditional
from mezzotint.training.data.detect import HELD_OUT_EVERY, open_data
from mezzotint.training.data.order import Order
from mezzotint.training.data.readable import decodable, readable
from mezzotint.training.data.source import Data, Item, Source
from mezzotint.training.recipe import Recipe

LEVELS = LogNormal(-1.1, 2.0)
"""At which ln(sigma/alpha) consistency is learnt.  Geng et al., 2024, app. A, for CIFAR-10."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Everything decided before the first update.

    solver, levels: of the student.  halves: of a network that gets an adapter, else None.
    pictures: held-out ones of the check of consistency, (N, C, H, W) uint8; a trajectory is checked without any.
    """

    recipe: Recipe
    data: Data
    problem: Problem
    sampling: Sampling
    solver: Solver[Any]
    levels: Level
    halves: Tunable | None
    pictures: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Student:
    """What is learnt, before its samples are known."""

    learner: Learner
    build: Callable[[Learner], nn.Module]
    halves: Tunable | None
    pace: Pace


def student_of(job: Job, said: Settings) -> Student:
    """What is learnt of a job's main stage.   Raises UsageError for a network that takes no adapters, and for one that
    cannot be written whole: of a library, or of a system of several folders."""
    stage = job.main.model
    if said.form == "adapter":
        found = tunable(stage, job.device, job.dtype)
        learner, build = learner_of(stage, found, said.rank, said.seed), adapted(found)
    elif isinstance(stage, StageModel) and _alone(job.model.system):
        found = None
        learner, build = learner_of(stage, None, 0, said.seed), whole(stage.network)
    else:
        raise UsageError(f"{job.model.name} is more than one model folder of ours, so give --as adapter")
    network = stage.network if isinstance(stage, StageModel) else build(learner)
    rate = rate_of(learner, network) if said.rate is None else said.rate
    # A frozen base has its number format already; masters in float32 are cast as they are used.
    plain = found is not None or job.dtype == torch.float32
    pace = Pace(said.updates, said.batch, rate, said.seed, said.snapshot, dtype="float32" if plain else "auto")
    return Student(learner, build, found, pace)


def _alone(system: System) -> bool:
    """Whether a system is one model folder, which says all of itself."""
    return len(system.members) == 1 and system.text == system.members[0].described.spec.text


def followed(
    job: Job, problem: Problem, said: Settings, folder: Path, report: Callable[[int], None], stop: Callable[[], bool],
    key: str,
) -> Lesson:  # fmt: skip
    """Trajectory distillation: the teacher's walks are made first.  Raises as ``walks``, UsageError."""
    stage, student = job.main.model, student_of(job, said)
    if len(problem.shape) != 3:
        raise UsageError(f"{stage.name} has states of {problem.shape}; trajectories of (C, H, W) alone are kept")
    sampling = sampled(stage.spec, said.by, said.calls, said.last)
    solver, levels = way(stage.spec, sampling)
    each = -(-said.teacher // said.calls)
    low = bounds(problem.schedule)[1]
    count = len(problem.learnt)

    def made(rows: range, before: int) -> Walks:
        return walks(problem, rows, levels, each, low, folder, key, lambda n: report(before + n), stop)

    data = Data(made(problem.learnt, 0), made(problem.held_out, count))
    codec = job.main.model.codec(job.device, job.dtype)
    kept = halves(problem.shape, len(levels))
    shape = (kept.stored[0], kept.stored[1], kept.stored[2])
    task = Follow(as_pairs(levels), LOSSES[loss_for(codec, said.loss)], isinstance(codec, Pixels))
    told = OfRows(key, problem.cond)
    made_of = student_recipe(
        stage, student.learner, student.build, student.pace, task, LEVELS, data, shape, kept, told
    )  # fmt: skip
    return Lesson(made_of, data, problem, sampling, solver, levels, student.halves)


def consistent(job: Job, problem: Problem, said: Settings, data: Data) -> Lesson:
    """Consistency tuning on data.   Raises UsageError, InputError (too few pictures are held out, among others)."""
    shape = picture_of(job)
    pictures = real(data, shape, len(problem.held_out))  # before hours of learning, which could not be checked after
    stage, student = job.main.model, student_of(job, said)
    sampling = sampled(stage.spec, said.by, said.calls, said.last)
    solver, levels = way(stage.spec, sampling)
    codec = stage.codec(job.device, job.dtype)
    made_of = student_recipe(
        stage, student.learner, student.build, student.pace, Consistency(q=said.q, first=said.q), LEVELS, data,
        shape, codec, conditioning_of(job, data.train),
    )  # fmt: skip
    return Lesson(made_of, data, problem, sampling, solver, levels, student.halves, pictures)


def picture_of(job: Job) -> tuple[int, int, int]:
    """(C, H, W) of the pictures that a stage learns from.  Raises UsageError where it makes none."""
    codec = job.main.model.codec(job.device, job.dtype)
    if isinstance(codec, Pixels):
        return codec.channels, *codec.size
    if len(codec.shape) != 3:
        raise UsageError(f"{job.main.model.name} makes no pictures; consistency is learnt from pictures alone")
    width, height = job.size
    return 3, height, width


def opened_data(folder: Path) -> Data:
    """The pictures of a folder, some held out.  Raises InputError, UsageError."""
    found = open_data(folder)
    if found.held_out is None:
        raise InputError(f"{folder} has nothing held out; expected more pictures")
    return found


@dataclass(frozen=True)
class Numbered:
    """A ``Conditioning`` of a data set's classes.   numbers: of each, in the model."""

    numbers: tuple[int, ...]
    labels: Labels

    def __call__(self, items: Sequence[Item]) -> Any:
        return self.labels([replace(one, label=self._number(one)) for one in items])

    def null(self, rows: int) -> Any:
        return self.labels.null(rows)

    def _number(self, one: Item) -> int | None:
        known = one.label is not None and self.numbers and 0 <= one.label < len(self.numbers)
        return self.numbers[one.label] if known and one.label is not None else one.label


def conditioning_of(job: Job, source: Source) -> Conditioning:
    """What a stage is told of a data set's samples.   Raises UsageError for classes that the model has not."""
    system = job.model.system
    if system.labels:
        return Numbered(class_numbers(system, source.classes), Labels(len(system.labels)))
    if system.text is None and not system.readers:
        return Unconditional()
    read = reader(system, system.size, job.main.model.takes, 1.0)
    return Told(read, job.prompts[0])


def captions_of(source: Source, count: int) -> tuple[str, ...]:
    """Of some samples of a data set, each once.  Raises InputError where there is none."""
    some = islice(readable(Order(source, 0, source.shards)), count)
    found = dict.fromkeys(item.text for item in some if item.text)
    if not found:
        raise InputError("the data has no captions, and the model is told texts; put NAME.txt beside each picture")
    return tuple(found)


def real(data: Data, shape: tuple[int, int, int], count: int) -> Tensor:
    """Held-out pictures, (N, C, H, W) uint8.  Raises InputError where those that can be read are too few."""
    assert data.held_out is not None
    order = Order(data.held_out, 0, data.held_out.shards)
    found = [picture for _, picture in islice(decodable(order, shape), count)]
    if len(found) < count:
        raise InputError(
            f"{len(found)} pictures are held out and can be read, and the check needs {count}: put so many into a"
            f" folder `validation` beside `train`, or give about {count * HELD_OUT_EVERY:,} pictures, of which every"
            f" {HELD_OUT_EVERY}th is held out"
        )
    return torch.stack(found)
