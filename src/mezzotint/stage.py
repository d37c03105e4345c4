"""Stages: a denoiser with its codec, grid and solver; linked, they make latent, prior and cascade systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.level import Level, noised
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import State, start, trajectory
from mezzotint.diffusion.solver.base import Solver

Link = Callable[[Cond, Tensor | None, Noise], Cond]
"""(the pipeline's cond, what the stage before put out or None, this stage's noise) -> this stage's cond."""

LINK_DRAW = 2**63 - 1
"""The draw a link uses for noise of its own, beyond every draw of a trajectory and of a Brownian path."""


AWAY = "away"
"""The condition that stands for nothing where each row has its own."""


def keep(cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
    """The link of a first or only stage: cond as it is."""
    return cond


@dataclass(frozen=True)
class Embed:
    """DALL-E 2's link: the previous output (B, *) is a condition under ``name``; of (B, 2, *) the first is, and the
    second, what to steer away from, under ``away``.  Ramesh et al., 2022, unCLIP, sec. 2."""

    name: str = "vector"

    def __call__(self, cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
        if previous is None:
            return cond
        if previous.ndim == 2:
            return {**cond, self.name: previous}
        return {**cond, self.name: previous[:, 0], AWAY: previous[:, 1]}


@dataclass(frozen=True)
class Enlarge:
    """Pictures (B, C, h, w) uint8 -> (B, C, *size) float32 in -1 … 1, bilinear: a cascade's smaller picture made as
    large as the next stage's."""

    size: tuple[int, ...]

    def __call__(self, data: Tensor) -> Tensor:
        return self.floats(data.float() / 127.5 - 1)

    def floats(self, x: Tensor) -> Tensor:
        """The same of a picture in -1 … 1."""
        return torch.nn.functional.interpolate(x, self.size, mode="bilinear", align_corners=False)


def floats(data: Tensor) -> Tensor:
    """Pictures, uint8 or floats -1 … 1, as floats."""
    return data if data.is_floating_point() else data.float() / 127.5 - 1


@dataclass(frozen=True)
class Resized:
    """Pictures (B, C, h, w), uint8 or floats -1 … 1 -> floats (B, C, *size), as published cascades enlarge theirs."""

    size: tuple[int, ...]
    mode: Literal["bilinear", "bicubic"]

    def __call__(self, data: Tensor) -> Tensor:
        smooth = self.mode == "bicubic"
        return torch.nn.functional.interpolate(
            floats(data), self.size, mode=self.mode, align_corners=not smooth, antialias=smooth
        )


@dataclass(frozen=True)
class Lowres:
    """A cascade's link: the previous output, enlarged and noised to ``level``, which the next denoiser is told too.

    cond gains ``lowres`` (B, *) and ``lowres_logsnr`` (B,).  Ho et al., 2022, Cascaded Diffusion Models, sec. 4.2.
    enlarge: (B, *) -> (B, *), the previous codec's data to this stage's state.  level: ().
    """

    enlarge: Callable[[Tensor], Tensor]
    level: Level

    def __call__(self, cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
        if previous is None:
            return cond
        small = self.enlarge(previous)
        lowres = noised(small, noise(LINK_DRAW, small.shape).to(small), self.level)
        logsnr = self.level.logsnr.to(small).expand(len(small))
        return {**cond, "lowres": lowres, "lowres_logsnr": logsnr}


@dataclass(frozen=True)
class Beside:
    """An upscaler's link: the small picture (B, 3, h, w), uint8 or floats -1 … 1, noised, beside the state.

    cond gains ``lowres`` (B, 3, h, w) in -1 … 1, at ``level`` (), and ``lowres_level`` (B,): its index, as told.
    enlarge: to the state's height and width, None where it has them.
    Saharia et al., 2021, Image Super-Resolution via Iterative Refinement, sec. 2.4; its noise as in ``Lowres``.
    """

    level: Level
    index: float
    enlarge: Resized | None = None

    def __call__(self, cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
        assert previous is not None
        small = floats(previous) if self.enlarge is None else self.enlarge(previous)
        lowres = noised(small, noise(LINK_DRAW, small.shape).to(small), self.level)
        return {**cond, "lowres": lowres, "lowres_level": small.new_full((len(small),), self.index)}


@dataclass(frozen=True)
class Prefixed:
    """A link of a stage that is told what begins with ``prefix``, under the names without it, by another link."""

    prefix: str
    link: Link = keep

    def __call__(self, cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
        own = {name.removeprefix(self.prefix): v for name, v in cond.items() if name.startswith(self.prefix)}
        return self.link(own, previous, noise)


@dataclass(frozen=True)
class Fed:
    """A link and the names that the stage's network takes: what else the pipeline is told does not reach it."""

    link: Link
    names: tuple[str, ...]

    def __call__(self, cond: Cond, previous: Tensor | None, noise: Noise) -> Cond:
        fed = self.link(cond, previous, noise)
        return {name: fed[name] for name in self.names if name in fed}


@dataclass(frozen=True)
class Stage:
    """One denoiser and all that a run of it needs; ``link`` makes its cond from the previous stage's output."""

    denoiser: Denoiser
    codec: Codec
    levels: Level
    solver: Solver[Any]
    link: Link = keep

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample's state."""
        return self.codec.shape


@dataclass(frozen=True)
class Begin:
    """Where a trajectory begins that is not run from pure noise.

    x0: a known state (1, *) or (B, *), noised to the level of step ``first``.   Meng et al., 2022, SDEdit, alg. 1.
    """

    x0: Tensor
    first: int


@dataclass(frozen=True)
class Resume:
    """Where a trajectory goes on that another stage began.   x: the state (B, *) at the level of step ``first``."""

    x: Tensor
    first: int


def steps(
    stage: Stage,
    k: int,
    cond: Cond,
    seeds: tuple[int, ...],
    previous: Tensor | None = None,
    device: str = "cpu",
    begin: Begin | Resume | None = None,
) -> Iterator[State]:
    """The trajectory of stage number k, one ``State`` a step; noise is keyed by (seed, k).

    Args: cond: each entry (B, *) with B = len(seeds).  previous: what the stage before put out, (B, *).
        begin: from a known or handed-over state and a later step; None is pure noise and the first.
    """
    noise = Noise(seeds, stage=k)
    told = stage.link(cond, previous, noise)
    if begin is None:
        x = start(noise, stage.shape, stage.levels, device)
        return trajectory(stage.denoiser, x, stage.levels, stage.solver, noise, told)
    levels = stage.levels[begin.first :]
    if isinstance(begin, Resume):
        return trajectory(stage.denoiser, begin.x, levels, stage.solver, noise, told, begin.first)
    x0 = begin.x0.expand(len(seeds), *stage.shape)
    x = noised(x0, noise(0, x0.shape).to(x0), levels[0])
    return trajectory(stage.denoiser, x, levels, stage.solver, noise, told, begin.first)


def run(stages: Sequence[Stage], cond: Cond, seeds: tuple[int, ...], device: str = "cpu") -> tuple[Tensor, ...]:
    """Every stage in turn, without gradients.   Returns: each stage's decoded output, (B, *data)."""
    outputs: list[Tensor] = []
    previous: Tensor | None = None
    with torch.inference_mode():
        for k, stage in enumerate(stages):
            *_, last = steps(stage, k, cond, seeds, previous, device)
            previous = stage.codec.decode(last.x)
            outputs.append(previous)
    return tuple(outputs)


@dataclass(frozen=True)
class Pipeline:
    """Stages under one name: a system to call."""

    stages: tuple[Stage, ...]

    @property
    def calls(self) -> int:
        """Solver-declared network calls of one run, over all stages (guidance multiplies them)."""
        return sum(stage.solver.calls * (len(stage.levels) - 1) for stage in self.stages)

    def __call__(self, cond: Cond, seeds: tuple[int, ...], device: str = "cpu") -> tuple[Tensor, ...]:
        """``run`` of the stages."""
        return run(self.stages, cond, seeds, device)
