"""Pictures larger than a network sees at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mezzotint.pictures.png import Pixels

if TYPE_CHECKING:
    from mezzotint.codecs.base import Codec
    from mezzotint.diffusion.denoiser import Denoiser


@dataclass(frozen=True)
class Canvas:
    """tile: of the state, (height, width).  overlap: of its tiles.  crop: (width, height) of the picture that is given
    back, from the upper left; what is beyond was added to fill whole cells."""

    tile: tuple[int, int]
    overlap: int
    crop: tuple[int, int]

    def denoiser(self, denoiser: Denoiser) -> Denoiser:
        """In tiles, blended in every step."""
        from mezzotint.diffusion.guidance import Tiled
        from mezzotint.diffusion.tiles import Tiles

        return Tiled(denoiser, Tiles(self.tile, self.overlap))

    def codec(self, codec: Codec) -> Codec:
        """In tiles, where it has a network."""
        from mezzotint.codecs.kl import KL
        from mezzotint.codecs.tiled import TiledKL
        from mezzotint.diffusion.tiles import Tiles

        return TiledKL(codec, Tiles(self.tile, self.overlap)) if isinstance(codec, KL) else codec

    def cropped(self, pixels: Pixels) -> Pixels:
        """Without what was added."""
        width, height = self.crop
        return pixels[:height, :width]
