"""Guidance in a model's weights: a small change for each guidance scale as a file beside the model, for its weights
alone.

``<home>/guidance/<weights' hash>/<lowest scale>-<highest>.safetensors``, the interval in the name where it has one; or
``guidance/…`` in a model's own folder, by which its drafts are drawn (``making.ranked``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.config import home
from mezzotint.errors import ModelError
from mezzotint.files import sha256_file
from mezzotint.nets.adapters.scaled import Changes, Scaled, wearing
from mezzotint.tensorfile import read_header, read_tensors, write_tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mezzotint.diffusion.denoiser import Preconditioned
    from mezzotint.pretrained.folder import Described
    from mezzotint.pretrained.stage_model import StageModel

SCHEMA, FOLDER, KEY = "mezzotint/guidance/1", "guidance", "mezzotint"
NAMES = ("down", "up", "bend")
Interval = tuple[float, float]


@dataclass(frozen=True)
class About:
    """What it was made for.

    weights_sha256: of the stage's weights.  scales: the lowest and the highest guidance scale.  interval: of
    sigma/alpha in which guidance is on, None for everywhere.  shape: of its state.  dtype: of the network while it was
    fitted.  measured: for people.
    """

    model: str
    weights_sha256: str
    scales: tuple[float, float]
    interval: Interval | None
    shape: tuple[int, ...]
    dtype: str
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of its file."""
        parts = (*self.scales, *(self.interval or ()))
        return "-".join(f"{part:g}" for part in parts) + ".safetensors"

    def holds(self, scale: float) -> bool:
        """Whether a scale is one of those that it was made for."""
        return self.scales[0] <= scale <= self.scales[1]

    def strength(self, scale: float) -> float:
        """t of ``Scaled``."""
        return (scale - 1) / (self.scales[1] - 1)


@dataclass(frozen=True, eq=False)
class Distilled:
    """A file as it is used.   sha256: of the file.   calls: of the network, for each of the solver's."""

    about: About
    changes: Changes
    sha256: str
    calls: int = field(default=1, init=False)

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        return {"name": "distilled", "sha256": self.sha256}


def _plain(about: About) -> dict[str, Any]:
    """As JSON can hold it: no bound above is None."""
    bounds = None if about.interval is None else [None if math.isinf(b) else b for b in about.interval]
    said = {"model": about.model, "weights_sha256": about.weights_sha256, "scales": list(about.scales)}
    return {"schema": SCHEMA, **said, "interval": bounds, "shape": list(about.shape), "dtype": about.dtype,
            "measured": dict(about.measured)}  # fmt: skip


def _about(value: Any, where: Path) -> About:
    """Raises ModelError."""
    try:
        if value["schema"] != SCHEMA:
            raise ModelError(f"{where} has schema {value['schema']!r}; this version reads {SCHEMA!r}")
        low, high = map(float, value["scales"])
        bounds = value["interval"]
        interval = None if bounds is None else (float(bounds[0]), math.inf if bounds[1] is None else float(bounds[1]))
        if not 1 <= low <= high or not 1 < high < math.inf:
            raise ValueError(f"its scales are {low:g} to {high:g}")
        said = str(value["model"]), str(value["weights_sha256"]), (low, high), interval
        return About(*said, tuple(value["shape"]), str(value["dtype"]), dict(value["measured"]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{where} holds no distilled guidance ({error}); make it again with guide") from error


def about(path: Path) -> About:
    """What a file says of itself; its tensors unread.  Raises InputError, ModelError."""
    try:
        value = json.loads(read_header(path).metadata.get(KEY, "null"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} says in a damaged way what it is ({error}); make it again with guide") from error
    return _about(value, path)


def read(path: Path, weights_sha256: str) -> Distilled:
    """A file for a model of these weights.  Raises InputError, ModelError: damaged, or made for another model."""
    return _read(path, weights_sha256, sha256_file(path))


@lru_cache(maxsize=8)
def _read(path: Path, weights_sha256: str, digest: str) -> Distilled:
    """The same value for the same bytes, so that weights are changed once (``_placed``)."""
    found, tensors = about(path), read_tensors(path)
    if found.weights_sha256 != weights_sha256:
        raise ModelError(
            f"{path} was made for {found.model} with weights {found.weights_sha256[:12]}…, this model's are"
            f" {weights_sha256[:12]}…; delete the file, and make one for it with `mezzotint guide`"
        )
    paths = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
    if set(tensors) != {f"{p}.{name}" for p in paths for name in NAMES}:
        raise ModelError(f"{path} lacks tensors; make it again with `mezzotint guide`")
    changes = {p: Scaled(*(tensors[f"{p}.{name}"].float() for name in NAMES)) for p in paths}
    if not all(bool(t.isfinite().all()) for t in tensors.values()):
        raise ModelError(f"{path} holds values that are not finite; make it again with `mezzotint guide`")
    return Distilled(found, changes, digest)


def home_of(weights_sha256: str) -> Path:
    """The user's folder of them for a model."""
    return home() / FOLDER / weights_sha256[:32]


def at_hand(described: Described) -> dict[Path, About]:
    """Every file for a model, those of the fewest scales first, the user's before what came with it.

    Raises ModelError for a damaged one.
    """
    found = {path: about(path) for path in files_of(described)}
    return dict(sorted(found.items(), key=lambda pair: pair[1].scales[1] - pair[1].scales[0]))


def files_of(described: Described) -> tuple[Path, ...]:
    """Every file for a model, unread, the user's before what came with it."""
    return _files(home_of(described.weights_sha256)) + _files(described.own / FOLDER)


def shipped(described: Described) -> dict[Path, About]:
    """What came with a model.  Raises ModelError for a damaged one."""
    return {path: about(path) for path in _files(described.own / FOLDER)}


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.safetensors")))


def write(one: About, changes: Changes, dtype: torch.dtype) -> Path:
    """Puts it into the user's home, tensors in ``dtype``; one that is there gives way.  Raises StorageError."""
    path = home_of(one.weights_sha256) / one.name
    tensors = {f"{p}.{name}": getattr(c, name).to(dtype) for p, c in changes.items() for name in NAMES}
    write_tensors(path, tensors, {"format": "pt", KEY: json.dumps(_plain(one), sort_keys=True)})
    return path


def guided(
    model: StageModel, one: Distilled, scale: float, device: str, dtype: torch.dtype, compiled: bool = False
) -> Preconditioned:
    """A stage's denoiser with guidance in its weights: one call answers u + s (c - u)."""
    from mezzotint.diffusion.denoiser import Preconditioned
    from mezzotint.pretrained.stage_model import parametrisation_of

    return Preconditioned(_placed(model, one, scale, device, dtype, compiled), parametrisation_of(model.spec))


@lru_cache(maxsize=4)
def _placed(
    model: StageModel, one: Distilled, scale: float, device: str, dtype: torch.dtype, compiled: bool
) -> nn.Module:
    from mezzotint.pretrained.stage_model import frozen

    base = frozen(model.network, device, dtype)
    changes = {path: change.on(device) for path, change in one.changes.items()}
    made = wearing(base, changes, one.about.strength(scale))
    if not compiled:
        return made
    from mezzotint.nets.compiled import compiled_copy

    return compiled_copy(made)
