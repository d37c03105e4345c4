"""Tuning as a training recipe: a frozen base, adapters on some of its layers, the product's sittings to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from mezzotint.codecs.base import Codec
from mezzotint.nets.adapters.trained import trained
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.stage_model import parametrisation_of
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

WARMUP = 10
"""Updates until the rate is whole, at most.  A change begins at nothing, so there is little to disturb: with 50 the
same loss on what is held apart took a tenth to a third more processor time."""


@dataclass(frozen=True)
class Adapters:
    """What is learnt, as a recipe names it.   base: SHA-256 of the weights it is put on.  dtype: theirs."""

    base: str
    dtype: str
    method: Method
    paths: tuple[str, ...]
    seed: int


Prepare = Callable[[nn.Module], nn.Module]
"""A network that is learnt on -> the same, prepared for it."""


def as_it_is(net: nn.Module) -> nn.Module:
    """Nothing is prepared."""
    return net


def built(halves: Tunable, prepare: Prepare = as_it_is) -> Callable[[Adapters], nn.Module]:
    """Makes the network of a recipe: the base with its adapters as they begin."""

    def tuned(said: Adapters) -> nn.Module:
        begin = said.method.begin
        net = trained(halves.base, dict.fromkeys(said.paths, begin), said.seed)
        return Tuned(prepare(halves.called(net)), halves.called(halves.base))

    return tuned


def tuning_recipe(
    stage: AnyStage,
    halves: Tunable,
    said: Settings,
    codec: Codec,
    shape: tuple[int, int, int],
    conditioning: Conditioning,
    data: Data,
    prepare: Prepare = as_it_is,
) -> Recipe:
    """The recipe of an adapter of a stage.

    codec: what items hold, less the mask -> states.  shape: of items, the mask in its last channel.  prepare: the
    network, in ways that do not change what is learnt.
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
        build=built(halves, prepare),
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
            said.rate, warmup=min(WARMUP, said.steps // 10), decay=Trapezoid(0.3, 0.05), factors=factors, clip=1.0
        ),
        ema=(AVERAGE,),
        dtype="float32",
        mix=64,
        seed=said.seed,
        validation_samples=64,
        every=Every(validation=max(1, every // 2), checkpoint=every, snapshot=every),
    )
