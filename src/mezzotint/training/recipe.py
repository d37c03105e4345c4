"""A recipe: everything that decides what a training run computes, as one frozen value made by a Python function."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mezzotint.diffusion.noise import check_seed
from mezzotint.diffusion.objective import LevelSampler, Weight
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.errors import InputError, UsageError, unknown
from mezzotint.files import canonical_json
from mezzotint.training.conditioning import Conditioning, Unconditional
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power, Profile
from mezzotint.training.schedule import Optimiser

Augmentation = Callable[[Tensor, Tensor], Tensor]
"""(pictures (B, C, H, W) uint8, u (B,) uniform in (0, 1)) -> pictures; pure, u is its only randomness."""

Encode = Callable[[Tensor], Tensor]
"""Pictures (B, C, H, W) uint8 on the device -> the state x0 (B, *) float32 that is learnt."""


class Assignment(Protocol):
    """(x0 (B, *), eps (B, *), labels (B,) or None) -> a permutation of eps's rows; applied within a micro-batch."""

    def __call__(self, x0: Tensor, eps: Tensor, groups: Tensor | None) -> Tensor: ...


def pixels(images: Tensor) -> Tensor:
    """uint8 0 … 255 to float32 -1 … 1: x/127.5 - 1."""
    return images.float() / 127.5 - 1


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
class Sampling:
    """What ``generate`` does with the trained model unless told otherwise.  Changing these does not change the weights.

    solver, grid: names as on the command line.  steps: number of steps.  scale: guidance, 1 is off.
    """

    solver: str = "dpm++2m"
    grid: str = "karras"
    steps: int = 25
    scale: float = 1.0


@dataclass(frozen=True)
class Card:
    """What the model's card says of it: texts.  Changing these does not change the weights.

    title, licence (of the weights, an SPDX id), data, data_licence (SPDX id), notes.
    """

    title: str = ""
    licence: str = ""
    data: str = ""
    data_licence: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Recipe:
    """One training run, complete.

    name: what it reproduces; part of file names.
    net: configuration of the network, any value; goes into the model's config.   build: net -> the network, float32.
    shape: the picture's (channels, height, width); sources are resized and cropped to it.
    parametrisation: what the network predicts (EPS, V, X0, FLOW, EDM(sigma_data)).
    levels: which noise levels are practised, a map from stratified uniforms.   weight: on the squared x0 error of a level.
    data: folder or None -> what is learnt from and what is only measured; None is the recipe's own default place.
    batch: samples an update, over all processes, >= 1.   steps: updates of the whole run; decay is planned over them.
    accumulation: into how many equal parts an update's batch is cut to save memory; divides batch.
    optimiser: see ``Optimiser``.
    project: applied to the network after every update, e.g. forced weight normalisation; changes it in place.
    conditioning: what the network is told.   drop: probability of telling it nothing (null) instead, [0, 1); 0.1 allows guidance.
    encode: pictures -> state.   augment: pure transforms, in order.   assignment: which noise goes to which sample.
    ema: averages to track; the first one is validated and exported.
    dtype: "auto" measures whether bfloat16 is faster, "bfloat16" or "float32"; master weights are float32 always.
    memory_format: of the network's weights; torch.channels_last suits convolutions on accelerators.
    mix: shards shuffled together when the data is a stream of shards, >= 1; more mixes better and holds more references.
    seed: 0 … 2^63 - 1: weights at the start, order, noise, levels, drops, augmentation.
    validation_samples: held-out samples measured, each at one level.
    every, sampling, card: do not change the weights; see there.
    """

    name: str
    net: Any
    build: Callable[[Any], nn.Module]
    shape: tuple[int, int, int]
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
    encode: Encode = pixels
    augment: tuple[Augmentation, ...] = ()
    assignment: Assignment = unassigned
    ema: tuple[Profile, ...] = (Power(0.05), Power(0.10))
    dtype: str = "auto"
    memory_format: torch.memory_format = torch.contiguous_format
    mix: int = 8
    seed: int = 0
    validation_samples: int = 512
    every: Every = field(default_factory=Every)
    sampling: Sampling = field(default_factory=Sampling)
    card: Card = field(default_factory=Card)

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


DTYPES = ("auto", "bfloat16", "float32")
NEUTRAL = ("every", "sampling", "card", "data", "validation_samples", "name")
"""Fields that a resumed run may change: they do not enter the weights (the data itself is checked by its fingerprint)."""


def describe(value: Any) -> Any:
    """A value as JSON that names what it is: data classes field by field, functions by their qualified name.  For digests and diffs."""
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else repr(value)
    if isinstance(value, Mapping):
        return {str(k): describe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__qualname__, **{f.name: describe(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, partial):
        return {
            "is": "partial",
            "of": describe(value.func),
            "args": describe(value.args),
            "keywords": describe(value.keywords),
        }
    if isinstance(value, torch.Tensor):
        return {"is": "tensor", "values": describe(value.tolist())}
    return _named(value)


def _named(value: Any) -> str:
    if inspect.isroutine(value) or isinstance(value, type):
        return value.__qualname__
    if isinstance(value, (torch.memory_format, torch.dtype)):
        return str(value)
    raise UsageError(
        f"a recipe holds a {type(value).__qualname__}, which has no stable description; use numbers, texts, functions or data classes"
    )


def identity(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe that decide the weights, described."""
    return {f.name: describe(getattr(recipe, f.name)) for f in fields(recipe) if f.name not in NEUTRAL}


def digest(recipe: Recipe) -> str:
    """SHA-256 of ``identity``."""
    return hashlib.sha256(canonical_json(identity(recipe))).hexdigest()


def _places() -> list[Path]:
    """Folders with the project's recipes: of the checkout, and as installed."""
    return [Path(__file__).parents[3] / "recipes", Path(sys.prefix) / "share" / "mezzotint" / "recipes"]


def recipe_names() -> list[str]:
    """The names that ``load_recipe`` knows."""
    return sorted({p.stem for place in _places() for p in place.glob("*.py") if not p.stem.startswith("_")})


def _find(name: str) -> Path:
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise InputError(
                f"no recipe file {path}; expected a Python file with a function of its own name that returns a Recipe"
            )
        return path
    for place in _places():
        if (path := place / f"{name}.py").is_file():
            return path
    raise unknown("recipe", name, recipe_names())


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mezzotint_recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Data classes and workers look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of a name (``fashion``), a file (``my.py``), or a variant in a file (``fashion:small``, ``my.py:small``).

    A recipe file is Python that you run: load only files that you trust.  Its function of the file's name, or the variant's, is called
    without arguments and returns a ``Recipe``.  Raises UsageError, InputError.
    """
    where, _, variant = name_or_path.rpartition(":") if ":" in Path(name_or_path).name else (name_or_path, "", "")
    path = _find(where)
    module = _execute(path)
    known = {
        k: v
        for k, v in vars(module).items()
        if inspect.isfunction(v) and v.__module__ == module.__name__ and not k.startswith("_")
    }
    chosen = (variant or path.stem).replace("-", "_")
    if chosen not in known:
        raise unknown(f"recipe in {path.name}", chosen, known)
    recipe = known[chosen]()
    if not isinstance(recipe, Recipe):
        raise InputError(
            f"{path.name}: {chosen}() returned {type(recipe).__name__}; expected a mezzotint.training.recipe.Recipe"
        )
    return recipe
