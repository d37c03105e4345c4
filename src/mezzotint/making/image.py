"""A picture that was made, with its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.files import sha256, write_atomic
from mezzotint.governance.provenance.code import code_rooms, code_sha256
from mezzotint.governance.provenance.manifest import source_of, xmp
from mezzotint.governance.receipt import Around, Made, Receipt, made_text
from mezzotint.pictures.png import XMP, Pixels, png, to_pil

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mezzotint.diffusion.sample import State
    from mezzotint.making.heeded import Heeded
    from mezzotint.making.released import Withheld


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

    def showing(self, pixels: Pixels) -> Image:
        """The same with other pixels, and their hash in its receipt."""
        receipt = replace(self.receipt, pixels_sha256=sha256(pixels.tobytes()))
        return replace(self, pixels=pixels, receipt=receipt)

    def png(self, *, embed_prompt: bool = False) -> bytes:
        """As a PNG file with its asset id and IPTC's mark that a model made it.

        embed_prompt: whether it also says how it was made, as AUTOMATIC1111's web UI does and in full: the prompt, for
        all who see the file.
        """
        made = self.receipt.made
        said = _said(made) if embed_prompt else {}
        return png(self.pil(), {**said, "mezzotint:asset_id": made.asset_id, XMP: xmp(source_of(made))})

    def save(self, path: str | Path, *, embed_prompt: bool = False) -> Path:
        """Writes the PNG, whole or not at all.  Raises StorageError, also where the file exists already."""
        return write_atomic(Path(path), self.png(embed_prompt=embed_prompt), replace=False)


def _said(made: Made) -> dict[str, str]:
    """How it was made, as a picture's file has it."""
    from mezzotint.making.recalled.a1111 import text_of

    return {"parameters": text_of(made), "mezzotint:made": made_text(made)}


def image_of(
    made: Made,
    pixels: Pixels,
    seconds: float,
    heeded: Heeded | None = None,
    cost: Mapping[str, Any] | None = None,
    first: Mapping[str, Any] | None = None,
) -> Image:
    """A picture that has just been sampled, with its receipt.

    seconds: wall time of its batch.  heeded: what licences and the prompt gate said.  cost: its share of what was used.
    first: what its first step said.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    licence, check = (None, None) if heeded is None else (heeded.licence.record, heeded.checks.get(made.prompt))
    around = Around(code_sha256(), licence, code_rooms())
    receipt = Receipt(made, sha256(pixels.tobytes()), now, seconds, around, check, cost=cost, first_step=first)
    return Image(made.prompt, made.seed, pixels, receipt)


@dataclass(frozen=True)
class Progress:
    """One step of one batch.  done, total: steps of the whole job.  seeds: of the pictures, the rows of ``state``.
    stage: the number of the stage that the state is of.   draft: whether it is of drafts, which are only looked at;
        its rows are those of the first, then of the next, as many as are drawn at once.
    """

    done: int
    total: int
    seeds: tuple[int, ...]
    state: State
    stage: int = 0
    draft: bool = False


@dataclass(frozen=True)
class Result:
    """What ``generate`` made.  seconds: wall time.  withheld: what the output gate let nobody have."""

    images: tuple[Image, ...]
    seconds: float
    withheld: tuple[Withheld, ...] = ()
