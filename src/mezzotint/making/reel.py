"""The film of a job: the states of its trajectories as pictures, stage after stage."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from mezzotint.codecs.pixels import rounded
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import start
from mezzotint.making.forward import rows_first, unit
from mezzotint.making.image import Progress
from mezzotint.making.job import Job, Planned
from mezzotint.pictures.film import MAX_FRAMES, Moment, spread
from mezzotint.pictures.png import Pixels


def label(i: int, steps: int, level: Level) -> str:
    """What is written below a moment: the step, and the noise's share of the state's variance."""
    share = (level.sigma / level.scale).square().item()
    return f"step {i}/{steps}\nnoise {100 * share:.3g} %"


def _finite(*tensors: Tensor) -> bool:
    return all(bool(x.isfinite().all()) for x in tensors)


@dataclass
class Reel:
    """Collects moments while a job runs; ``take`` hands over a finished picture's and forgets them.

    Stages whose state is no picture (an embedding) are left out; smaller pictures are shown at the size of the last.
    So are states of numbers that are none: what becomes of them is the run's to say, which decodes them (``again``).
    """

    job: Job
    _moments: dict[int, list[Moment]] = field(default_factory=dict)
    _at: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, progress: Progress) -> None:
        """Keeps the state after a step, and before a stage's first one the noise; at most 120 moments a film.

        A picture that is begun once more, alone or without a batch-mate, loses the moments of before.
        """
        if progress.draft:
            return
        state, stage = progress.state, self.job.stages[progress.stage]
        self._forget(progress.seeds, (progress.stage, state.i))
        codec = stage.model.codec(self.job.device, self.job.dtype)
        if len(codec.shape) != 3:
            return
        if state.i == 0 and self.job.edit is None:
            self._begin(progress.seeds, stage, progress.stage)
        if state.i + 1 not in self._kept(state.steps) or not _finite(state.x, state.x0):
            return
        shown, ends = (rounded(codec.decode(x)) for x in (unit(state.x, state.level), state.x0))
        text = label(state.i + 1, state.steps, state.level)
        for seed, x, x0 in zip(progress.seeds, shown, ends, strict=False):
            self._moments.setdefault(seed, []).append(Moment(self._large(x), self._large(x0), text))

    def _forget(self, seeds: tuple[int, ...], at: tuple[int, int]) -> None:
        """The moments of pictures that are no further than they were.   at: stage and step."""
        for seed in seeds:
            if at <= self._at.get(seed, (-1, -1)):
                self._moments.pop(seed, None)
            self._at[seed] = at

    def _kept(self, steps: int) -> set[int]:
        return set(spread(steps + 1, MAX_FRAMES // len(self.job.stages)))

    def _begin(self, seeds: tuple[int, ...], stage: Planned, k: int) -> None:
        levels, codec = stage.plan.levels, stage.model.codec(self.job.device, self.job.dtype)
        grain = start(Noise(seeds, stage=k), codec.shape, levels, self.job.device)
        x = rounded(codec.decode(unit(grain, levels[0])))
        for seed, first in zip(seeds, x, strict=True):
            pixels = self._large(first)
            self._moments.setdefault(seed, []).append(Moment(pixels, pixels, label(0, stage.plan.steps, levels[0])))

    def _large(self, picture: Tensor) -> Pixels:
        """(H, W, C) of (c, h, w), each pixel repeated to the size of the job's pictures."""
        pixels = rows_first(picture)
        width, _ = self.job.size
        factor = max(1, width // pixels.shape[1])
        return np.ascontiguousarray(pixels.repeat(factor, 0).repeat(factor, 1))

    def take(self, seed: int) -> list[Moment]:
        """The moments of a picture, from noise to it; none where no state was kept."""
        return self._moments.pop(seed, [])
