"""Pictures in grey, as (H, W, 1)."""

from __future__ import annotations

import numpy as np

from mezzotint.pictures.png import Pixels


def grey(pixels: Pixels) -> Pixels:
    """Of a picture (H, W, 3), by Pillow's weights (ITU-R BT.601)."""
    from PIL import Image

    found: Pixels = np.asarray(Image.fromarray(pixels).convert("L"), np.uint8)[..., None]
    return found
