"""The files of an adapter: one, or a folder as PEFT and diffusers write it, with one of PEFT's for each network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.files import sha256
from mezzotint.pretrained.components import known_sha256
from mezzotint.pretrained.lora_file import Alphas, refuse_others, with_rotations
from mezzotint.pretrained.passport import KEY
from mezzotint.tensorfile import Header, read_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from mezzotint.nets.adapters.layouts import Part

PEFT_FILE, PEFT_CONFIG, DIFFUSERS_FILE = (
    "adapter_model.safetensors",
    "adapter_config.json",
    "pytorch_lora_weights.safetensors",
)
PEFT_HEAD = "base_model.model."
HASH = "modelspec.hash_sha256"
"""Of a header: the SHA-256 of all bytes behind it, ``0x…``.   Stability AI's ModelSpec 1.0.1."""


@dataclass(frozen=True)
class Files:
    """paths: of all.  parts: the network that each is for, "" for what its keys say.  headers: of each; the first
    speaks for all."""

    paths: tuple[Path, ...]
    parts: tuple[Part, ...]
    headers: tuple[Header, ...]

    @property
    def first(self) -> Header:
        return self.headers[0]

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.first.metadata

    @property
    def sha256(self) -> str:
        """Of the file; of several the hash of their hashes."""
        return sha256_of(self.paths)

    @property
    def ours(self) -> Files:
        """Those that have a passport.  Other tools may hash other bytes: the whole file without the hash, or the
        tensors by name."""
        every = zip(self.paths, self.parts, self.headers, strict=True)
        kept = [one for one in every if KEY in one[2].metadata]
        return Files(tuple(p for p, _, _ in kept), tuple(n for _, n, _ in kept), tuple(h for _, _, h in kept))

    def claimed(self) -> tuple[str, ...]:
        """The hash that each header has of the bytes behind it, "" where it has none: some tools leave it empty."""
        said = [header.metadata.get(HASH, "").lower().removeprefix("0x") for header in self.headers]
        return tuple(text if re.fullmatch("[0-9a-f]{64}", text) else "" for text in said)

    def altered(self, hashed: Callable[[Path, int], str]) -> tuple[Path, ...]:
        """The files whose tensors are not those that their headers have the hash of.

        hashed: a file and where its tensors begin, in bytes -> the SHA-256 from there on.
        """
        claims = zip(self.paths, self.headers, self.claimed(), strict=True)
        return tuple(path for path, header, claim in claims if claim and hashed(path, header.start) != claim)

    def tensors(self) -> dict[str, Tensor]:
        """Of all, those of PEFT's files under the names of their networks; of PEFT's rotations their blocks.

        Raises InputError, ModelError.
        """
        found: dict[str, Tensor] = {}
        for path, part, header in zip(self.paths, self.parts, self.headers, strict=True):
            own = with_rotations(read_tensors(path), path, header)
            found |= {_named(key, part): value for key, value in own.items()}
        return found

    @cached_property
    def _alphas(self) -> Mapping[Part, Alphas]:
        said = zip(self.parts, self.paths, self.headers, strict=True)
        return {part: Alphas(path, header) for part, path, header in said}

    def alphas(self, part: Part, layer: str, rank: int) -> float | None:
        """What is said of a layer's alpha beside the tensors.   Raises ModelError for what is no number."""
        said = self._alphas.get(part) or self._alphas.get("")
        return None if said is None else said(part, layer, rank)


def sha256_of(paths: Sequence[Path]) -> str:
    """Of a file; of several the hash of their hashes."""
    found = [known_sha256(path) for path in paths]
    return found[0] if len(found) == 1 else sha256("".join(found).encode())


def _named(key: str, part: Part) -> str:
    return f"{part}.{key.removeprefix(PEFT_HEAD)}" if part else key


def files_of(path: Path, texts: Sequence[Part]) -> Files:
    """The files of an adapter, their headers checked.

    texts: names of text encoders: a file of PEFT's in a folder that is called so is for that one.
    Raises ModelError for what is something else, InputError.
    """
    paths = adapter_paths(path) or (path,)
    names = [one.absolute().parent.name if one.name == PEFT_FILE else "" for one in paths]
    parts = tuple(name if name in texts else "" for name in names)
    return Files(paths, parts, tuple(map(refuse_others, paths)))


def adapter_paths(folder: Path) -> tuple[Path, ...]:
    """The files of an adapter's folder; none of any other, or of a file."""
    for name in (PEFT_FILE, DIFFUSERS_FILE):
        if (folder / name).is_file():
            return (folder / name,)
    return tuple(sorted(folder.glob(f"*/{PEFT_FILE}")))
