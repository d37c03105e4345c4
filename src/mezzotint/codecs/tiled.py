"""A latent of pictures that are larger than an autoencoder takes at once."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.codecs.base import check_rows
from mezzotint.codecs.kl import KL
from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.tiles import Span, Tiles, blended


@dataclass(frozen=True, eq=False)
class TiledKL:
    """``KL`` in overlapping tiles, blended.   codec: for the whole picture.  tiles: of the latent."""

    codec: KL
    tiles: Tiles

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codec.shape

    @property
    def _plane(self) -> tuple[int, int]:
        return self.codec.shape[-2], self.codec.shape[-1]

    def encode(self, data: Tensor) -> Tensor:
        """Raises InputError for another dtype or shape."""
        if len(self.tiles.spans(self._plane)) == 1:
            return self.codec.encode(data)
        x, f = Pixels(3, self.codec.size).encode(data), self.codec.factor

        def latent(span: Span) -> Tensor:
            rows, columns = (slice(s.start * f, s.stop * f) for s in span)
            return self.codec.latent(x[..., rows, columns])

        return blended(self.tiles, self._plane, latent)

    def decode(self, state: Tensor) -> Tensor:
        """Raises InputError for another shape, NonFiniteError where the state is not finite."""
        check_rows("latents", state, self.shape)
        if len(self.tiles.spans(self._plane)) == 1:
            return self.codec.decode(state)

        def picture(span: Span) -> Tensor:
            return self.codec.picture(state[..., span[0], span[1]])

        return Pixels(3, self.codec.size).decode(blended(self.tiles, self._plane, picture, self.codec.factor))
