"""Folders in diffusers' modular layout: an index that says for each part its class and where it lies, here or in
another repository of the hub.

https://huggingface.co/docs/diffusers, Modular Diffusers
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mezzotint.config import home
from mezzotint.errors import ModelError
from mezzotint.pretrained.components import MODULAR, Component, Components
from mezzotint.pretrained.folder import table
from mezzotint.pretrained.hub import RECORD
from mezzotint.pretrained.search import is_id, listed, snapshot

WHERE = ("pretrained_model_name_or_path", "subfolder", "revision")


def modular(folder: Path) -> Components:
    """What a modular index lists; parts of other repositories from the hub's cache, or as ``pull`` fetched them.

    Raises: InputError, ModelError naming what is wrong, or the parts that are elsewhere and the command that gets
    them.
    """
    found = table(folder / MODULAR)
    name = found.get("_class_name")
    if not isinstance(name, str):
        raise ModelError(f"{folder / MODULAR} names no pipeline (_class_name); fetch the model again")
    said = {key: value for key, value in found.items() if isinstance(value, list) and len(value) == 3}
    placed = {key: _place(folder, key, value[2]) for key, value in said.items() if isinstance(value[2], dict)}
    missing = {key: where for key, where in placed.items() if isinstance(where, str)}
    if missing:
        commands = ", ".join(f"`mezzotint pull {where}`" for where in sorted(set(missing.values())))
        raise ModelError(f"{folder}: {', '.join(missing)} lie in other repositories; {commands} gets them")
    parts = {
        key: Component(key, *_class(folder, key, said[key]), where)
        for key, where in placed.items()
        if isinstance(where, Path)
    }
    options = {key: value for key, value in found.items() if not key.startswith("_") and not isinstance(value, list)}
    return Components(folder, name.replace("ModularPipeline", "Pipeline"), parts, options)


def _class(folder: Path, key: str, value: list[Any]) -> tuple[str, str]:
    """(library, class) of a part: of what was saved, else of what is expected."""
    for pair in (value[:2], value[2].get("type_hint")):
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, str) for v in pair):
            return pair[0], pair[1]
    raise ModelError(f"{folder / MODULAR} names no class for {key[:80]!r}; fetch the model again")


def _place(folder: Path, key: str, said: Mapping[str, Any]) -> Path | str | None:
    """A part's folder; or the id of the repository that is not at hand; None for a part that there is not."""
    name, below, revision = (said.get(word) for word in WHERE)
    sub = key if below is None else below
    if not (_is_plain(key) and isinstance(sub, str) and all(map(_is_plain, sub.split("/") if sub else ()))):
        raise ModelError(f"{folder / MODULAR}: {key[:80]!r} lies in {str(below)[:80]!r}; expected a folder below it")
    local = next((place for place in (folder / key, folder / sub) if place.is_dir()), None)
    if local is not None and local != folder:
        return local
    if name is None:
        return None
    if not isinstance(name, str) or not is_id(text := f"{name}@{revision}" if revision else name):
        raise ModelError(f"{folder / MODULAR}: {key} lies in {str(name)[:80]!r}; expected a folder below it, or an id")
    repository = snapshot(text) or _pulled(name, revision)
    return text if repository is None else repository / sub


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _pulled(name: str, revision: Any) -> Path | None:
    """What ``pull`` fetched of a repository, at a commit where one is said."""
    for folder in listed(home() / "models"):
        if (folder / RECORD).is_file():
            record = table(folder / RECORD)
            if record.get("id") == name and revision in (None, "main", record.get("revision")):
                return folder
    return None
