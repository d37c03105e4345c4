"""A picture that was made, with its receipt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.diffusion.sample import State
from mezzotint.files import write_atomic
from mezzotint.governance.receipt import Receipt, infotext
from mezzotint.pictures.png import Pixels, png, to_pil

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@dataclass(frozen=True)
class Image:
    """One picture.  pixels: (H, W, C) uint8.  receipt: everything that determines it."""

    prompt: str
    seed: int
    pixels: Pixels
    receipt: Receipt

    def pil(self) -> Picture:
        """As a Pillow image."""
        return to_pil(self.pixels)

    def png(self) -> bytes:
        """As a PNG file with ``parameters`` that picture tools read, and its asset id."""
        made = self.receipt.made
        return png(self.pil(), {"parameters": infotext(made), "mezzotint:asset_id": made.asset_id})

    def save(self, path: str | Path) -> Path:
        """Writes the PNG, whole or not at all.  Raises StorageError, also where the file exists already."""
        return write_atomic(Path(path), self.png(), replace=False)


@dataclass(frozen=True)
class Progress:
    """One step of one batch.  done, total: steps of the whole job.  seeds: of the pictures, the rows of ``state``.
    stage: the number of the stage that the state is of.
    """

    done: int
    total: int
    seeds: tuple[int, ...]
    state: State
    stage: int = 0


@dataclass(frozen=True)
class Result:
    """What ``generate`` made.  seconds: wall time."""

    images: tuple[Image, ...]
    seconds: float
