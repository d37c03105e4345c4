"""Reading and writing safetensors files, trusting nothing in them.

The format: 8 bytes (little-endian length of the header), the header (JSON: name -> dtype, shape, [begin, end) in the
data), the data.  A header can lie; every claim in it is checked against the file before one byte of data is looked at.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
import mmap
import re
import shlex
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mezzotint.errors import InputError, ModelError
from mezzotint.files import atomic_writer

if TYPE_CHECKING:
    from torch import Tensor

MAX_HEADER_BYTES = 8 << 20
MAX_TENSORS = 20_000
MAX_AXES = 8
NAME = re.compile(r"[A-Za-z0-9_<*][A-Za-z0-9_./:<>*-]{0,255}")

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
_TORCH = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "U16": "uint16",
    "I16": "int16", "F16": "float16", "BF16": "bfloat16", "U32": "uint32", "I32": "int32", "F32": "float32",
    "U64": "uint64", "I64": "int64", "F64": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: dtype as safetensors spells it, shape, and [begin, end) in bytes after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a checked safetensors file holds; ``start`` is where its data begins, in bytes."""

    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]
    start: int

    @property
    def parameters(self) -> int:
        """The number of values in all tensors."""
        return sum(math.prod(e.shape) for e in self.entries.values())


def looks_pickled(head: bytes) -> bool:
    """Whether a file's first 8 bytes are a pickle's, or a zip's as ``torch.save`` writes it.

    A safetensors header below 16 MiB leaves bytes 3 to 7 zero, which no pickle does: 80 02 00 … is one of 640 bytes.
    """
    if head[3:8] == bytes(5):
        return False
    return (
        head[:4] == b"PK\x03\x04"
        or (head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))
        or head[:2] == b"(d"
    )


def refuse_pickle(path: Path, head: bytes) -> None:
    """Raises ModelError for a pickle, by what it holds or by its suffix; it is not opened further."""
    if looks_pickled(head) or path.suffix.lower() in (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle"):
        raise ModelError(
            f"{path} is a pickle (or named like one), which runs code when it is opened; expected a safetensors file:"
            f" `mezzotint convert {shlex.quote(str(path))}` writes one"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(n for n in names if names.count(n) > 1)[:80]!r} occurs twice")
    return out


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _entry(name: str, claim: Any) -> Entry:
    """One tensor's claim, checked for itself.  Raises ValueError."""
    if not NAME.fullmatch(name) or ".." in name:
        raise ValueError(f"{name[:80]!r} is not a tensor's name (letters, digits and . _ - / : < > *)")
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name}: expected dtype, shape and data_offsets alone")
    dtype, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ValueError(f"{name}: unknown dtype {str(dtype)[:20]!r}")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(map(_whole, shape)):
        raise ValueError(f"{name}: the shape is not a list of at most {MAX_AXES} sizes")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_whole, offsets)):
        raise ValueError(f"{name}: the offsets are not two positions")
    begin, end = offsets
    needed = math.prod(shape) * ITEM_BYTES[dtype]
    if needed != end - begin:
        raise ValueError(f"{name}: {dtype} of shape {shape} needs {needed} bytes, its offsets say {end - begin}")
    if math.prod(size or 1 for size in shape) * ITEM_BYTES[dtype] >= 2**63:  # of an empty tensor too, for its strides
        raise ValueError(f"{name}: the shape {shape} is larger than any memory")
    return Entry(dtype, tuple(shape), begin, end)


def _entries(table: dict[str, Any], data_bytes: int) -> dict[str, Entry]:
    """All claims, which together must tile the data without hole or overlap.  Raises ValueError."""
    if len(table) > MAX_TENSORS:
        raise ValueError(f"it lists {len(table)} tensors; at most {MAX_TENSORS} are taken")
    entries = {name: _entry(name, claim) for name, claim in table.items()}
    at = 0
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].begin, pair[1].end)):
        if entry.begin != at:
            fault = "an overlap" if entry.begin < at else "a hole"
            raise ValueError(f"{name}: begins at byte {entry.begin}, where byte {at} is due ({fault})")
        at = entry.end
    if at != data_bytes:
        raise ValueError(f"the tensors take {at} bytes but the file has {data_bytes} after its header")
    return entries


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("__metadata__ is not a table of strings")
    return value


def _header(file: BinaryIO, size: int) -> Header:
    """The header of an open file of ``size`` bytes.  Raises ValueError."""
    head = file.read(8)
    if len(head) < 8:
        raise ValueError(f"it has {size} bytes, too few for a header")
    (length,) = struct.unpack("<Q", head)
    if length > MAX_HEADER_BYTES or length > size - 8:
        raise ValueError(
            f"it claims a header of {length} bytes; the file has {size}, and at most {MAX_HEADER_BYTES} are taken"
        )
    table = json.loads(file.read(length).decode(), object_pairs_hook=_unique)
    if not isinstance(table, dict):
        raise ValueError("the header is not a table")
    metadata = _metadata(table.pop("__metadata__", {}))
    return Header(_entries(table, size - 8 - length), metadata, 8 + length)


def read_header(path: Path) -> Header:
    """The checked header of a safetensors file.  Raises InputError (unreadable), ModelError (a pickle, a lie)."""
    try:
        with path.open("rb") as file:
            refuse_pickle(path, file.read(8))
            file.seek(0)
            return _header(file, path.stat().st_size)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected a safetensors file") from error
    except (ValueError, RecursionError) as error:
        why = "its header nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise ModelError(f"{path} is not a sound safetensors file: {why}; fetch it again") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, mapped from disk (private copy-on-write pages), on the CPU.

    Raises InputError, ModelError as ``read_header``.
    """
    import torch

    header = read_header(path)
    if not header.entries:
        return {}
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def tensor(entry: Entry) -> Tensor:
        dtype: torch.dtype = getattr(torch, _TORCH[entry.dtype])
        count = math.prod(entry.shape)
        if count == 0:
            return torch.empty(entry.shape, dtype=dtype)
        offset = header.start + entry.begin
        if offset % dtype.itemsize:  # legal, but torch wants aligned storage
            return torch.frombuffer(bytearray(pages[offset : header.start + entry.end]), dtype=dtype).reshape(
                entry.shape
            )
        return torch.frombuffer(pages, dtype=dtype, count=count, offset=offset).reshape(entry.shape)

    return {name: tensor(entry) for name, entry in header.entries.items()}


def _dtype_name(tensor: Tensor) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    for spelling, torch_name in _TORCH.items():
        if torch_name == name:
            return spelling
    raise ModelError(f"safetensors has no {name}; cast it first")


def _layout(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """The header's bytes, padded to 8, and the order of the tensors: widest items first, so that all are aligned."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    table: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name in order:
        tensor = tensors[name]
        end = at + tensor.numel() * tensor.element_size()
        table[name] = {"dtype": _dtype_name(tensor), "shape": list(tensor.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(table, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8), order


def _pieces(tensors: Mapping[str, Tensor], order: Sequence[str]) -> Iterator[memoryview]:
    """The bytes of each."""
    import torch

    for name in order:
        yield tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def data_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Of what ``write_tensors`` writes behind the header, as ModelSpec has it."""
    import hashlib

    digest = hashlib.sha256()
    for data in _pieces(tensors, _layout(tensors, {})[1]):
        digest.update(data)
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
    """Writes a safetensors file atomically; equal tensors give equal bytes.

    Returns: its SHA-256.   Raises: StorageError.
    """
    import hashlib

    header, order = _layout(tensors, metadata or {})
    digest = hashlib.sha256()
    with atomic_writer(path) as file:
        for part in (struct.pack("<Q", len(header)), header):
            file.write(part)
            digest.update(part)
        for data in _pieces(tensors, order):
            file.write(data)
            digest.update(data)
    return digest.hexdigest()
