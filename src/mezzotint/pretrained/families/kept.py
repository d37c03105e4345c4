"""What text encoders made of a prompt, kept on disk, so that the next run of it needs neither them nor their library.

A file's name is the hash of all that determines its contents; texts are in neither: what is said of a prompt (words
that were dropped) is written veiled by the prompt itself.  Whoever has the encoder can still test a guess.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.counted import Counted
from mezzotint.config import home, settings
from mezzotint.errors import MezzotintError, StorageError
from mezzotint.files import canonical_json, sha256, sha256_file
from mezzotint.pretrained.components import Component

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.system import System

MAX_BYTES = 1 << 30
"""Of all files together; those used longest ago go."""

SCHEMA = "mezzotint/encoded/2"
LIBRARIES = ("mezzotint", "torch", "transformers")
_log = logging.getLogger(__name__)


def folder() -> Path:
    """Where they are.  It can be deleted at any time."""
    return home() / "encoded"


def identity(encoder: Component, tokenizer: Component, *how: object) -> Mapping[str, Any]:
    """What determines what an encoder makes of a text; its weights' hash is remembered (``known_sha256``)."""
    inside = None if encoder.inside is None else [encoder.inside.kind, encoder.inside.prefix]
    files = sorted(p for p in tokenizer.folder.iterdir() if p.is_file()) if tokenizer.folder.is_dir() else []
    return {
        "class": encoder.class_name, "weights": encoder.sha256, "inside": inside,
        "config": sha256(json.dumps(encoder.config, sort_keys=True).encode()),
        "tokenizer": {path.name: sha256_file(path) for path in files}, "how": how,
    }  # fmt: skip


def remembered(system: System, made: Reading, texts: Sequence[tuple[str, str]], about: Mapping[str, Any]) -> Reading:
    """A reading that is taken from disk where it was made before, and is put there when it is made.

    texts: what the encoders read.  about: what else determines it: their identities, what is made of their states.
    """
    if settings()["text_cache"].value == "off":
        return made
    return Kept(system, made, tuple(texts), about)


@dataclass(frozen=True)
class Entry:
    """What a file holds: the reading, its states as ``FORMAT/cond/NAME`` and ``FORMAT/null/NAME``, of every number
    format that encoders ran in."""

    width: int
    notes: tuple[str, ...]
    tokens: tuple[Counted, ...]
    states: Mapping[str, Tensor]

    def conds(self, dtype: dtype) -> tuple[Cond, Cond] | None:
        """None where encoders did not run in that format."""
        cond, null = (
            {k.removeprefix(head): v for k, v in self.states.items() if k.startswith(head)}
            for head in (f"{dtype}/cond/", f"{dtype}/null/")
        )
        return (cond, null) if cond else None


@dataclass(frozen=True, eq=False)
class Kept:
    """A ``Reading`` that is on disk, or will be."""

    system: System
    made: Reading
    texts: tuple[tuple[str, str], ...]
    about: Mapping[str, Any]

    @cached_property
    def _path(self) -> Path:
        return folder() / f"{sha256(canonical_json(self._key()))}.safetensors"

    def _key(self) -> Mapping[str, Any]:
        """Also what rounds: states of another library or number of threads may differ in their last bits."""
        import torch

        from mezzotint.pretrained.device import processor

        return {
            "schema": SCHEMA, "texts": self.texts, "about": self.about,
            "adapters": [one.said for one in self.system.adapters],
            "embeddings": [{**one.said, "words": one.words} for one in self.system.embeddings],
            "versions": {name: _version(name) for name in LIBRARIES},
            "processor": processor("cpu"), "threads": torch.get_num_threads(),
        }  # fmt: skip

    @cached_property
    def _found(self) -> Entry | None:
        return read_entry(self._path, self.texts)

    @property
    def read(self) -> tuple[str, str]:
        return self.made.read

    @property
    def width(self) -> int:
        return (self._found or self.made).width

    @property
    def notes(self) -> tuple[str, ...]:
        return (self._found or self.made).notes

    @property
    def tokens(self) -> tuple[Counted, ...]:
        return (self._found or self.made).tokens

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        if self._found is not None and (kept := self._found.conds(dtype)) is not None:
            return kept
        cond, null = self.made.conds(dtype)
        told = {f"{dtype}/cond/{name}": v for name, v in cond.items()}
        told |= {f"{dtype}/null/{name}": v for name, v in null.items()}
        before = read_entry(self._path, self.texts)
        states = told if before is None else {**before.states, **told}
        write_entry(self._path, Entry(self.width, self.notes, self.tokens, states), self.texts)
        return cond, null


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _veiled(data: bytes, texts: object) -> bytes:
    """Data and a stream of the texts' own, bit by bit; twice is the data."""
    stream = hashlib.shake_256(canonical_json(texts)).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))


def _digest(facts: str, states: Mapping[str, Tensor]) -> str:
    import torch

    parts = [facts.encode()]
    for name in sorted(states):
        value = states[name]
        parts += [f"{name} {value.dtype} {tuple(value.shape)}".encode()]
        parts += [value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()]
    return sha256(parts)


def read_entry(path: Path, texts: object) -> Entry | None:
    """What a file holds, None where there is none or it is damaged."""
    from mezzotint.tensorfile import read_header, read_tensors

    if not path.is_file():
        return None
    try:
        said = read_header(path).metadata
        states = {name: value.clone() for name, value in read_tensors(path).items()}
        if _digest(said["facts"], states) != said["sha256"]:
            raise ValueError("its contents are not those that were written")
        facts = json.loads(_veiled(base64.b64decode(said["facts"]), texts))
        tokens = tuple(Counted(**one) for one in facts["tokens"])
        found = Entry(int(facts["width"]), tuple(facts["notes"]), tokens, states)
    except (MezzotintError, OSError, ValueError, KeyError, TypeError) as error:
        _log.debug("%s is made again: %s", path, error)
        return None
    with suppress(OSError):
        os.utime(path)
    return found


def write_entry(path: Path, entry: Entry, texts: object) -> None:
    """Puts an entry on disk and makes room; a home that cannot be written costs time, nothing else."""
    from mezzotint.tensorfile import write_tensors

    said = {"width": entry.width, "notes": entry.notes, "tokens": [asdict(one) for one in entry.tokens]}
    facts = base64.b64encode(_veiled(canonical_json(said), texts)).decode()
    states = {name: value.cpu().contiguous() for name, value in entry.states.items()}
    with suppress(StorageError, OSError):
        write_tensors(path, states, {"facts": facts, "sha256": _digest(facts, states)})
        make_room(path.parent, MAX_BYTES)


def make_room(place: Path, most: int) -> None:
    """Removes the files used longest ago until those that are left take at most so many bytes."""
    about = sorted(((p.stat(), p) for p in place.glob("*.safetensors")), key=lambda pair: pair[0].st_mtime_ns)
    total = sum(stat.st_size for stat, _ in about)
    for stat, path in about:
        if total <= most:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size
