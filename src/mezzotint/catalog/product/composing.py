"""A way of making pictures without a network: the product is laid on a plain background.

What is sampled elsewhere is the background here, and all else is the same: mark, product lock, gates, receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mezzotint import __version__
from mezzotint.catalog.product.backdrop import Backdrop
from mezzotint.costs.meter import cost_of, started
from mezzotint.costs.prices import declared
from mezzotint.governance.provenance.manifest import COMPOSED
from mezzotint.governance.receipt import Made
from mezzotint.making.heeded import Heeded
from mezzotint.making.image import Image, image_of
from mezzotint.making.job import Wanted
from mezzotint.pictures.grey import grey
from mezzotint.pictures.png import Pixels

if TYPE_CHECKING:
    from mezzotint.governance.provenance.mark.marking import Marking


@dataclass(frozen=True)
class Composing:
    """As ``Job``, of pictures that are composed.   size: (width, height).   channels: 3, or 1 beside a model of grey
    pictures."""

    backdrop: Backdrop
    size: tuple[int, int]
    channels: int
    mark: Marking | None
    pictures: tuple[Wanted, ...] = ()
    heeded: Heeded = field(default_factory=Heeded)

    def made(self, picture: Wanted) -> Made:
        """What determines a picture: no network, so no stage; whole numbers alone, so no processor but for its mark."""
        from mezzotint.pretrained.device import processor

        return Made(
            model=COMPOSED,
            stages=(),
            main=0,
            task=picture.task,
            adapters=(),
            embeddings=(),
            attached=(),
            prompt=picture.prompt,
            negative_prompt="",
            apart={},
            read=picture.told.read,
            tokens=(),
            encoder_sha256="",
            seed=picture.seed,
            size=self.size,
            dtype="uint8",
            device="cpu",
            processor="any" if self.mark is None else processor("cpu"),
            threads=1,
            versions={"mezzotint": __version__, "numpy": np.__version__},
            mark=None if self.mark is None else self.mark.said,
        )

    def sampled(self) -> Iterator[Image]:
        """Its backgrounds, one for each picture, that still have to pass ``Leaving``: its lock is the product."""
        prices = declared()
        for picture in self.pictures:
            began, pixels = started(), self._background()
            used = began.used(0, "cpu")
            yield image_of(self.made(picture), pixels, used.seconds, self.heeded, cost_of(used, prices))

    def _background(self) -> Pixels:
        pixels = self.backdrop.painted(self.size)
        return pixels if self.channels == 3 else grey(pixels)
