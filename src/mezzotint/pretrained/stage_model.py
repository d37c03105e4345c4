"""One loaded stage: its model folder's description, and the network where and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from mezzotint.codecs.base import Vector
from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.parametrisation import EDM, EPS, FLOW, X0, Clean, Counted, Indexed, Parametrisation, V
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
from mezzotint.diffusion.schedule import zero_terminal_snr as stretched
from mezzotint.errors import ModelError, UsageError, unknown
from mezzotint.files import canonical_json, sha256
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.spec import Choice, Spec, to_dict
from mezzotint.pretrained.system import codec_part

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mezzotint.codecs.embedding import Embedding
    from mezzotint.codecs.latent import Latent
    from mezzotint.nets.adapters.falling import ByLevel
    from mezzotint.pretrained.adapters import Weighed


def betas(
    shape: str,
    n: int = 1000,
    start: float = 1e-4,
    end: float = 0.02,
    values: Sequence[float] | None = None,
    zero_terminal_snr: bool = False,
) -> TableSchedule:
    """The noise table of a diffusers scheduler: a shape of betas or the values themselves, stretched where asked."""
    made = {"linear": linear, "scaled_linear": scaled_linear}
    if values is not None:
        found = TableSchedule(tuple(values))
    else:
        found = cosine_table(n) if shape == "squaredcos_cap_v2" else made[shape](n, start, end)
    return stretched(found) if zero_terminal_snr else found


SCHEDULES: dict[str, Any] = {
    "betas": betas,
    "flow": Flow,
    "cosine": Cosine,
    "ve": VE,
    "karras": Karras,
    "linear": linear,
    "scaled_linear": scaled_linear,
    "cosine_table": cosine_table,
}
FIXED: dict[str, Parametrisation] = {"eps": EPS, "v": V, "x0": X0, "flow": FLOW}
MADE: dict[str, Any] = {"edm": EDM, "clean": Clean, "counted_flow": Counted}
DEFINING = ("net", "parametrisation", "schedule", "codec", "shape", "labels")


def defining_sha256(spec: Spec) -> str:
    """Of what is said of a model, less card and defaults."""
    said = to_dict(spec)
    return sha256(canonical_json({k: said[k] for k in DEFINING}))


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
    if name in MADE:
        base: Parametrisation = chosen("parametrisation", spec.parametrisation, MADE)
    elif name in FIXED and not options:
        base = FIXED[name]
    else:
        fault = unknown("parametrisation", name, [*FIXED, *MADE]) if name not in FIXED else f"{name} has no options"
        raise ModelError(f"model.json: {fault}")
    schedule = schedule_of(spec)
    return Indexed(base, schedule.index) if isinstance(schedule, TableSchedule) else base


def codec_of(described: Described, device: str = "cpu") -> Pixels | Latent | Vector | Embedding:
    """The codec: pixels, the latent of an autoencoder beside the model's folder, or a vector: as it is, or that of an
    embedder beside the folder.

    Raises ModelError for any other, and where it does not fit the state.
    """
    spec = described.spec
    shape, name = spec.shape, spec.codec.get("name")
    if name == "vector" and len(shape) == 2 and shape[0] == 1:
        return _embedding(described, device) if "folder" in spec.codec else Vector(shape[1])
    if spec.codec == {"name": "pixels"} and len(shape) == 3:
        return Pixels(shape[0], (shape[1], shape[2]))
    if name == "latent" and len(shape) == 3:
        return _latent(described, device)
    raise ModelError(
        f"model.json: codec {spec.codec} of shape {shape}; expected pixels or latent of (C, H, W), or vector"
    )


def _embedding(described: Described, device: str) -> Embedding:
    from mezzotint.codecs.embedding import Embedding
    from mezzotint.nets.embedder import Embedder

    net = _part(described)
    if not isinstance(net, Embedder) or net.config.width != described.spec.shape[1]:
        raise ModelError(f"{described.folder}: its codec is no embedder of its width; fetch the model again")
    return Embedding(net.to(device))


def _part(described: Described) -> nn.Module | None:
    """The codec's network."""
    from mezzotint.pretrained.network import load_network

    part = codec_part(described)
    return None if part is None else load_network(part)


def _latent(described: Described, device: str) -> Latent:
    from mezzotint.codecs.latent import Latent
    from mezzotint.nets.autoencoder import Autoencoder

    net = _part(described)
    if not isinstance(net, Autoencoder):
        raise ModelError(f"{described.folder}: its codec is no autoencoder; fetch the model again")
    height, width = (n * net.config.factor for n in described.spec.shape[1:])
    codec = Latent(net.to(device), (height, width))
    if codec.shape != described.spec.shape:
        raise ModelError(
            f"{described.folder}: its autoencoder gives {codec.shape}, the network takes {described.spec.shape}"
        )
    return codec


@dataclass(frozen=True, eq=False)
class StageModel:
    """A model folder, checked, with its network on the CPU as stored in float32, and adapters that go on it."""

    described: Described
    network: nn.Module
    adapters: tuple[Weighed, ...] = ()

    @property
    def name(self) -> str:
        return self.described.name

    @property
    def spec(self) -> Spec:
        return self.described.spec

    def codec(self, device: str = "cpu", dtype: torch.dtype | None = None) -> Pixels | Latent | Vector | Embedding:
        """The codec, its weights, if any, on a device; in float32 whatever the denoiser's ``dtype``, they are small."""
        return _codec(self, device)

    @property
    def shares(self) -> bool:
        """As ``ForeignStage.shares``: the text is in the context of every layer."""
        return False

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The names of what its network is told."""
        names: tuple[str, ...] = self.network.cond_names  # type: ignore[assignment]
        return names

    @cached_property
    def config_sha256(self) -> str:
        """Of what ``model.json`` says, less card and defaults."""
        return defining_sha256(self.spec)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """As they are counted: the denoiser's, and an autoencoder's."""
        codec = self.codec()
        decoder = {"codec": codec.net} if isinstance(codec, _latent_class()) else {}
        return {"denoiser": self.network, **decoder}

    def on(self, levels: Level) -> StageModel:
        """The same: nothing of it depends on the grid of a run."""
        return self

    def at(self, size: tuple[int, int]) -> StageModel:
        """The same: its pictures have one size."""
        return self

    def denoiser(self, device: str, dtype: torch.dtype, compiled: bool = False) -> Preconditioned | ByLevel:
        """The network on a device, its weights in a number format, compiled if asked, with its parametrisation; another
        one at each level where adapters say so.   Raises UsageError where such are to be compiled."""
        told = told_level(self.spec, self.adapters, lambda: _placed(self, device, dtype, False), compiled)
        return told or Preconditioned(_placed(self, device, dtype, compiled), parametrisation_of(self.spec))


def told_level(
    spec: Spec, adapters: Sequence[Weighed], network: Callable[[], nn.Module], compiled: bool
) -> ByLevel | None:
    """The denoiser of a network whose adapters' rank falls with noise, None where none does.

    Raises UsageError where it is to be compiled: blocks are compiled for one rank.
    """
    from mezzotint.pretrained.adapters import fall

    if not fall(adapters):
        return None
    if compiled:
        raise UsageError("--compile does not go with an adapter whose rank falls with noise; leave one out")
    from mezzotint.nets.adapters.falling import ByLevel

    return ByLevel(network, parametrisation_of(spec), schedule_of(spec).t)


def _latent_class() -> type[Latent]:
    from mezzotint.codecs.latent import Latent

    return Latent


@lru_cache(maxsize=8)
def _placed(model: StageModel, device: str, dtype: torch.dtype, compiled: bool) -> nn.Module:
    from mezzotint.pretrained.adapters import put_on

    placed = put_on(frozen(model.network, device, dtype), "denoiser", model.adapters)
    if compiled:
        from mezzotint.nets.compiled import compiled_copy

        return compiled_copy(placed)
    return placed


@lru_cache(maxsize=8)
def frozen(network: nn.Module, device: str, dtype: torch.dtype) -> nn.Module:
    """A network for inference, once for all that is put on it."""
    from mezzotint.nets.build import freeze
    from mezzotint.nets.winograd import quick

    return quick(freeze(network, dtype).to(device), device, dtype)


@lru_cache(maxsize=4)
def _codec(model: StageModel, device: str) -> Pixels | Latent | Vector | Embedding:
    return codec_of(model.described, device)
