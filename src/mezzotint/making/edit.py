"""What a job is given beside words: a picture to begin from, and which part of it is to be painted anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError, UsageError
from mezzotint.files import sha256
from mezzotint.making.outpaint import Margins, framed, margins_of
from mezzotint.making.sizes import LARGEST, parse_size, size_of, sizes_said
from mezzotint.pictures.flat import cover_of, covering, mask_of, over, rgb
from mezzotint.pictures.grey import grey
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.system import picture_shape

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mezzotint.codecs.base import Codec
    from mezzotint.codecs.kl import KL
    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.making.request import Request
    from mezzotint.pretrained.system import System

STRENGTH, MASKED_STRENGTH, REFINED_STRENGTH = 0.8, 1.0, 0.3
"""How far a picture is noised where nobody says: a part that is repainted owes nothing to what was there, and a refiner
knows little noise alone."""

SHARES = 10_000
"""In so many parts the least strength is said."""


@dataclass(frozen=True, eq=False)
class Edit:
    """pixels: (H, W, C), of the size of the pictures that are made.  mask: (H, W), what is painted anew; None is all.

    strength: the share of the steps that is run, in (0, 1].  own: (H, W), pixels that stay the picture's own to the
    bit; None is nowhere.  margins: of the frame that was put around the picture, None where there is none.
    means: by what the mask's file says it, white, transparent or product.   cover: (H, W), how much of each pixel stays
    where the mask says a product, 255 is all of it; else None.
    """

    pixels: Pixels
    mask: NDArray[np.bool_] | None
    strength: float
    own: NDArray[np.bool_] | None = None
    margins: Margins | None = None
    means: str = "white"
    cover: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def task(self) -> Mapping[str, Any]:
        """For receipts."""
        said: dict[str, Any] = {"picture": sha256(self.pixels.tobytes()), "strength": self.strength}
        if self.mask is None:
            return {"name": "image", **said}
        said |= {"mask": sha256(np.packbits(self.mask).tobytes()), "lock": self.own is not None}
        if self.margins is None:
            other = {} if self.means == "white" else {"mask_means": self.means}
            return {"name": "inpaint", **said, **other, **self._product}
        return {"name": "outpaint", **said, "margins": list(self.margins), "fill": "edge"}

    @property
    def _product(self) -> Mapping[str, Any]:
        """Of a product that stays.   alpha: the hash of its cover; locked: of its own pixels, rows from the top."""
        if self.cover is None:
            return {}
        return {"alpha": sha256(self.cover.tobytes()), "locked": sha256(self.pixels[self.full].tobytes())}

    def first(self, steps: int) -> int:
        """The number of the first step that is run.  Raises UsageError where none is."""
        run = min(int(steps * self.strength), steps)
        if run < 1:
            least = -(-SHARES // steps) / SHARES  # rounded up to the digits that are shown, so that it is one
            raise UsageError(f"strength {self.strength:g} of {steps} steps is no step; expected at least {least:g}")
        return steps - run

    def known(self, codec: Codec, device: str) -> Tensor:
        """The picture as a state (1, *shape)."""
        import torch

        x = torch.from_numpy(self.pixels.copy()).permute(2, 0, 1)[None]
        return codec.encode(_sized(x, codec).to(device)).to(device)

    def kept(self, codec: Codec, device: str) -> Tensor | None:
        """1 where a state is known, 0 where it is painted, (1, 1, h, w); None where all of it is painted.

        As diffusers has it: the mask's pixel nearest to each of the state's.
        """
        import torch
        import torch.nn.functional as F

        if self.mask is None:
            return None
        painted = torch.from_numpy(self.mask.astype(np.float32))[None, None]
        return 1 - F.interpolate(painted, codec.shape[-2:], mode="nearest").to(device)

    def seen(self, codec: KL, sees: str, device: str) -> Cond:
        """What a network that is told the mask sees: ``mask``, 1 where it paints, (1, 1, h, w) as ``kept`` has it, or,
        where it sees blocks, (1, f^2, h, w) with every pixel; ``masked``: the state of the picture, grey there."""
        import torch
        import torch.nn.functional as F

        kept = self.kept(codec, device)
        assert kept is not None and self.mask is not None
        painted = torch.from_numpy(self.mask.astype(np.float32))[None, None].to(device)
        x = torch.from_numpy(self.pixels.copy()).permute(2, 0, 1)[None].to(device).float() / 127.5 - 1
        mask = F.pixel_unshuffle(painted, codec.factor) if sees == "blocks" else 1 - kept
        return {"mask": mask, "masked": codec.latent(x * (1 - painted))}

    @property
    def full(self) -> NDArray[np.bool_]:
        """(H, W), the pixels that are locked."""
        return np.zeros(self.pixels.shape[:2], np.bool_) if self.own is None else self.own

    def laid(self, pixels: Pixels) -> Pixels:
        """The picture's own pixels over what was made: where they are locked, a product's soft edges by its cover."""
        if self.cover is not None:
            return over(self.pixels, self.cover, pixels)
        result: Pixels = np.where(self.full[..., None], self.pixels, pixels)
        return result


def _sized(x: Tensor, codec: Codec) -> Tensor:
    """(1, C, H, W) uint8 as large as a codec's pictures are."""
    import torch.nn.functional as F

    from mezzotint.codecs.pixels import Pixels as PixelCodec
    from mezzotint.codecs.pixels import Unrounded

    pixels = isinstance(codec, PixelCodec | Unrounded)
    size = tuple(codec.shape[-2:])
    if not pixels or tuple(x.shape[-2:]) == size:
        return x
    small: torch.Tensor = F.interpolate(x.float(), size, mode="bilinear", antialias=True, align_corners=False)
    return small.round().clamp(0, 255).to(x.dtype)


def edit_of(system: System, asked: Request) -> Edit | None:
    """What a request says, None where there is no picture.

    Raises: InputError (files; a picture or mask of another size than what is made), UsageError (words; a model that is
    told a mask, and none).
    """
    masked = asked.mask is not None or asked.outpaint is not None
    alone = system.members[0].link["name"] == "vector"
    _need(not (alone and system.eye), f"{system.name} varies pictures; use mezzotint vary")
    _need(not alone, f"{system.name} makes pictures of an embedding; give the folder that makes it as --prior")
    held = "held" in system.members[system.main].described.spec.net
    words_alone = system.components is not None and not system.any_size and not held
    _need(asked.image is None or not words_alone, f"{system.name} begins from words alone; leave --image out")
    sees = system.members[system.main].described.spec.net.get("sees")
    _need(sees != "lowres", f"{system.name} enlarges pictures; use mezzotint upscale")
    if sees is not None:
        _need(
            asked.image is not None and masked,
            f"{system.name} paints inside a mask; give --image with --mask, or --outpaint",
        )
    refines = "refines" in system.members[system.main].described.spec.net
    if asked.image is None:
        _need(not refines, f"{system.name} refines: give --image, or give it as --refiner to a base")
        given = asked.strength is not None or masked or asked.lock_mask
        _need(not given, "strength, mask and outpaint are for a picture; give --image")
        return None
    _need(masked or not asked.lock_mask, "--lock-mask keeps what is outside a mask; give --mask")
    known = REFINED_STRENGTH if refines else MASKED_STRENGTH if masked else STRENGTH
    strength = known if asked.strength is None else asked.strength
    _need(0 < strength <= 1, f"strength is {strength}; expected above 0 and at most 1")
    return _edited(system, asked, Path(asked.image), strength)


def _edited(system: System, asked: Request, image: Path, strength: float) -> Edit:
    """The picture with its mask or its frame, in the size that is made.  Raises as ``edit_of``."""
    size = None if asked.size is None else parse_size(asked.size, sizes_said(system))
    wanted = size or (None if system.any_size else system.size)
    if asked.outpaint is not None:
        alone = asked.mask is None and size is None
        _need(alone, "--outpaint says what is painted, and the size; leave --mask and --size out")
        return _outpainted(system, image, margins_of(asked.outpaint, LARGEST), strength, asked.lock_mask, wanted)
    pixels = rgb(image)
    mask = None if asked.mask is None else mask_of(Path(asked.mask), asked.mask_means)
    if mask is not None and mask.shape != pixels.shape[:2]:
        has = f"{asked.mask} is {mask.shape[1]}x{mask.shape[0]}"
        raise InputError(f"{has}, {image} {pixels.shape[1]}x{pixels.shape[0]}; expected equal")
    if wanted is not None and wanted != (pixels.shape[1], pixels.shape[0]):
        if mask is not None:
            is_ = f"{image} is {pixels.shape[1]}x{pixels.shape[0]}"
            raise InputError(f"{is_}; with a mask expected {wanted[0]}x{wanted[1]}")
        pixels = covering(pixels, wanted)
    elif wanted is None:
        _check_own_size(system, image, pixels)
    cover = cover_of(Path(asked.mask)) if asked.mask is not None and asked.mask_means == "product" else None
    own = ~mask if (asked.lock_mask or cover is not None) and mask is not None else None
    return Edit(in_channels(pixels, system), mask, strength, own, means=asked.mask_means, cover=cover)


def _check_own_size(system: System, image: Path, pixels: Pixels) -> None:
    """Raises InputError for a picture of a size that a model of many sizes does not make."""
    try:
        size_of(system, f"{pixels.shape[1]}x{pixels.shape[0]}")
    except UsageError as error:
        raise InputError(f"{image}: {error}; or say a size, without a mask") from error


def _outpainted(
    system: System, image: Path, margins: Margins, strength: float, lock: bool, wanted: tuple[int, int] | None
) -> Edit:
    """A picture in a frame; wanted: the only size that can be made."""
    block = int(system.members[system.main].described.spec.codec.get("factor", 1))
    pixels, new, painted = framed(in_channels(rgb(image), system), margins, block)
    if wanted is not None and wanted != (pixels.shape[1], pixels.shape[0]):
        is_ = f"{image} is {pixels.shape[1]}x{pixels.shape[0]} with its frame"
        raise UsageError(f"{is_}; {system.name} makes {wanted[0]}x{wanted[1]}")
    return Edit(pixels, painted, strength, ~new if lock else None, margins)


def in_channels(pixels: Pixels, system: System) -> Pixels:
    """(H, W, C), in grey for a model that makes grey pictures."""
    return grey(pixels) if picture_shape(system.members[-1].described)[0] == 1 else pixels


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UsageError(otherwise)
