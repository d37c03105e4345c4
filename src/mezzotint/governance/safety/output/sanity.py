"""Whether a picture is one: of the size that was asked, and not of a single colour.

An empty picture must not be read as "blocked for what it shows": its codes say what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels

LEAST = 1.0
"""Grey levels between the darkest and the lightest value of some channel."""


@dataclass(frozen=True)
class Sanity:
    """size: (width, height) that was asked; None where nobody asked."""

    size: tuple[int, int] | None = None

    name = "sanity"

    def __call__(self, pixels: Pixels) -> Found:
        if pixels.ndim != 3 or pixels.dtype != "uint8" or 0 in pixels.shape or pixels.shape[2] not in (1, 3, 4):
            return _found("mode")
        if self.size is not None and (pixels.shape[1], pixels.shape[0]) != self.size:
            return _found("size")
        shown = pixels if pixels.shape[2] < 4 else pixels[..., :3]
        if max(int(channel.max()) - int(channel.min()) for channel in shown.transpose(2, 0, 1)) > LEAST:
            return Found()
        return _found("black" if int(shown.max()) <= LEAST else "constant")


def _found(rule: str) -> Found:
    return Found((finding("structure", rule, "picture", Decision.BLOCK, 1.0),))
