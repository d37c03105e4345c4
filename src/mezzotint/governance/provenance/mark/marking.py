"""How pictures of a run are marked, and what their receipts say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mezzotint.config import MARKS
from mezzotint.errors import ProvenanceError
from mezzotint.governance.provenance.mark import keys
from mezzotint.pictures.png import Pixels

if TYPE_CHECKING:
    from mezzotint.governance.provenance.mark.embed import Free

VERSION = 1
AUTO, OFF, REQUIRED = MARKS
DIGITS = 8
"""Of the asset's id that a mark holds."""


@dataclass(frozen=True, eq=False)
class Marking:
    """required: whether a picture without room for a mark is an error.   free: (H, W), the pixels that may be touched;
    None is all.   name: the asset's id that marks hold; None is each picture's own.
    """

    key: bytes = field(repr=False)
    required: bool = False
    free: Free | None = None
    name: str | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        """What determines a picture, as ``Made`` has it."""
        return {"version": VERSION, "key": keys.ident(self.key)}

    def __call__(self, pixels: Pixels, asset_id: str) -> tuple[Pixels, Mapping[str, Any]]:
        """(a picture as it leaves, what its receipt says of the mark).   Raises ProvenanceError: no room."""
        from mezzotint.governance.provenance.mark.embed import embed  # scipy is read only where there is a key

        name = (self.name or asset_id)[:DIGITS]
        made = embed(pixels, int(name, 16), self.key, self.free)
        if made.embedded:
            return made.pixels, {"state": "embedded", "name": name, "decibels": made.decibels}
        if self.required:
            raise ProvenanceError(
                f"asset {asset_id}: the picture has no room for a mark that would be read again, and marks are"
                " required; make it larger, lock less of it, or say mark = auto"
            )
        return pixels, {"state": "no-room"}


def marking(mode: str) -> Marking | None:
    """By the setting ``mark``; None where nothing is marked.

    Raises ProvenanceError: no key and one is required, or it is damaged.
    """
    key = None if mode == OFF else keys.own()
    if key is None and mode == REQUIRED:
        raise ProvenanceError("marks are required and there is no key; `mezzotint keys mark` makes one")
    return None if key is None else Marking(key, mode == REQUIRED)
