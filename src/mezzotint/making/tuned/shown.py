"""The pictures of a report: photographs, the base before, what was learnt after, each on the same noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mezzotint.making.tuned.judge import Court, Shown
from mezzotint.pictures.png import Pixels, png
from mezzotint.pictures.sheet import strip
from mezzotint.tuning.evidence import Pictures

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.gate import OutputGate

MOST, GREY = 6, 216


def looked_at(made: Shown, gate: OutputGate) -> tuple[Shown, int]:
    """What people are shown of a model's pictures: the first MOST of each sort, those that the output gate withholds
    plain grey; and how many these are.  Pictures of other things are every subject's, and looked at once."""
    other, hidden = _passed(next(iter(made.values())).other[:MOST], gate)
    found = {name: _looked_at(one, other, gate) for name, one in made.items()}
    return {name: one for name, (one, _) in found.items()}, hidden + sum(many for _, many in found.values())


def _looked_at(made: Pictures, other: Tensor, gate: OutputGate) -> tuple[Pictures, int]:
    """other: of other things, as they have been looked at."""
    found = [_passed(images[:MOST], gate) for images in (made.subject, made.behind, made.painted)]
    subject, behind, painted = (images for images, _ in found)
    return Pictures(subject, behind, painted, other), sum(many for _, many in found)


def _passed(images: Tensor, gate: OutputGate) -> tuple[Tensor, int]:
    held = [not gate.passes(gate.check(_pixels(image)).decision) for image in images]
    return torch.where(torch.tensor(held)[:, None, None, None], torch.full_like(images, GREY), images), sum(held)


def _pixels(image: Tensor) -> Pixels:
    """(S, S, 3) of (3, S, S)."""
    found: Pixels = image.permute(1, 2, 0).contiguous().numpy()
    return found


def _tiles(images: Tensor) -> list[Pixels]:
    """The first MOST of pictures (n, 3, S, S), (S, S, 3) each; the last again where there are fewer."""
    rows = [_pixels(image) for image in images[:MOST]]
    return rows + rows[-1:] * (MOST - len(rows))


def sheets(before: Shown, after: Shown, court: Court) -> Mapping[str, bytes]:
    """Title -> PNG: of every subject two, and one of other things.   before, after: as people are shown them."""
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
