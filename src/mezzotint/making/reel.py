"""The film of a job: the states of its trajectories as pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import start
from mezzotint.making.forward import rows_first, unit
from mezzotint.making.image import Progress
from mezzotint.making.job import Job
from mezzotint.pictures.film import MAX_FRAMES, Moment, spread


def label(i: int, steps: int, level: Level) -> str:
    """What is written below a moment: the step, and the noise's share of the state's variance."""
    share = (level.sigma / level.scale).square().item()
    return f"step {i}/{steps}\nnoise {100 * share:.3g} %"


@dataclass
class Reel:
    """Collects moments while a job runs; ``take`` hands over a finished picture's and forgets them."""

    job: Job
    _moments: dict[int, list[Moment]] = field(default_factory=dict)

    def add(self, progress: Progress) -> None:
        """Keeps the state after a step, and before the first one the pure noise; at most 120 moments a film."""
        state = progress.state
        if state.i == 0:
            self._begin(progress.seeds, state.steps)
        if state.i + 1 not in self._kept(state.steps):
            return
        shown = self.job.model.codec.decode(unit(state.x, state.level))
        ends = self.job.model.codec.decode(state.x0)
        text = label(state.i + 1, state.steps, state.level)
        for seed, x, x0 in zip(progress.seeds, shown, ends, strict=False):
            self._moments[seed].append(Moment(rows_first(x), rows_first(x0), text))

    def _kept(self, steps: int) -> set[int]:
        return set(spread(steps + 1, MAX_FRAMES))

    def _begin(self, seeds: tuple[int, ...], steps: int) -> None:
        levels, codec = self.job.plan.levels, self.job.model.codec
        x = codec.decode(unit(start(Noise(seeds), codec.shape, levels), levels[0]))
        for seed, grain in zip(seeds, x, strict=True):
            pixels = rows_first(grain)
            self._moments[seed] = [Moment(pixels, pixels, label(0, steps, levels[0]))]

    def take(self, seed: int) -> list[Moment]:
        """The moments of a picture, from noise to it."""
        return self._moments.pop(seed)
