"""The denoising film: a strip of chosen moments, and an animation of all of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from mezzotint.pictures.png import Pixels, to_pil
from mezzotint.pictures.sheet import enlarged

FRAME_MS = 80
HOLD_MS = 1600
STRIP_COLUMNS = 9
MAX_FRAMES = 120


@dataclass(frozen=True)
class Moment:
    """One moment of a trajectory: the state as a picture, the denoiser's estimate of the end, what to write below."""

    state: Pixels
    estimate: Pixels
    label: str


def spread(n: int, most: int) -> list[int]:
    """At most ``most`` of the indices 0 … n-1, evenly spread, first and last among them."""
    if n <= most:
        return list(range(n))
    return [round(i * (n - 1) / (most - 1)) for i in range(most)]


def rows(moments: Sequence[Moment]) -> tuple[list[list[Pixels]], list[str]]:
    """The strip of a film: states above, estimates below, at most nine moments; and their labels."""
    chosen = [moments[i] for i in spread(len(moments), STRIP_COLUMNS)]
    return [[m.state for m in chosen], [m.estimate for m in chosen]], [m.label for m in chosen]


def webp(moments: Sequence[Moment]) -> bytes:
    """An animated WebP of the states, lossless, looping, with a pause on the finished picture."""
    chosen = [moments[i] for i in spread(len(moments), MAX_FRAMES)]
    frames = [to_pil(enlarged(m.state, 224)) for m in chosen]
    file = io.BytesIO()
    frames[0].save(
        file,
        format="WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=[FRAME_MS] * (len(frames) - 1) + [HOLD_MS],
        loop=0,
        lossless=True,
        method=1,
        quality=0,
    )
    return file.getvalue()
