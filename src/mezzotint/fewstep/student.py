"""What is learnt by distillation: the whole network, or an adapter on it; and the recipe of the run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.objective import LevelSampler
from mezzotint.nets.adapters.begun import LoRA
from mezzotint.nets.adapters.trained import trained
from mezzotint.nets.magnitude import MPConv, project_
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.stage_model import parametrisation_of
from mezzotint.pretrained.tunable import Tunable, paths, weight_of
from mezzotint.training.conditioning import Conditioning
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power, Profile
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.training.task import Task

AVERAGE: Profile = Power(0.10)
"""The average that is held against the start and kept."""

RATE, PRESERVING, ADAPTER = 1e-4, 2e-3, 1e-3
"""The rate of whole networks; of those that keep the magnitude of what passes, whose weights are all about 1; and of
adapters."""

WARMUP = 50


@dataclass(frozen=True)
class Learner:
    """What is learnt, as a recipe names it.

    base: SHA-256 of the weights that it begins with.  dtype: of a frozen base, "" where all is learnt.
    paths: the layers with an adapter, () where all is learnt.
    """

    base: str
    dtype: str = ""
    paths: tuple[str, ...] = ()
    rank: int = 0
    seed: int = 0


def whole(network: nn.Module) -> Callable[[Learner], nn.Module]:
    """Makes a copy of a network, all of it learnt."""

    def student(said: Learner) -> nn.Module:
        return copy.deepcopy(network).requires_grad_(True)

    return student


def adapted(halves: Tunable) -> Callable[[Learner], nn.Module]:
    """Makes the network with an adapter as it begins, a change of nothing."""

    def student(said: Learner) -> nn.Module:
        begins = dict.fromkeys(said.paths, LoRA(said.rank))
        return halves.called(trained(halves.quick(but=begins), begins, said.seed))

    return student


def learner_of(stage: AnyStage, halves: Tunable | None, rank: int, seed: int) -> Learner:
    """What is learnt of a stage.   halves: of a network that gets an adapter, None where all is learnt."""
    base = stage.described.weights_sha256
    if halves is None:
        return Learner(base)
    return Learner(base, str(next(halves.base.parameters()).dtype), paths(halves.base), rank, seed)


def rate_of(learner: Learner, network: nn.Module) -> float:
    """The usual one."""
    if learner.paths:
        return ADAPTER
    return PRESERVING if any(isinstance(m, MPConv) for m in network.modules()) else RATE


@dataclass(frozen=True)
class Pace:
    """How long and how fast.   snapshot: updates between copies of the average that are kept, 0 keeps none.
    cooling: share of the run over which the rate falls to 0.   dtype: of the passes, as a recipe names it."""

    updates: int
    batch: int
    rate: float
    seed: int = 0
    snapshot: int = 0
    cooling: float = 0.5
    dtype: str = "auto"


def student_recipe(
    stage: AnyStage,
    learner: Learner,
    build: Callable[[Any], nn.Module],
    pace: Pace,
    task: Task,
    levels: LevelSampler,
    data: Data,
    shape: tuple[int, int, int],
    codec: Codec,
    conditioning: Conditioning,
) -> Recipe:
    """The recipe of a distillation.   shape, codec: of samples.  levels: where a task draws them."""

    def given(folder: Path | None) -> Data:
        return data

    return Recipe(
        name="distill",
        net=learner,
        build=build,
        shape=shape,
        codec=codec,
        parametrisation=parametrisation_of(stage.spec),
        levels=levels,
        weight=weight_of(stage.spec),
        task=task,
        data=given,
        conditioning=conditioning,
        batch=pace.batch,
        steps=pace.updates,
        optimiser=Optimiser(
            pace.rate, warmup=min(WARMUP, pace.updates // 10), decay=Trapezoid(pace.cooling, 0.0), clip=1.0
        ),
        project=project_,
        ema=(AVERAGE,),
        dtype=pace.dtype,
        seed=pace.seed,
        validation_samples=256,
        every=Every(validation=max(1, pace.updates // 10), checkpoint=25, snapshot=pace.snapshot),
    )


def averaged(net: nn.Module, average: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a network with an average's weights, float32, as it is asked."""
    made = copy.deepcopy(net).float()
    made.load_state_dict(dict(average), strict=False)
    return made.eval().requires_grad_(False)
