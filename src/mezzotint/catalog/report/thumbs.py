"""Pictures small enough to be part of a page."""

from __future__ import annotations

import base64
import io

from mezzotint.catalog.store import Store

SIDE, QUALITY = 96, 60


def thumb(store: Store, file: str) -> str:
    """A data URI of a picture, its longer side at most 96 pixels; "" where it is gone or damaged.  Raises
    StorageError."""
    from PIL import Image as Pillow

    data = store.get(file)
    if data is None:
        return ""
    try:
        with Pillow.open(io.BytesIO(data), formats=("PNG",)) as image:
            small = image.convert("RGB")
    except (OSError, SyntaxError, ValueError):
        return ""
    small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=2)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
