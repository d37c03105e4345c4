"""A folder of an exported model: ``export.json``, which says what it is and the hash of every other file, read and
checked without torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mezzotint.errors import ModelError, UsageError, unknown
from mezzotint.exported.plan import Way, from_json
from mezzotint.exported.runtime import RUNTIMES, Runtime
from mezzotint.files import canonical_json, read_bytes, sha256, sha256_file, user_path
from mezzotint.pretrained.folder import EXPORT_JSON
from mezzotint.pretrained.spec import QUALITIES
from mezzotint.pretrained.system import System, describe_system

PLAN_JSON, SCHEMA = "plan.json", "mezzotint/export/1"
DESCRIBED, TEXT = "model", "text"
"""Folders: what the model says of itself, and its text encoder's tokenizer."""

MAX_JSON_BYTES = 1 << 26


@dataclass(frozen=True)
class Lowres:
    """How a stage is told the picture before it (``stage.Lowres``): by the graph that enlarges it, then noised."""

    enlarge: str
    alpha: float
    sigma: float
    logsnr: float
    draw: int


@dataclass(frozen=True)
class Part:
    """A stage.

    name: of its model.  network: its graph.  takes: the names of what it is told, in order.
    decode: the graph that makes its state a picture in -1 … 1, or "" where it is one.
    config_sha256: as receipts have it.   lowres: how it is told the stage before; None is not at all.
    """

    name: str
    network: str
    takes: tuple[str, ...]
    decode: str
    config_sha256: str
    lowres: Lowres | None = None


@dataclass(frozen=True)
class Exported:
    """folder: where.  sha256: of ``export.json`` in its one spelling, and so of every file.  text: the text encoder's
    graph, or ""."""

    folder: Path
    model: str
    to: str
    weights: str
    parts: tuple[Part, ...]
    text: str
    files: Mapping[str, str]
    sha256: str

    @property
    def runtime(self) -> Runtime:
        return RUNTIMES[self.to]

    @cached_property
    def system(self) -> System:
        """What the model said of itself, without its weights."""
        found = replace(describe_system(self.folder / DESCRIBED), name=self.model)
        return replace(found, text_folder=self.folder / TEXT) if self.text else found

    @cached_property
    def ways(self) -> tuple[tuple[Way, ...], ...]:
        """Of each stage, the ways to sample it."""
        stages = _json(self.folder / PLAN_JSON)["stages"]
        return tuple(tuple(map(from_json, stage)) for stage in stages)


def is_exported(model: object) -> bool:
    """Whether a ``--model`` is the path of an exported folder."""
    return isinstance(model, str | Path) and (user_path(model) / EXPORT_JSON).is_file()


def read(folder: Path) -> Exported:
    """An exported folder, every file of it checked against its hash.

    Raises InputError (unreadable), ModelError (another schema, damaged, changed).
    """
    folder = user_path(folder)
    table = _json(folder / EXPORT_JSON)
    if table.get("schema") != SCHEMA:
        raise ModelError(f"{folder / EXPORT_JSON} has schema {table.get('schema')!r}; this version reads {SCHEMA!r}")
    try:
        found = _read(folder, table)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / EXPORT_JSON} is damaged ({error!r}); export the model again") from error
    if found.to not in RUNTIMES:
        raise ModelError(f"{folder / EXPORT_JSON}: {unknown('runtime', found.to, RUNTIMES)}")
    for name, digest in found.files.items():
        _check(folder, name, digest)
    return found


def _read(folder: Path, table: Mapping[str, Any]) -> Exported:
    return Exported(
        folder=folder,
        model=str(table["model"]),
        to=str(table["to"]),
        weights=str(table["weights"]),
        parts=tuple(_part(value) for value in table["stages"]),
        text=str(table["text"]),
        files={str(name): str(digest) for name, digest in table["files"].items()},
        sha256=sha256(canonical_json(table)),
    )


def _part(value: Mapping[str, Any]) -> Part:
    lowres = None if value["lowres"] is None else Lowres(**value["lowres"])
    return Part(**{**value, "takes": tuple(value["takes"]), "lowres": lowres})


def _check(folder: Path, name: str, digest: str) -> None:
    """Raises ModelError for a file that is not what was exported."""
    path = folder / name
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise ModelError(f"{folder / EXPORT_JSON} names {name!r}, a file outside its folder; export the model again")
    found = sha256_file(path)
    if found != digest:
        raise ModelError(
            f"{path} has sha256 {found[:12]}…, {EXPORT_JSON} records {digest[:12]}…; the file was changed or damaged,"
            " export the model again"
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bytes(path, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}); export the model again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is not a table; export the model again")
    return value


def chosen(
    ways: tuple[Way, ...], name: str, quality: str, solver: str | None, steps: int | None, grid: str | None
) -> Way:
    """The way that words choose; those that are None are the quality's preset's, of several grids too; a learned solver
    alone is that of most steps.

    name: the model's, for the error.   Raises UsageError that lists what there is.
    """
    if quality not in QUALITIES:
        raise unknown("quality", quality, QUALITIES)
    preset = next(way for way in ways if quality in way.qualities)
    wanted = preset.names[0] if solver is None else solver
    count = _usual_steps(ways, preset, wanted) if steps is None else steps
    fit = [way for way in ways if _fits(way, wanted, count, grid)]
    if not fit:
        said = {"solver": wanted, "steps": count, "grid": grid}
        words = ", ".join(f"{word} {value}" for word, value in said.items() if value is not None)
        raise UsageError(f"{name} was exported without {words}; it holds {held(ways)}")
    return next((way for way in fit if way.grids == preset.grids), fit[0])


def _usual_steps(ways: tuple[Way, ...], preset: Way, solver: str) -> int:
    fitted = [way.steps for way in ways if way.learned and plain(solver) in map(plain, way.names)]
    return max(fitted, default=preset.steps)


def _fits(way: Way, solver: str, steps: int, grid: str | None) -> bool:
    named = plain(solver) in map(plain, way.names)
    return named and steps == way.steps and (grid is None or plain(grid) in map(plain, way.grids))


def plain(name: str) -> str:
    """A name as it is compared."""
    return "".join(name.lower().split())


def held(ways: tuple[Way, ...]) -> str:
    """The ways, for people."""
    return "; ".join(f"{way.names[0]} on {way.grids[0]} in {way.steps} steps{_presets(way)}" for way in ways)


def _presets(way: Way) -> str:
    return f" ({', '.join(way.qualities)})" if way.qualities else ""
