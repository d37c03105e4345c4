"""The edge of a picture, by which its background is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EDGE = 0.04
"""Share of the shorter side that is the frame."""


def frame(height: int, width: int) -> NDArray[np.bool_]:
    """(H, W), true along the picture's edge, EDGE of its shorter side wide."""
    made = np.zeros((height, width), bool)
    wide = max(1, round(EDGE * min(height, width)))
    made[:wide], made[-wide:], made[:, :wide], made[:, -wide:] = True, True, True, True
    return made
