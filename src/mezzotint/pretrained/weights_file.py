"""A weights file of either format, by its first bytes: safetensors or GGUF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.pretrained.gguf_file import gguf_header, gguf_tensors, is_gguf
from mezzotint.tensorfile import Header, read_header, read_tensors

if TYPE_CHECKING:
    from torch import Tensor


def header_of(path: Path) -> Header:
    """Raises InputError, ModelError as either format's reader."""
    return gguf_header(path) if is_gguf(path) else read_header(path)


def tensors_in(path: Path) -> dict[str, Tensor]:
    """All tensors.  Raises InputError, ModelError, UsageError as either format's reader."""
    return gguf_tensors(path) if is_gguf(path) else read_tensors(path)
