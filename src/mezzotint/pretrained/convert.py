"""Pickled checkpoints to safetensors files, read in a process that can do nothing else (``pretrained.unpickle``)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.files import make_folder, pretty_json, storage_error, write_atomic
from mezzotint.pretrained.components import PICKLES
from mezzotint.pretrained.folder import table
from mezzotint.tensorfile import looks_pickled, read_header

STEM = re.compile(r"^pytorch_model(?=[.-]|$)")
"""How names of weights begin that begin with "model" as safetensors files; with a variant, a shard's number behind."""

INDEX = re.compile(r"(?P<stem>.+)\.bin\.index(?P<variant>\.\w+)?\.json")
"""The file that says which shard of several has which tensor."""

PATIENCE = 3600.0
"""Seconds for one file."""


class NoWeightsError(ModelError):
    """A pickle of other things than tensors, as a trainer's arguments."""


@dataclass(frozen=True)
class Converted:
    """source: the pickle.  path: what was written.  sha256: of it.  tensors: how many it holds, 0 of a folder's file
    that holds none: then nothing was written, path is the pickle and sha256 is ""."""

    source: Path
    path: Path
    sha256: str
    tensors: int


def convert(path: Path, out: Path | None = None) -> tuple[Converted, ...]:
    """A pickle as a safetensors file, or a folder with all of its pickles so; nothing of the source is changed.

    Args: out: the file, or the folder; None is the same name with the suffix ``.safetensors``, or ``-safetensors``
        behind a folder's name.
    Raises: InputError (nothing there), ModelError (no weights in it), StorageError, UsageError (out is there already,
        two pickles of a folder would have one name).
    """
    if path.is_dir():
        path = with_name_of_its_own(path)
        return _folder(path, out or path.parent / f"{path.name}-safetensors")
    target = out or path.with_suffix(".safetensors")
    if target.exists():
        raise UsageError(f"{target} is there already; nothing is ever overwritten, choose another --out")
    return (_file(path, target),)


def with_name_of_its_own(path: Path) -> Path:
    """The same place; "." and ".." by the name that the folder has."""
    return path.resolve() if path.name in ("", "..") else path


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
    if "empty" in said:
        raise NoWeightsError(f"{path} cannot be converted: {said['empty']}")
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


def _folder(path: Path, out: Path) -> tuple[Converted, ...]:
    """Every file of a folder in another: pickles converted, safetensors files, texts and tables copied.

    Built beside the place where it goes, so that a fault leaves nothing half done.
    """
    if out.exists():
        raise UsageError(f"{out} is there already; nothing is ever overwritten, choose another --out")
    if out.resolve().is_relative_to(path.resolve()):
        raise UsageError(f"{out} lies in {path}; choose an --out beside it")
    files = sorted(p for p in path.rglob("*") if p.is_file())
    if not any(p.suffix in PICKLES for p in files):
        raise InputError(f"{path} holds no pickles ({', '.join(PICKLES)}); nothing to convert")
    targets = _targets(path, files)
    building = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        made = [one for file, name in targets.items() if (one := _built(file, building / name)) is not None]
        if not any(one.tensors for one in made):
            raise ModelError(f"{path}: none of its pickles holds tensors; expected a model's folder")
        _renamed(building, out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return tuple(replace(one, path=out / targets[one.source]) if one.tensors else one for one in made)


def _targets(path: Path, files: Sequence[Path]) -> dict[Path, Path]:
    """Each file that goes along -> its name in the new folder.

    What is there as safetensors already is not converted.   Raises UsageError for two files of one name.
    """
    own = {file.relative_to(path) for file in files}
    found: dict[Path, Path] = {}
    by_name: dict[Path, Path] = {}
    for file in files:
        name = file.relative_to(path)
        new = name.with_name(_new_name(name.name))
        if new != name and new in own:
            continue
        if new in by_name:
            raise UsageError(f"{by_name[new]} and {file} would both become {new.name}; take one of them out of {path}")
        found[file], by_name[new] = new, file
    return found


def _new_name(name: str) -> str:
    """Of a file of a folder, the pickles among them and what speaks of them under names that safetensors files have."""
    index = INDEX.fullmatch(name)
    if index is not None:
        return f"{STEM.sub('model', index['stem'])}.safetensors.index{index['variant'] or ''}.json"
    path = Path(name)
    return f"{STEM.sub('model', path.stem)}.safetensors" if path.suffix in PICKLES else name


def _built(file: Path, target: Path) -> Converted | None:
    """What a pickle became, None of another file.   Raises as ``convert``."""
    if file.suffix in PICKLES:
        try:
            return _file(file, target)
        except NoWeightsError:
            return Converted(file, file, "", 0)
    if INDEX.fullmatch(file.name):
        make_folder(target.parent)
        write_atomic(target, pretty_json(_index(table(file))))
    else:
        _copy(file, target)
    return None


def _index(said: Mapping[str, Any]) -> dict[str, Any]:
    """An index of shards by their new names."""
    shards = said.get("weight_map")
    renamed = {k: _new_name(str(shard)) for k, shard in shards.items()} if isinstance(shards, dict) else shards
    return {**said, "weight_map": renamed}


def _renamed(building: Path, out: Path) -> None:
    try:
        building.rename(out)
    except OSError as error:
        raise storage_error(out, error) from error


def _copy(file: Path, target: Path) -> None:
    make_folder(target.parent)
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        raise storage_error(target, error) from error
