"""Where models are: a path, ``MEZZOTINT_HOME/models``, what ships in the distribution ``mezzotint-models``, folders as
ComfyUI keeps them, and the Hugging Face hub's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mezzotint.errors import InputError, MezzotintError, UsageError
from mezzotint.places import places
from mezzotint.pretrained.components import INDEX, MODULAR
from mezzotint.pretrained.folder import JSON_NAME
from mezzotint.pretrained.search import is_id, kept, lookup, snapshot, snapshots, weights_in
from mezzotint.pretrained.system import SYSTEM_JSON, System, describe_system


@dataclass(frozen=True)
class Found:
    """One model, a folder or a file: origin is "home", "shipped", "path" or "hub"; ``system``, or the fault that makes
    it unusable."""

    name: str
    folder: Path
    origin: str
    system: System | None
    fault: str | None = None


def _folders() -> Iterator[tuple[str, Path]]:
    seen: set[str] = set()
    for origin, place in places():
        for folder in _listed(place):
            if (
                any((folder / name).is_file() for name in (JSON_NAME, SYSTEM_JSON, INDEX, MODULAR))
                and folder.name not in seen
            ):
                seen.add(folder.name)
                yield origin, folder


def _listed(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir()) if place.is_dir() else []
    except OSError as error:
        raise InputError(f"cannot list {place}: {error.strerror}; make it readable, or set MEZZOTINT_HOME") from error


def models() -> tuple[Found, ...]:
    """Every model at hand, the user's own first; one of the user's hides a shipped one of the same name."""
    own = (_found(origin, folder.name, folder) for origin, folder in _folders())
    return (*own, *(_found("path", name, path) for name, path in kept("model")), *_cached())


def _cached() -> Iterator[Found]:
    """Those of the hub's cache; of several commits of one each."""
    found = [(folder.parents[1].name.removeprefix("models--").replace("--", "/", 1), folder) for folder in snapshots()]
    names = [name for name, _ in found]
    for name, folder in found:
        yield _found("hub", name if names.count(name) == 1 else f"{name}@{folder.name[:12]}", folder)


def _found(origin: str, name: str, folder: Path) -> Found:
    try:
        return Found(name, folder, origin, describe_system(folder))
    except MezzotintError as error:
        return Found(name, folder, origin, None, str(error))


def find(name: str) -> Path:
    """The folder or file of a model's name, path, or id on the hub where the hub's cache has it.

    A text with a slash, or that starts with a dot, is a path; any other is a name first.  Names are those of one's own
    models and of those that ship, then of files in the folders of the setting ``model_path``.
    Raises InputError (no such path), UsageError (no such name; the nearest are listed; several have it).
    """
    known = {folder.name: folder for _, folder in _folders()}
    if name in known:
        return known[name]
    path = lookup("model", name)
    if path.exists():
        return path
    if is_id(name):
        return _of_cache(name, path)
    if os.sep in name or "/" in name or name.startswith("."):
        raise InputError(f"no model at {path}; expected a model folder, see `mezzotint models` for those at hand")
    known |= {Path(place).stem: place for _, place in kept("model")}
    near = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"at hand: {', '.join(known) or 'none'}"
    raise UsageError(f"unknown model {name!r}; {hint} (`mezzotint models` lists them; a path works too)")


def _of_cache(name: str, path: Path) -> Path:
    """What the hub's cache has of an id: a folder in diffusers' layout, or the one weights file of a snapshot."""
    folder = snapshot(name)
    if folder is None:
        raise InputError(
            f"no model at {path}, and the hub's cache has no {name}; `mezzotint pull {name}` fetches it, `mezzotint"
            " models` lists those at hand"
        )
    files = list(weights_in(folder))
    if any((folder / index).is_file() for index in (INDEX, MODULAR, JSON_NAME, SYSTEM_JSON)):
        return folder
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise UsageError(f"{folder} has no {INDEX} and not one weights file ({names}); give the path of one")
    return files[0]
