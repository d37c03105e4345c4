"""The pictures of a report: photographs, the base before, what was learnt after, each on the same noise."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mezzotint.making.tuned.judge import Court, Judged
from mezzotint.pictures.png import Pixels, png
from mezzotint.pictures.sheet import strip
from mezzotint.tuning.choose import Choice
from mezzotint.tuning.evidence import Pictures

MOST = 6


def _tiles(images: Tensor) -> list[Pixels]:
    """The first MOST of pictures (n, 3, S, S), (S, S, 3) each; the last again where there are fewer."""
    rows = [image.permute(1, 2, 0).contiguous().numpy() for image in images[:MOST]]
    return rows + rows[-1:] * (MOST - len(rows))


def sheets(found: Judged, choice: Choice, court: Court) -> Mapping[str, bytes]:
    """Title -> PNG: of every subject two, and one of other things."""
    before, after = found.pictures[0], found.pictures[choice.step]
    made: dict[str, bytes] = {}
    for name in court.asked:
        made |= _of(name if len(court.asked) > 1 else "", before[name], after[name], court, name)
    other = [_tiles(shown[name].other) for shown in (before, after)]
    return {**made, "Other things: the base; what was learnt": _png(other, [""] * MOST)}


def _of(title: str, before: Pictures, after: Pictures, court: Court, name: str) -> dict[str, bytes]:
    """One subject's.   title: "" where it is the only one."""
    said = f"{title}. " if title else ""
    colours, paints = (
        [colour for _, colour in of][:MOST] for of in (court.asked[name].behind, court.asked[name].painted)
    )
    subject = [_tiles(images) for images in (court.real[name].shown, before.subject, after.subject)]
    behind = [_tiles(images) for images in (before.behind, after.behind)]
    painted = [_tiles(images) for images in (before.painted, after.painted)]
    return {
        f"{said}Photographs; the base; what was learnt": _png(subject, [""] * MOST),
        f"{said}On other backgrounds: the base; what was learnt": _png(behind, colours),
        f"{said}In other colours: the base; what was learnt": _png(painted, paints),
    }


def _png(rows: list[list[Pixels]], labels: list[str]) -> bytes:
    return png(strip(rows, labels), {})
