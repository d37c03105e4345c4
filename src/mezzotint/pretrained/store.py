"""Where models are: a path, ``MEZZOTINT_HOME/models``, and what ships in the distribution ``mezzotint-models``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mezzotint.errors import InputError, MezzotintError, UsageError
from mezzotint.places import places
from mezzotint.pretrained.components import INDEX
from mezzotint.pretrained.folder import JSON_NAME
from mezzotint.pretrained.system import SYSTEM_JSON, System, describe_system

DEFAULT_MODEL = "fashion"


@dataclass(frozen=True)
class Found:
    """One model or system folder: origin is "home" or "shipped"; ``system``, or the fault that makes it unusable."""

    name: str
    folder: Path
    origin: str
    system: System | None
    fault: str | None = None


def _folders() -> Iterator[tuple[str, Path]]:
    seen: set[str] = set()
    for origin, place in places():
        for folder in _listed(place):
            if any((folder / name).is_file() for name in (JSON_NAME, SYSTEM_JSON, INDEX)) and folder.name not in seen:
                seen.add(folder.name)
                yield origin, folder


def _listed(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir()) if place.is_dir() else []
    except OSError as error:
        raise InputError(f"cannot list {place}: {error.strerror}; make it readable, or set MEZZOTINT_HOME") from error


def models() -> tuple[Found, ...]:
    """Every model at hand, the user's own first; one of the user's hides a shipped one of the same name."""
    return tuple(_found(origin, folder) for origin, folder in _folders())


def _found(origin: str, folder: Path) -> Found:
    try:
        return Found(folder.name, folder, origin, describe_system(folder))
    except MezzotintError as error:
        return Found(folder.name, folder, origin, None, str(error))


def find(name: str) -> Path:
    """The folder of a model's name or path.

    A text with a slash, or that starts with a dot, is a path; any other is a name first.
    Raises InputError (no such path), UsageError (no such name; the nearest are listed).
    """
    known = {folder.name: folder for _, folder in _folders()}
    if name in known:
        return known[name]
    path = Path(name).expanduser()
    if path.exists():
        return path
    if os.sep in name or "/" in name or name.startswith("."):
        raise InputError(f"no model at {path}; expected a model folder, see `mezzotint models` for those at hand")
    near = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"at hand: {', '.join(known) or 'none'}"
    raise UsageError(f"unknown model {name!r}; {hint} (`mezzotint models` lists them; a path works too)")
