"""Checkpoints: folders that are whole or absent, safetensors and JSON alone, every file hashed, the last few kept.

A folder ``step-00001000`` holds ``weights``, ``ema`` and ``optimiser`` (safetensors, by parameter name) and
``state.json``: step, data
cursor, recipe, what the numbers depend on, and the SHA-256 of each file.  All randomness of training is a function of
(seed, step), so
the step is every random state there is.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mezzotint.errors import InputError, MezzotintError
from mezzotint.files import canonical_json, make_folder, pretty_json, sha256, sha256_file, storage_error

log = logging.getLogger(__name__)
PARTS = ("weights", "ema", "optimiser")
FORMAT = 1


class DamagedError(Exception):
    """A checkpoint that is not what was written.  Never leaves ``training``: an older one is used."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on: tensors by part and parameter name (CPU), and JSON-safe facts."""

    tensors: Mapping[str, Mapping[str, Tensor]]
    facts: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Finished updates."""
        return int(self.facts["step"])


def _write(path: Path, data: bytes) -> str:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return sha256(data)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(folder: Path, checkpoint: Checkpoint) -> None:
    files = {}
    for part in PARTS:
        name = f"{part}.safetensors"
        files[name] = _write(folder / name, save(dict(checkpoint.tensors[part])))
    facts = {"format": FORMAT, **checkpoint.facts, "files": files}
    _write(folder / "state.json", pretty_json({**facts, "sha256": sha256(canonical_json(facts))}).encode())
    _sync(folder)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "state.json").read_bytes())
        claimed = facts.pop("sha256")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise DamagedError(f"state.json cannot be read ({type(error).__name__})") from None
    if claimed != sha256(canonical_json(facts)):
        raise DamagedError("state.json does not match its hash")
    return dict(facts)


def read(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, every byte checked.  Raises DamagedError, naming the file."""
    facts = _facts(folder)
    if facts["format"] != FORMAT:
        raise InputError(
            f"{folder} has format {facts['format']}, this version reads {FORMAT}; resume with the version that wrote it"
        )
    tensors = {}
    for name, claimed in facts["files"].items():
        try:
            if sha256_file(folder / name) != claimed:
                raise DamagedError(f"{name} does not match its hash")
            tensors[name.removesuffix(".safetensors")] = load_file(folder / name)
        except (MezzotintError, SafetensorError) as error:
            raise DamagedError(f"{name}: {error}") from None
    return Checkpoint(tensors, facts)


def _remove(folder: Path) -> None:
    """Deletes a checkpoint: first its name, then its files, so that a kill between leaves no name without its files."""
    gone = folder.with_name(f".{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


class Store:
    """The checkpoints of one run, in a folder of their own.

    keep: how many of the last ones stay, >= 1; 2 survives a torn one.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self._keep = folder, keep

    def all(self) -> list[Path]:
        """Complete checkpoints (by name), oldest first."""
        return sorted(p for p in self.folder.glob("step-*") if p.is_dir())

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint: it appears whole under its name, or not at all, and then the oldest go.

        Raises StorageError (unwritable, full); what was there before stays.
        """
        target = make_folder(self.folder) / f"step-{checkpoint.step:08d}"
        temporary = self.folder / f".{target.name}.part"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            _fill(temporary, checkpoint)
            self._replace(temporary, target)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise storage_error(target, error) from error
        self._tidy(target)
        return target

    def _tidy(self, newest: Path) -> None:
        # What lies after the newest is damaged: the run went on from before it.
        done = self.all()
        at = done.index(newest) + 1
        for old in [*done[: max(0, at - self._keep)], *done[at:]]:
            with suppress(OSError):
                _remove(old)
        for left in self.folder.glob(".step-*.gone"):  # of a kill while deleting
            shutil.rmtree(left, ignore_errors=True)

    def _replace(self, temporary: Path, target: Path) -> None:
        # A folder of this name is left from before a resume, damaged or equal; a rename cannot replace a filled folder.
        if target.exists():
            _remove(target)
        temporary.rename(target)
        _sync(self.folder)

    def last(self, say: Callable[[str], None] = log.warning) -> Checkpoint | None:
        """The newest undamaged checkpoint, or None where there is none; says of each damaged one which is used instead.

        Raises InputError when there are checkpoints and all are damaged.
        """
        damaged: list[str] = []
        for folder in reversed(self.all()):
            try:
                found = read(folder)
            except DamagedError as error:
                damaged.append(f"checkpoint {folder.name} is damaged ({error})")
                continue
            for line in damaged:
                say(f"{line}; going on from {folder.name}, the one before")
            return found
        if damaged:
            raise InputError(
                f"no usable checkpoint in {self.folder}: {'; '.join(damaged)}; start anew in another folder"
            )
        return None
