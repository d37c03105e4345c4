"""Tuning as a training recipe: a frozen base, adapters on some of its layers, the product's sittings to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.schedule import Schedule
from mezzotint.nets.adapters.trained import trained
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.stage_model import parametrisation_of, schedule_of
from mezzotint.pretrained.tunable import Tunable, levels_of, paths, weight_of
from mezzotint.training.conditioning import Conditioning
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.task import Tune, Tuned

AVERAGE = Power(0.10)
"""The average that is judged and kept."""


@dataclass(frozen=True)
class Adapters:
    """What is learnt, as a recipe names it.   base: SHA-256 of the weights it is put on.  dtype: theirs."""

    base: str
    dtype: str
    method: Method
    paths: tuple[str, ...]
    seed: int


def built(halves: Tunable, schedule: Schedule) -> Callable[[Adapters], nn.Module]:
    """Makes the network of a recipe: the base with its adapters as they begin.   schedule: the base's."""

    def tuned(said: Adapters) -> nn.Module:
        begin = said.method.begin
        net = trained(halves.base, dict.fromkeys(said.paths, begin), said.seed)
        t = None if said.method.least is None else schedule.t
        return Tuned(halves.called(net), halves.called(halves.base), t)

    return tuned


def tuning_recipe(
    stage: AnyStage,
    halves: Tunable,
    said: Settings,
    codec: Codec,
    shape: tuple[int, int, int],
    conditioning: Conditioning,
    data: Data,
) -> Recipe:
    """The recipe of an adapter of a stage.

    codec: what items hold, less the mask -> states.  shape: of items, the mask in its last channel.
    """

    def given(folder: Path | None) -> Data:
        return data

    method = said.method
    factors = () if method.faster == 1 else (("*.up", method.faster),)
    dtype = str(next(halves.base.parameters()).dtype)
    named = Adapters(stage.described.weights_sha256, dtype, method, paths(halves.base, method.targets), said.seed)
    every = -(-said.steps // said.moments)
    return Recipe(
        name="tune",
        net=named,
        build=built(halves, schedule_of(stage.spec)),
        shape=shape,
        codec=codec,
        parametrisation=parametrisation_of(stage.spec),
        levels=levels_of(stage.spec),
        weight=weight_of(stage.spec),
        task=Tune(said.prior, said.outside),
        data=given,
        conditioning=conditioning,
        drop=0.1,
        batch=said.batch,
        steps=said.steps,
        optimiser=Optimiser(
            said.rate, warmup=min(50, said.steps // 10), decay=Trapezoid(0.3, 0.05), factors=factors, clip=1.0
        ),
        ema=(AVERAGE,),
        dtype="float32",
        mix=64,
        seed=said.seed,
        validation_samples=64,
        every=Every(validation=max(1, every // 2), checkpoint=every, snapshot=every),
    )
