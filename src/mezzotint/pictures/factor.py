"""How much smaller features are than the picture they are of."""

from __future__ import annotations

from collections.abc import Sequence


def factor(fold: int, widths: Sequence[int]) -> int:
    """Pixels along an axis for one place: ``fold`` at the door, twice as many for each further of ``widths``."""
    return int(fold * 2 ** (len(widths) - 1))
