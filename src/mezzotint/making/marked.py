"""Whether pictures are marked: scipy is read only where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mezzotint.config import MARKS
from mezzotint.errors import unknown

if TYPE_CHECKING:
    from mezzotint.governance.provenance.mark.marking import Marking


def marking_of(mode: str) -> Marking | None:
    """By the word ``mark``.  Raises UsageError (another word), ProvenanceError as ``marking``."""
    if mode not in MARKS:
        raise unknown("mark", mode, MARKS)
    if mode == "off":
        return None
    from mezzotint.governance.provenance.mark.marking import marking

    return marking(mode)
