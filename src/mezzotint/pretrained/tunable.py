"""A stage as training sees it: its network, the layers that adapters go on, and its noise levels."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import nn

from mezzotint.diffusion.objective import (
    Capped,
    EDMWeight,
    LevelSampler,
    LogitNormal,
    LogNormal,
    Uniform,
    Weight,
    flow_weight,
    snr,
    v_weight,
)
from mezzotint.diffusion.parametrisation import EDM, EPS, Clean, Indexed, Parametrisation, V
from mezzotint.diffusion.schedule import Flow
from mezzotint.errors import UsageError
from mezzotint.nets.adapters.lora import Layer
from mezzotint.nets.winograd import quick
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.stage_model import StageModel, frozen, parametrisation_of, schedule_of

ATTENTION = re.compile(r"(^|\.)(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out|attention\.(qkv|out|q|kv))$")
WITH_MLP = re.compile(rf"{ATTENTION.pattern}|(^|\.)blocks\.\d+\.mlp\.(gate|up|down)$")
MOST = 200.0
"""The largest weight of a level for a network that predicts the clean picture."""


@dataclass(frozen=True, eq=False)
class Tunable:
    """A stage's network in two halves: ``base`` has the layers, by the paths that adapters name; ``called`` makes of it
    one that is called as ours are, and of a network like it too."""

    base: nn.Module
    called: Callable[[nn.Module], nn.Module]

    def quick(self, but: Collection[str]) -> nn.Module:
        """The base, frozen, its layers but these as they are fastest here: what is learnt on it begins as it is."""
        weight = next(self.base.requires_grad_(False).parameters())
        return quick(self.base, weight.device.type, weight.dtype, but)


def _as_it_is(net: nn.Module) -> nn.Module:
    return net


def tunable(stage: AnyStage, device: str, dtype: torch.dtype) -> Tunable:
    """A stage's network on a device in a number format, for adapters to be learnt on.

    Raises UsageError for a stage of several networks, or of one whose layers take no adapters.
    """
    if isinstance(stage, StageModel):
        made = Tunable(frozen(stage.network, device, dtype), _as_it_is)
    elif len(stage.nets) > 1:
        raise UsageError(f"{stage.name} has {len(stage.nets)} networks in its main stage; one can be tuned at a time")
    else:
        foreign = stage
        made = Tunable(network_of(stage.nets[0], device, dtype), lambda net: foreign.wrap([net], ()))
    if not any(isinstance(layer, Layer) for layer in made.base.modules()):
        raise UsageError(f"{stage.name} takes no adapters: its network has no layers that they go on")
    return made


def paths(base: nn.Module, pattern: str | None = None) -> tuple[str, ...]:
    """The layers that are adapted, in the network's order.

    pattern: a regular expression that is searched in a layer's path; None is every attention's projections, and in
    transformers of ours the perceptrons too.   Raises UsageError for a pattern that is none, or that no layer has.
    """
    try:
        wanted = WITH_MLP if pattern is None else re.compile(pattern)
    except re.error as error:
        raise UsageError(f"targets {pattern!r} is no regular expression ({error}); try 'attn2|to_out'") from error
    known = [path for path, layer in base.named_modules() if isinstance(layer, Layer)]
    found = tuple(path for path in known if wanted.search(path))
    if not found:
        raise UsageError(f"targets {pattern!r} are in no layer's name; they are such as {', '.join(known[:4])}")
    return found


def levels_of(spec: Spec) -> LevelSampler:
    """At which noise levels a model is tuned: as its kind is trained; see ``diffusion.objective``."""
    schedule = schedule_of(spec)
    if isinstance(schedule, Flow):
        return LogitNormal()
    if _plain(spec) in (EPS, V):
        return Uniform(schedule, 1e-3, 1.0)
    return LogNormal(-0.4, 1.4)


def weight_of(spec: Spec) -> Weight:
    """How much a level's error counts: so that the loss is that on what the network predicts."""
    plain = _plain(spec)
    if isinstance(plain, EDM | Clean):
        weight = EDMWeight(plain.sigma_data)
        return Capped(weight, MOST) if isinstance(plain, Clean) else weight
    if plain is EPS:
        return snr
    return v_weight if plain is V else flow_weight


def _plain(spec: Spec) -> Parametrisation:
    """A parametrisation without the table that its network counts by."""
    said = parametrisation_of(spec)
    return said.base if isinstance(said, Indexed) else said
