"""Reading GGUF files, trusting nothing in them: a transformer whose matrices lie in blocks of few bits.

The format, version 2 or 3, little-endian: "GGUF", version, numbers of tensors and of values, the values (key, type,
value), for each tensor its name, axes (the last first), type and offset, then the data, aligned.  Every claim is
checked against the file before anything of its size is made.   https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.tensorfile import MAX_AXES, MAX_TENSORS, NAME, Entry, Header

if TYPE_CHECKING:
    from torch import Tensor

MAGIC, VERSIONS, ALIGNMENT = b"GGUF", (2, 3), 32
MAX_VALUES, MAX_TEXT, MAX_LIST = 1000, 1 << 20, 1 << 20
TEXT, LIST = 8, 9
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Type of a value -> its bytes."""

TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 20: ("IQ4_NL", 32, 18), 23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}  # fmt: skip
"""Type of a tensor -> its name, and how many numbers a block has in how many bytes."""

BY_NAME = {name: (number, size) for number, (name, _, size) in TYPES.items()}


def is_gguf(path: Path) -> bool:
    """Whether a file begins as GGUF files do.  Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected weights") from error


@dataclass(frozen=True)
class _Reader:
    file: BinaryIO
    size: int

    def take(self, many: int) -> bytes:
        if many > self.size - self.file.tell():
            raise ValueError(f"it claims {many} bytes where {self.size - self.file.tell()} are left")
        return self.file.read(many)

    def number(self, form: str) -> int:
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0])

    def below(self, form: str, most: int, what: str) -> int:
        found = self.number(form)
        if found > most:
            raise ValueError(f"it claims {found} {what}; at most {most} are taken")
        return found

    def text(self) -> str:
        return self.take(self.below("Q", MAX_TEXT, "letters")).decode()

    def value(self, kind: int, depth: int = 0) -> int | None:
        """Reads past a value; of a whole number of 4 bytes what it is."""
        if kind == TEXT:
            self.text()
        elif kind == LIST and depth < 2:
            inner, many = self.number("I"), self.below("Q", MAX_LIST, "values")
            for _ in range(many):
                self.value(inner, depth + 1)
        elif kind in SCALARS:
            data = self.take(SCALARS[kind])
            return int.from_bytes(data, "little") if kind == 4 else None
        else:
            raise ValueError(f"a value is of the unknown type {kind}")
        return None


def gguf_header(path: Path) -> Header:
    """The checked header, as one of safetensors.  Raises InputError (unreadable), ModelError (a lie)."""
    try:
        with path.open("rb") as file:
            return _header(_Reader(file, path.stat().st_size))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected a GGUF file") from error
    except ValueError as error:
        raise ModelError(f"{path} is not a sound GGUF file: {error}; fetch it again") from error


def _header(reader: _Reader) -> Header:
    if reader.take(4) != MAGIC or (version := reader.number("I")) not in VERSIONS:
        raise ValueError(f"expected version {VERSIONS[0]} or {VERSIONS[1]}")
    assert version
    tensors, values = reader.below("Q", MAX_TENSORS, "tensors"), reader.below("Q", MAX_VALUES, "values")
    said = {reader.text(): reader.value(reader.number("I")) for _ in range(values)}
    alignment = said.get("general.alignment") or ALIGNMENT
    entries = dict(_entry(reader) for _ in range(tensors))
    start = -(-reader.file.tell() // alignment) * alignment
    if len(entries) != tensors:
        raise ValueError("a name occurs twice")
    for name, entry in entries.items():
        if entry.begin % alignment or start + entry.end > reader.size:
            raise ValueError(f"{name}: its bytes {entry.begin} to {entry.end} do not lie in the file")
    return Header(entries, {}, start)


def _entry(reader: _Reader) -> tuple[str, Entry]:
    name = reader.text()
    if not NAME.fullmatch(name) or ".." in name:
        raise ValueError(f"{name[:80]!r} is not a tensor's name")
    axes = [reader.number("Q") for _ in range(reader.below("I", MAX_AXES, "axes"))]
    kind, begin = reader.number("I"), reader.number("Q")
    if kind not in TYPES:
        raise ValueError(f"{name} is of type {kind}; expected one of {', '.join(t[0] for t in TYPES.values())}")
    spelled, block, size = TYPES[kind]
    if not axes or axes[0] % block:
        raise ValueError(f"{name}: rows of {axes[0] if axes else 0} are no whole blocks of {block}")
    return name, Entry(spelled, tuple(reversed(axes)), begin, begin + math.prod(axes) // block * size)


def gguf_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file as diffusers has them: blocks are made numbers by its own functions, in the format that
    each type keeps its scale in (most float16).

    Raises: InputError, ModelError, UsageError (the package gguf is missing).
    """
    header = gguf_header(path)
    return {name: _tensor(path, header.start, name, entry) for name, entry in header.entries.items()}


def _tensor(path: Path, start: int, name: str, entry: Entry) -> Tensor:
    import numpy as np
    import torch

    length = entry.end - entry.begin
    data = np.fromfile(path, np.uint8, count=length, offset=start + entry.begin)
    whole = torch.from_numpy(data)
    if entry.dtype in ("F32", "F16"):
        return whole.view(torch.float32 if entry.dtype == "F32" else torch.float16).reshape(entry.shape)
    number, _ = BY_NAME[entry.dtype]
    rows = whole.reshape(*entry.shape[:-1], -1)
    return _numbers(rows, number, path)


def _numbers(rows: Tensor, number: int, path: Path) -> Tensor:
    """Blocks (…, bytes) -> numbers (…, n)."""
    try:
        from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor
        from gguf import GGMLQuantizationType
    except ImportError as error:
        raise UsageError(f"{path} needs the packages gguf and diffusers; pip install 'mezzotint[gguf]'") from error
    parameter: Callable[..., Tensor] = GGUFParameter
    numbers: Callable[[Tensor], Tensor] = dequantize_gguf_tensor
    return numbers(parameter(rows, quant_type=GGMLQuantizationType(number))).detach()
