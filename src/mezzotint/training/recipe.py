"""A recipe: everything that decides what a training run computes, as one frozen value made by a Python function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.objective import LevelSampler, Weight
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.diffusion.philox import check_seed
from mezzotint.errors import UsageError, unknown
from mezzotint.training.conditioning import Conditioning, Unconditional
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power, Profile
from mezzotint.training.schedule import Optimiser
from mezzotint.training.task import Task, Told, denoise, nothing_told

DTYPES = ("auto", "bfloat16", "float32")

Augmentation = Callable[[Tensor, Tensor], Tensor]
"""(pictures (B, C, H, W) uint8, u (B,) uniform in (0, 1)) -> pictures; pure, u is its only randomness."""


class Assignment(Protocol):
    """(x0 (B, *), eps (B, *), labels (B,) or None) -> a permutation of eps's rows; applied within a micro-batch."""

    def __call__(self, x0: Tensor, eps: Tensor, groups: Tensor | None) -> Tensor: ...


def horizontal_flip(images: Tensor, u: Tensor) -> Tensor:
    """Mirrors the rows with u < 1/2, left to right."""
    return torch.where((u < 0.5)[:, None, None, None], images.flip(-1), images)


def unassigned(x0: Tensor, eps: Tensor, groups: Tensor | None) -> Tensor:
    """Every sample keeps the noise drawn for it."""
    return eps


def unprojected(net: nn.Module) -> None:
    """The weights stay as the optimiser leaves them."""


@dataclass(frozen=True)
class Every:
    """How often something happens, in steps; 0 is never.  Changing these does not change the weights.

    validation: a validation loss.  checkpoint: a checkpoint (one is always written at the end).
    snapshot: a copy of each power-function average for post-hoc reconstruction, kept for good.
    """

    validation: int = 1000
    checkpoint: int = 1000
    snapshot: int = 0


@dataclass(frozen=True)
class Recipe:
    """One training run, complete.

    name: what it reproduces; part of file names.
    net: configuration of the network, any value; goes into the model's config.   build: net -> the network, float32.
    shape: the picture's (channels, height, width); sources are resized and cropped to it.
    codec: pictures (B, C, H, W) uint8 -> the state x0 that is learnt; ``Pixels`` is the plain one.
    parametrisation: what the network predicts (EPS, V, X0, FLOW, EDM(sigma_data)).
    levels: which noise levels are practised, a map from stratified uniforms.   weight: on the squared x0 error of a
    level.
    data: folder or None -> what is learnt from and what is only measured; None is the recipe's own default place.
    data_licence: of that data: an id of ``mezzotint licence --records``, or ``our own``; "" is not known.
    batch: samples an update, over all processes, >= 1.   steps: updates of the whole run; decay is planned over them.
    accumulation: into how many equal parts an update's batch is cut to save memory; divides batch.
    optimiser: see ``Optimiser``.
    project: applied to the network after every update, e.g. forced weight normalisation; changes it in place.
    conditioning: what the network is told.   drop: probability of telling it nothing (null) instead, [0, 1); 0.1
    allows guidance.
    task: what is learnt; ``denoise`` unless this is another kind of network (an autoencoder, an embedding).
    told: cond that comes from the pictures themselves, after augmentation.
    augment: pure transforms, in order.   assignment: which noise goes to which sample.
    ema: averages to track; the first one is validated and exported.
    dtype: "auto" measures whether bfloat16 is faster, "bfloat16" or "float32"; master weights are float32 always.
    memory_format: of the network's weights; torch.channels_last suits convolutions on accelerators.
    mix: shards shuffled together when the data is a stream of shards, >= 1; more mixes better and holds more
    references.
    seed: 0 … 2^63 - 1: weights at the start, order, noise, levels, drops, augmentation.
    validation_samples: held-out samples measured, each at one level.
    every: how often things happen; see ``Every``.
    model: what the exported model's ``model.json`` says beyond net, parametrisation and shape: ``schedule``,
        ``sampling``, ``card``, ``labels``, ``text`` as tables (``mezzotint.pretrained.spec``).  It does not change the
        weights.
    parts: name -> folder of the trained networks that the exported model needs beside it, an autoencoder say.
    """

    name: str
    net: Any
    build: Callable[[Any], nn.Module]
    shape: tuple[int, int, int]
    codec: Codec
    parametrisation: Parametrisation
    levels: LevelSampler
    weight: Weight
    data: Callable[[Path | None], Data]
    batch: int
    steps: int
    accumulation: int = 1
    optimiser: Optimiser = field(default_factory=Optimiser)
    project: Callable[[nn.Module], None] = unprojected
    conditioning: Conditioning = field(default_factory=Unconditional)
    drop: float = 0.0
    task: Task = denoise
    told: Told = nothing_told
    augment: tuple[Augmentation, ...] = ()
    assignment: Assignment = unassigned
    ema: tuple[Profile, ...] = (Power(0.05), Power(0.10))
    dtype: str = "auto"
    memory_format: torch.memory_format = torch.contiguous_format
    mix: int = 8
    seed: int = 0
    validation_samples: int = 512
    every: Every = field(default_factory=Every)
    model: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Path] = field(default_factory=dict)
    data_licence: str = ""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.batch < 1 or self.steps < 1 or self.accumulation < 1 or self.batch % self.accumulation:
            raise UsageError(
                f"recipe {self.name}: batch {self.batch}, steps {self.steps}, accumulation {self.accumulation};"
                " expected each >= 1 and a batch that accumulation divides"
            )
        if not 0 <= self.drop < 1 or self.mix < 1:
            raise UsageError(
                f"recipe {self.name}: drop {self.drop}, mix {self.mix}; expected 0 <= drop < 1 and mix >= 1"
            )
        if self.dtype not in DTYPES:
            raise unknown("dtype", self.dtype, DTYPES)
