"""Tuning as a training recipe: a frozen base, adapters on some of its layers, the product's sittings to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.schedule import Schedule
from mezzotint.nets.adapters.layouts import Part
from mezzotint.nets.adapters.trained import trained
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.stage_model import parametrisation_of, schedule_of
from mezzotint.pretrained.tunable import Tunable, levels_of, paths, weight_of
from mezzotint.pretrained.tunable_texts import Texts
from mezzotint.training.conditioning import Conditioning
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.task import Tune, Tuned

AVERAGE = Power(0.10)
"""The average that is judged and kept."""

LOOKS = 8
"""How often what is held apart is measured, at least."""

WARMUP = 10
"""Updates until the rate is whole, at most.  A change begins at nothing, so there is little to disturb: with 50 the
same loss on what is held apart took a tenth to a third more processor time."""


@dataclass(frozen=True)
class Word:
    """A word whose vectors are learnt.   initial: what it means at the start.  vectors: how many."""

    name: str
    initial: str
    vectors: int


@dataclass(frozen=True)
class Adapters:
    """What is learnt, as a recipe names it.   base: SHA-256 of the weights it is put on.  dtype: theirs.
    texts: of each text encoder that is learnt on, its layers.  word: that is learnt, in the place of all else.
    encoders: SHA-256 of text encoders' weights, where they are learnt on."""

    base: str
    dtype: str
    method: Method
    paths: tuple[str, ...]
    seed: int
    texts: tuple[tuple[Part, tuple[str, ...]], ...] = ()
    word: Word | None = None
    encoders: tuple[str, ...] = ()


Prepare = Callable[[nn.Module], nn.Module]
"""A network that is learnt on -> the same, prepared for it."""


def as_it_is(net: nn.Module) -> nn.Module:
    """Nothing is prepared."""
    return net


def built(
    halves: Tunable, schedule: Schedule, texts: Texts | None, prepare: Prepare = as_it_is
) -> Callable[[Adapters], nn.Module]:
    """Makes the network of a recipe: the base with its adapters as they begin.

    schedule: the base's.  texts: its text encoders where they are learnt on.
    """

    def tuned(said: Adapters) -> nn.Module:
        begins = dict.fromkeys(said.paths, said.method.begin) if said.paths else {}
        base = halves.quick(but=begins)
        net = prepare(halves.called(trained(base, begins, said.seed)))
        t = None if said.method.least is None else schedule.t
        if texts is None:
            return Tuned(net, halves.called(base), t)
        return Tuned(texts.beside(net, _learning(texts, said)), texts.beside(halves.called(base)), t)

    return tuned


def _learning(texts: Texts, said: Adapters) -> Mapping[Part, nn.Module]:
    """The text encoders with what is learnt on them as it begins."""
    if said.word is not None:
        return texts.learning(texts.start(said.word.initial, said.word.vectors))
    begin = said.method.begin_text
    return {
        name: trained(texts.networks[name], dict.fromkeys(paths, begin), said.seed + 1 + k)
        for k, (name, paths) in enumerate(said.texts)
    }


def named(stage: AnyStage, halves: Tunable, said: Settings, texts: Texts | None, word: Word | None) -> Adapters:
    """What is learnt of a stage.   word: in the place of adapters."""
    method, weights = said.method, stage.described.weights_sha256
    dtype = str(next(halves.base.parameters()).dtype)
    encoders = () if texts is None else texts.sha256
    if word is not None:
        return Adapters(weights, dtype, method, (), said.seed, (), word, encoders)
    layers = () if texts is None else tuple(texts.paths.items())
    return Adapters(weights, dtype, method, paths(halves.base, method.targets), said.seed, layers, None, encoders)


def _factors(method: Method) -> tuple[tuple[str, float], ...]:
    """How many times as fast parts learn: B, text encoders, and B of those."""
    found = {"*.texts.*.up": method.text * method.faster, "*.texts.*": method.text, "*.up": method.faster}
    reads = method.text > 0
    return tuple((name, factor) for name, factor in found.items() if factor != 1 and (reads or "texts" not in name))


def looks(steps: int, every: int) -> int:
    """Updates between measurements of what is held apart: an eighth of a run, so that one can end early however few its
    moments are; or as little as half of that, where it then divides ``every``, so that each moment has its own."""
    most = max(1, steps // LOOKS)
    return next((n for n in range(most, most // 2, -1) if every % n == 0), most)


def tuning_recipe(
    stage: AnyStage,
    halves: Tunable,
    said: Settings,
    rate: float,
    codec: Codec,
    shape: tuple[int, int, int],
    conditioning: Conditioning,
    data: Data,
    texts: Texts | None = None,
    word: Word | None = None,
    prepare: Prepare = as_it_is,
) -> Recipe:
    """The recipe of an adapter of a stage, or of a word.

    rate: of learning.  codec: what items hold, less what counts -> states.  shape: of items, what counts in its last
    channel.  texts: its text encoders where they are learnt on.  word: in the place of adapters.  prepare: the network,
    in ways that do not change what is learnt.
    """

    def given(folder: Path | None) -> Data:
        return data

    every = -(-said.steps // said.moments)
    return Recipe(
        name="tune",
        net=named(stage, halves, said, texts, word),
        build=built(halves, schedule_of(stage.spec), texts, prepare),
        shape=shape,
        codec=codec,
        parametrisation=parametrisation_of(stage.spec),
        levels=levels_of(stage.spec),
        weight=weight_of(stage.spec),
        task=Tune(said.prior, said.outside),
        data=given,
        conditioning=conditioning,
        batch=said.batch,
        steps=said.steps,
        optimiser=Optimiser(
            rate,
            warmup=min(WARMUP, said.steps // 10),
            decay=Trapezoid(0.3, 0.05),
            factors=_factors(said.method),
            clip=1.0,
        ),
        ema=(AVERAGE,),
        dtype="float32",
        mix=64,
        seed=said.seed,
        validation_samples=64,
        every=Every(validation=looks(said.steps, every), checkpoint=every, snapshot=every),
    )
