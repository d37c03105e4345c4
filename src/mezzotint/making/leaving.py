"""What happens to a picture between the sampler and its file, and in which order: ``Leaving``.

1. The invisible mark is put into the pixels that may be touched.
2. A photograph's own pixels are laid over what was made: after the mark, which therefore cannot change one of them.
3. The output gate sees what leaves, and nothing is done to its pixels afterwards.

Credential, ledger and file come after and leave pixels alone (``governance.provenance.release``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mezzotint.making.image import Image
from mezzotint.pictures.png import Pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mezzotint.governance.provenance.mark.marking import Marking
    from mezzotint.making.edit import Edit

Event = TypeVar("Event")
Kept = TypeVar("Kept")


class Lock(Protocol):
    """A photograph of which pixels stay."""

    @property
    def full(self) -> NDArray[np.bool_]:
        """(H, W), the pixels that are the photograph's to the bit."""

    def laid(self, pixels: Pixels) -> Pixels:
        """The photograph over what was made, (H, W, C)."""


def ungated(image: Image) -> Image:
    """The gate of what measures pictures and gives none out."""
    return image


@dataclass(frozen=True)
class Leaving(Generic[Kept]):
    """The order of this module.   mark, lock: None is none.   gate: a picture that may leave, or what is kept of one
    that may not."""

    mark: Marking | None
    lock: Lock | None
    gate: Callable[[Image], Image | Kept]

    def __call__(self, image: Image) -> Image | Kept:
        """A picture as it was sampled, on its way.

        Raises ProvenanceError where marks are required and there is no room for one; whatever the gate raises.
        """
        return self.gate(self._locked(self._marked(image)))

    def each(self, events: Iterable[Event | Image]) -> Iterator[Event | Image | Kept]:
        """A job's events, its pictures on their way.   Raises as the call."""
        return (self(event) if isinstance(event, Image) else event for event in events)

    def _marked(self, image: Image) -> Image:
        if self.mark is None:
            return image
        mark = self.mark if self.lock is None else replace(self.mark, free=~self.lock.full)
        pixels, said = mark(image.pixels, image.receipt.made.asset_id)
        shown = image.showing(pixels)
        return replace(shown, receipt=replace(shown.receipt, mark=said))

    def _locked(self, image: Image) -> Image:
        return image if self.lock is None else image.showing(self.lock.laid(image.pixels))


def lock_of(edit: Edit | None) -> Lock | None:
    """Of ``lock_mask``; None where nothing is locked."""
    return None if edit is None or edit.own is None else edit
