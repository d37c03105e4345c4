"""Every setting on the same noises: calls counted, seconds, and how far its pictures are from those of many steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.evaluation.features import Features
from mezzotint.evaluation.kernel import kernel_distance
from mezzotint.fewstep.calibrated import distances
from mezzotint.fewstep.frontier import Kernel, Point, Setting
from mezzotint.fewstep.problem import Problem
from mezzotint.files import canonical_json, pretty_json, sha256, write_atomic
from mezzotint.pretrained.plan import Plan

MEASURED = "distance as shown"
"""What points that are kept must have been measured by."""


@dataclass(eq=False)
class Counter:
    """A denoiser that counts the rows it is asked about."""

    inner: Denoiser
    rows: int = 0

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        self.rows += len(x)
        return self.inner(x, level, cond)


@dataclass(frozen=True, eq=False)
class Bench:
    """What settings are measured on.

    problem: its learnt rows are made; ends: of many steps, of all rows, (rows, *shape).  each: evaluations of the
    network a call (``plan.guided_calls``).  work: where points are kept.
    """

    problem: Problem
    ends: Tensor
    codec: Codec
    features: Features
    each: int
    work: Path

    def pictures(self, ends: Tensor) -> Tensor:
        """uint8 (N, C, H, W)."""
        parts = torch.split(ends, self.problem.batch)
        with torch.no_grad():
            return torch.cat([self.codec.decode(part.to(self.problem.device)).cpu() for part in parts])

    def reference(self) -> Tensor:
        """Features of the many-step pictures from the noise that no setting is given."""
        return self.features(self.pictures(self.ends[list(self.problem.held_out)]))


def measured(bench: Bench, setting: Setting, plan: Plan, reference: Tensor) -> Point:
    """One point; what is kept is not measured again.   A setting that diverges is infinitely far."""
    about = [MEASURED, asdict(setting), plan.solver_choice, plan.grid_choice]
    path = bench.work / f"{sha256(canonical_json(about))[:20]}.json"
    kept = _kept(path, setting)
    if kept is not None:
        return kept
    rows, counter = bench.problem.learnt, Counter(bench.problem.denoiser)
    began = time.process_time()
    ends = replace(bench.problem, denoiser=counter).all_ends(rows, plan.levels, plan.solver).float()
    seconds = (time.process_time() - began) / len(rows)
    shown = bench.problem.shown
    distance = distances(shown(ends), shown(bench.ends[list(rows)])).mean().sqrt().item()
    finite = bool(ends.isfinite().all())
    found = kernel_distance(bench.features(bench.pictures(ends)), reference) if finite else None
    far = Kernel(float("inf"), float("inf"), float("inf"))
    kernel = far if found is None else Kernel(found.value, found.low, found.high)
    point = Point(setting, bench.each * counter.rows / len(rows), seconds, distance if finite else float("inf"), kernel)
    if finite:  # JSON has no infinity
        write_atomic(path, pretty_json(asdict(point)))
    return point


def _kept(path: Path, setting: Setting) -> Point | None:
    try:
        told = json.loads(path.read_bytes())
        return Point(setting, told["calls"], told["seconds"], told["distance"], Kernel(**told["kernel"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def all_measured(
    bench: Bench, plans: Sequence[tuple[Setting, Plan]], told: Callable[[int, Setting], None], stop: Callable[[], bool]
) -> list[Point] | None:
    """Every setting in turn, None where it was stopped.   told: (how many are done, the last)."""
    reference, found = bench.reference(), []
    for setting, plan in plans:
        if stop():
            return None
        found.append(measured(bench, setting, plan, reference))
        told(len(found), setting)
    return found
