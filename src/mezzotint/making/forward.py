"""``noise``: the forward process on a picture, moment by moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mezzotint.codecs.pixels import Pixels as PixelCodec
from mezzotint.diffusion.level import Level, noised
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.schedule import Cosine, Flow, Karras, Schedule, linear, scaled_linear
from mezzotint.errors import UsageError, unknown
from mezzotint.pictures.png import Pixels, read_picture, to_pixels
from mezzotint.pictures.sheet import strip

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SCHEDULES: dict[str, Schedule] = {
    "cosine": Cosine(),
    "flow": Flow(),
    "karras": Karras(),
    "linear": linear(),
    "scaled_linear": scaled_linear(),
}
MOST = 64
SIDE = 224


@dataclass(frozen=True)
class Grain:
    """One moment of the forward process: x = alpha x0 + sigma eps at schedule coordinate t, shown at unit scale."""

    t: float
    alpha: float
    sigma: float
    logsnr: float
    pixels: Pixels

    @property
    def label(self) -> str:
        return f"t = {self.t:.2f}\nlogSNR {self.logsnr:+.1f}"


def unit(x: Tensor, level: Level) -> Tensor:
    r"""A state scaled to be shown: :math:`x/\sqrt{\alpha^2+\sigma^2}`; the picture itself where sigma = 0."""
    return x / level.scale.item()


def rows_first(pixels: Tensor) -> Pixels:
    """(H, W, C) of a decoded picture (C, H, W)."""
    shown: Pixels = pixels.permute(1, 2, 0).contiguous().cpu().numpy()
    return shown


def noise(image: str | Path | Picture, *, schedule: str = "cosine", n: int = 9, seed: int = 0) -> tuple[Grain, ...]:
    """The forward process on a picture at n moments, from clean (t = 0) to noise (t = 1), with one draw of noise.

    Args: image: a file or a Pillow image; larger than 224 pixels, it is shrunk.
        schedule: cosine | flow | karras | linear | scaled_linear.  n: 2 … 64.  seed: 0 … 2^63 - 1.
    Raises: InputError (not a picture), UsageError (words).
    """
    if schedule not in SCHEDULES:
        raise unknown("schedule", schedule, SCHEDULES)
    if not 2 <= n <= MOST:
        raise UsageError(f"n is {n}; expected 2 to {MOST} moments")
    eps_of = Noise((seed,))
    picture = read_picture(Path(image)) if isinstance(image, str | Path) else image.copy()
    picture.thumbnail((SIDE, SIDE))
    data = torch.from_numpy(to_pixels(picture).copy()).permute(2, 0, 1)[None]
    codec = PixelCodec(data.shape[1], (data.shape[2], data.shape[3]))
    x0, eps = codec.encode(data), eps_of(0, data.shape)
    moments = []
    for t in torch.linspace(0, 1, n, dtype=torch.float64):
        level = SCHEDULES[schedule].level(t)
        (shown,) = codec.decode(unit(noised(x0, eps, level), level))
        values = (float(t), float(level.alpha), float(level.sigma), float(level.logsnr))
        moments.append(Grain(*values, rows_first(shown)))
    return tuple(moments)


def noise_strip(moments: tuple[Grain, ...]) -> Picture:
    """The moments side by side, labelled."""
    return strip([[m.pixels for m in moments]], [m.label for m in moments])
