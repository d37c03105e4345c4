"""A loaded model: its folder's description, and the network where and how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.codecs.pixels import Pixels
from mezzotint.conditioning.labels import Labels
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.parametrisation import EDM, EPS, FLOW, X0, Indexed, Parametrisation, V
from mezzotint.diffusion.schedule import (
    VE,
    Cosine,
    Flow,
    Karras,
    Schedule,
    TableSchedule,
    cosine_table,
    linear,
    scaled_linear,
)
from mezzotint.errors import ModelError, unknown
from mezzotint.files import canonical_json, sha256
from mezzotint.pretrained.folder import Described, describe, load_described, verify
from mezzotint.pretrained.spec import Choice, Spec, labels_of, to_dict
from mezzotint.pretrained.store import find

if TYPE_CHECKING:
    import torch
    from torch import nn

SCHEDULES: dict[str, Any] = {
    "flow": Flow,
    "cosine": Cosine,
    "ve": VE,
    "karras": Karras,
    "linear": linear,
    "scaled_linear": scaled_linear,
    "cosine_table": cosine_table,
}
FIXED: dict[str, Parametrisation] = {"eps": EPS, "v": V, "x0": X0, "flow": FLOW}
DEFINING = ("net", "parametrisation", "schedule", "codec", "shape", "labels")


def chosen(kind: str, choice: Choice, table: Mapping[str, Any]) -> Any:
    """What a Choice names, made with its options.  Raises ModelError for an unknown name or option."""
    options = dict(choice)
    name = options.pop("name")
    if name not in table:
        raise ModelError(f"model.json: {unknown(kind, name, table)}")
    try:
        return table[name](**options)
    except TypeError as error:
        raise ModelError(f"model.json: {kind} {name}: {error}") from error


def schedule_of(spec: Spec) -> Schedule:
    """The schedule a model was trained on."""
    made: Schedule = chosen("schedule", spec.schedule, SCHEDULES)
    return made


def parametrisation_of(spec: Spec) -> Parametrisation:
    """What the network predicts; where the schedule is a table, the network is fed the table's index."""
    options = dict(spec.parametrisation)
    name = options.pop("name")
    if name == "edm":
        base: Parametrisation = chosen("parametrisation", spec.parametrisation, {"edm": EDM})
    elif name in FIXED and not options:
        base = FIXED[name]
    else:
        fault = unknown("parametrisation", name, [*FIXED, "edm"]) if name not in FIXED else f"{name} has no options"
        raise ModelError(f"model.json: {fault}")
    schedule = schedule_of(spec)
    return Indexed(base, schedule.index) if isinstance(schedule, TableSchedule) else base


def codec_of(spec: Spec) -> Pixels:
    """The codec: pixels are the only one so far."""
    if spec.codec != {"name": "pixels"} or len(spec.shape) != 3:
        raise ModelError(f"model.json: codec {spec.codec} of shape {spec.shape}; expected pixels of (C, H, W)")
    channels, height, width = spec.shape
    return Pixels(channels, (height, width))


@dataclass(frozen=True, eq=False)
class Model:
    """A model folder, checked, with its network on the CPU as stored in float32."""

    described: Described
    network: nn.Module

    @property
    def name(self) -> str:
        return self.described.name

    @property
    def spec(self) -> Spec:
        return self.described.spec

    @cached_property
    def labels(self) -> Labels | None:
        """The prompts of a class-conditional model."""
        return labels_of(self.spec)

    @cached_property
    def codec(self) -> Pixels:
        return codec_of(self.spec)

    @cached_property
    def config_sha256(self) -> str:
        """Of what ``model.json`` says, less card and defaults."""
        said = to_dict(self.spec)
        return sha256(canonical_json({k: said[k] for k in DEFINING}))

    def denoiser(self, device: str, dtype: torch.dtype) -> Preconditioned:
        """The network on a device, its weights in a number format, with its parametrisation."""
        return Preconditioned(_placed(self, device, dtype), parametrisation_of(self.spec))


@lru_cache(maxsize=2)
def _placed(model: Model, device: str, dtype: torch.dtype) -> nn.Module:
    from mezzotint.nets.build import freeze

    return freeze(model.network, dtype).to(device)


def load(model: str | Path | Described = "fashion") -> Model:
    """A model by name (``mezzotint models`` lists them), by the path of its folder, or as ``verify`` gave it.

    Raises UsageError (unknown name), InputError (no model there), ModelError (a pickle, damaged, or not what it says).
    """
    described = model if isinstance(model, Described) else verify(describe(find(str(model))))
    return Model(described, load_described(described).network)
