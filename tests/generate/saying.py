"""Pictures that say how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin


def png(path: Path, texts: Mapping[str, str]) -> Path:
    """A small black picture with texts by their keywords."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        chunks.add_itxt(key, value)
    Image.new("RGB", (8, 8)).save(path, pnginfo=chunks)
    return path
