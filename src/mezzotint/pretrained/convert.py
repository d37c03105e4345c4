"""Pickled checkpoints to safetensors files, read in a process that can do nothing else (``pretrained.unpickle``)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.files import make_folder, storage_error
from mezzotint.pretrained.components import PICKLES
from mezzotint.tensorfile import looks_pickled, read_header

STEMS = {"pytorch_model": "model"}
"""Names of weights that safetensors files have under another."""

PATIENCE = 3600.0
"""Seconds for one file."""


@dataclass(frozen=True)
class Converted:
    """source: the pickle.  path: what was written.  sha256: of it.  tensors: how many it holds."""

    source: Path
    path: Path
    sha256: str
    tensors: int


def convert(path: Path, out: Path | None = None) -> tuple[Converted, ...]:
    """A pickle as a safetensors file, or a folder with all of its pickles so; nothing of the source is changed.

    Args: out: the file, or the folder; None is the same name with the suffix ``.safetensors``, or ``-safetensors``
        behind a folder's name.
    Raises: InputError (nothing there), ModelError (no weights in it), StorageError, UsageError (out is there already).
    """
    if path.is_dir():
        return tuple(_folder(path, out or path.with_name(f"{path.resolve().name}-safetensors")))
    target = out or path.with_suffix(".safetensors")
    if target.exists():
        raise UsageError(f"{target} is there already; nothing is ever overwritten, choose another --out")
    return (_file(path, target),)


def _file(path: Path, target: Path) -> Converted:
    _check_pickled(path)
    make_folder(target.parent)
    try:
        ended = subprocess.run(
            _command(path, target), capture_output=True, text=True, timeout=PATIENCE, env=_environment(), check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path} took over {PATIENCE:.0f} s to read; it was given up") from error
    try:
        said = json.loads(ended.stdout.strip().rpartition("\n")[2])
    except ValueError:
        last = ended.stderr.strip().rpartition("\n")[2] or f"its reader ended with {ended.returncode}"
        raise ModelError(f"{path} cannot be converted: {last}; fetch it again, or as safetensors") from None
    if "fault" in said:
        raise ModelError(f"{path} cannot be converted: {said['fault']}")
    read_header(target)
    return Converted(path, target, str(said["sha256"]), int(said["tensors"]))


def _check_pickled(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected a checkpoint") from error
    if head[8:9] == b"{" and not looks_pickled(head[:8]):
        raise UsageError(
            f"{path} is a safetensors file already; use it as it is, or give an adapter another layout with --to"
        )


def _command(path: Path, target: Path) -> list[str]:
    """Isolated Python sees neither PYTHONPATH nor the folder it is in: it is told where this package lies."""
    root = str(Path(__file__).resolve().parents[2])
    module = "mezzotint.pretrained.unpickle"
    code = f"import sys, runpy; sys.path.insert(0, {root!r}); runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-I", "-c", code, str(path.resolve()), str(target.resolve())]


def _environment() -> dict[str, str]:
    """Nothing of the user's: no tokens, no proxies."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "LD_LIBRARY_PATH")
    return {**{k: os.environ[k] for k in kept if k in os.environ}, "OMP_NUM_THREADS": "1"}


def _folder(path: Path, out: Path) -> Iterator[Converted]:
    """Every file of a folder in another: pickles converted, safetensors files, texts and tables copied."""
    if out.exists():
        raise UsageError(f"{out} is there already; nothing is ever overwritten, choose another --out")
    if out.resolve().is_relative_to(path.resolve()):
        raise UsageError(f"{out} lies in {path}; choose an --out beside it")
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    if not any(p.suffix in PICKLES for p in files):
        raise InputError(f"{path} holds no pickles ({', '.join(PICKLES)}); nothing to convert")
    for file in files:
        target = out / file.relative_to(path)
        if file.suffix in PICKLES:
            made = target.with_name(STEMS.get(file.stem, file.stem) + ".safetensors")
            if not (file.parent / made.name).exists():
                yield _file(file, made)
        else:
            _copy(file, target)


def _copy(file: Path, target: Path) -> None:
    make_folder(target.parent)
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        raise storage_error(target, error) from error
