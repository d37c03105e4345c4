"""Where files of other programs lie: folders as ComfyUI keeps them, and the Hugging Face hub's cache.  Only read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mezzotint.config import settings
from mezzotint.errors import InputError, UsageError
from mezzotint.files import read_bytes, user_path
from mezzotint.places import places
from mezzotint.pretrained.components import is_diffusers
from mezzotint.pretrained.hub import parse_id

KINDS = {
    "model": ("checkpoints", "diffusion_models", "unet", "diffusers"),
    "lora": ("loras",),
    "embedding": ("embeddings",),
    "control": ("controlnet",),
    "vae": ("vae",),
    "text encoder": ("text_encoders", "clip"),
}
"""What is looked for -> the folders in which ComfyUI keeps it."""

MAX_DEPTH, MAX_FILES = 3, 10_000
SUFFIXES = (".safetensors", ".gguf")
COMMIT = re.compile(r"[0-9a-f]{6,64}")


def model_path() -> tuple[Path, ...]:
    """The folders of the setting ``model_path``.  Raises UsageError, InputError for wrong settings."""
    said = settings()["model_path"].value
    return tuple(user_path(text) for text in str(said or "").split(os.pathsep) if text)


def comfy_root(path: Path) -> Path | None:
    """ComfyUI's folder of models that a file lies in, up to two folders down."""
    names = {name for folders in KINDS.values() for name in folders}
    return next((p.parent for p in list(path.absolute().parents)[:MAX_DEPTH] if p.name in names), None)


def listed(folder: Path) -> list[Path]:
    """What a folder holds, sorted, hidden names left out; nothing where there is none.  Raises InputError."""
    try:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise InputError(f"cannot list {folder}: {error.strerror}; make it readable") from error
    return [path for path in found[:MAX_FILES] if not path.name.startswith(".")]


def weights_in(folder: Path) -> Iterator[Path]:
    """Weights files directly in a folder."""
    return (path for path in listed(folder) if path.suffix == ".safetensors" and path.is_file())


def kept(kind: str) -> Iterator[tuple[str, Path]]:
    """(name, file or folder) of everything of a kind in the folders of the settings; the name is the path below the
    kind's folder."""
    for root in model_path():
        for folder in (root / name for name in KINDS[kind]):
            yield from ((path.relative_to(folder).as_posix(), path) for path in _below(folder, MAX_DEPTH))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for path in listed(folder):
        if _is_part(path):
            yield path
        elif depth > 1 and path.is_dir():
            yield from _below(path, depth - 1)


def _is_part(path: Path) -> bool:
    return path.suffix in SUFFIXES if path.is_file() else (path / "config.json").is_file() or is_diffusers(path)


def lookup(kind: str, text: str) -> Path:
    """What a text names: a path where there is one, else what lies under that name in the folders of the settings, with
    or without folder and suffix.  Where there is neither, the text as a path.

    Raises UsageError where several have the name.
    """
    path = user_path(text)
    if path.exists():
        return path
    found = sorted({place for name, place in kept(kind) if text in _names(name)})
    if len(found) > 1:
        listing = ", ".join(map(str, found))
        raise UsageError(f"several have the name {text!r}: {listing}; give the path of one")
    return found[0] if found else path


def _names(name: str) -> set[str]:
    """What a file may be called: by its path or its name, with or without its suffix."""
    bare = name
    for suffix in SUFFIXES:
        bare = bare.removesuffix(suffix)
    return {name, bare, name.rpartition("/")[2], bare.rpartition("/")[2]}


def hub_cache() -> Path:
    """Where programs of Hugging Face keep what they fetch: ``HF_HUB_CACHE``, ``HF_HOME``/hub, or the user's cache."""
    if said := os.environ.get("HF_HUB_CACHE"):
        return user_path(said)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return user_path(os.environ.get("HF_HOME") or f"{cache}/huggingface") / "hub"


def snapshots() -> Iterator[Path]:
    """Every snapshot of the hub's cache that has diffusers' layout."""
    for repository in listed(hub_cache()):
        if repository.name.startswith("models--"):
            yield from (folder for folder in listed(repository / "snapshots") if is_diffusers(folder))


def is_id(text: str) -> bool:
    """Whether a text may be OWNER/NAME or OWNER/NAME@REVISION."""
    try:
        return not text.startswith(".") and bool(parse_id(text))
    except UsageError:
        return False


def snapshot(text: str) -> Path | None:
    """The folder in the hub's cache of OWNER/NAME or OWNER/NAME@REVISION (a branch, or the beginning of a commit), None
    where it is not there.

    Raises: UsageError (no id; several commits and none that is main's), InputError (an unreadable folder).
    """
    name, revision = parse_id(text)
    repository = hub_cache() / f"models--{name.replace('/', '--')}"
    have = {path.name: path for path in listed(repository / "snapshots") if path.is_dir()}
    commit = _commit(repository / "refs" / (revision or "main"))
    if commit in have:
        return have[commit]
    found = [path for at, path in have.items() if revision is None or at.startswith(revision)]
    if len(found) > 1:
        raise UsageError(f"the cache has several of {text}: {', '.join(sorted(have))}; say one after the id as @COMMIT")
    return found[0] if found else None


def _commit(ref: Path) -> str:
    """The commit that a reference names, "" where there is none or it is none."""
    try:
        said = read_bytes(ref, 256).decode("ascii", "replace").strip() if ref.is_file() else ""
    except InputError:
        return ""
    return said if COMMIT.fullmatch(said) else ""


def tokenizer_places() -> Iterator[Path]:
    """Folders in diffusers' layout that may have a tokenizer: one's own models, those of the settings, the hub's."""
    for _, place in places():
        yield from (folder for folder in listed(place) if is_diffusers(folder))
    for root in model_path():
        yield from (folder for folder in listed(root / "diffusers") if is_diffusers(folder))
    yield from snapshots()
