"""The pictures of a report: photographs, the base before, what was learnt after, each on the same noise."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mezzotint.making.tuned.judge import Judged
from mezzotint.pictures.png import Pixels, png
from mezzotint.pictures.sheet import strip
from mezzotint.tuning.choose import Choice
from mezzotint.tuning.prompts import Asked

MOST = 6


def _tiles(images: Tensor) -> list[Pixels]:
    """The first MOST of pictures (n, 3, S, S), (S, S, 3) each; the last again where there are fewer."""
    rows = [image.permute(1, 2, 0).contiguous().numpy() for image in images[:MOST]]
    return rows + rows[-1:] * (MOST - len(rows))


def sheets(found: Judged, choice: Choice, asked: Asked, real: Tensor) -> Mapping[str, bytes]:
    """Title -> PNG.   real: photographs (m, 3, S, S)."""
    before, after = found.pictures[0], found.pictures[choice.step]
    names = [name for _, name in asked.behind][:MOST]
    subject = [_tiles(real), _tiles(before.subject), _tiles(after.subject)]
    return {
        "Photographs; the base; what was learnt": _png(subject, [""] * MOST),
        "On other backgrounds: the base; what was learnt": _png([_tiles(before.behind), _tiles(after.behind)], names),
        "Other things: the base; what was learnt": _png([_tiles(before.other), _tiles(after.other)], [""] * MOST),
    }


def _png(rows: list[list[Pixels]], labels: list[str]) -> bytes:
    return png(strip(rows, labels), {})
