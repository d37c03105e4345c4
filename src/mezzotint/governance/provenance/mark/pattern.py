r"""Where a key hides a mark: waves of a tile of 128 x 128 pixels that is laid over the whole picture.

A picture's part of them is had by summing its tiles and one Fourier transform.  A crop then turns their phases alone,
by an offset that the waves which are known beforehand (*sync*) tell; the others carry the code, each of its 210 signs
some six times.   After Kutter, 1998, Watermarking Resisting to Translation, Rotation, and Scaling (a pattern that
repeats itself), and Cox, Kilian, Leighton and Shamoon, 1997, Secure Spread Spectrum Watermarking for Multimedia.

Phases and signs are drawn from the key by SHAKE-256 (FIPS 202).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter, uniform_filter1d

from mezzotint.governance.provenance.mark.code import LENGTH, Reals
from mezzotint.pictures.png import Pixels

TILE = 128
LOW, HIGH = 0.045, 0.19
"""Waves a pixel: slower ones are seen and are the picture's own, faster ones are lost to JPEG and to smaller sizes."""

SYNC = 160
"""How many waves tell the offset."""

AROUND, STILL, SHARE = 15, 3.0, 0.75
"""Pixels by which what is usual at a place is judged; grey levels that count as noise everywhere; a place counts by the
power of its noise to minus this: still ones say more."""

FINE = 2
"""Offsets are told apart by half a pixel."""

LIMIT = 1.5
"""A wave counts at most so many times the usual: edges of the picture are a few strong ones."""

Grey = NDArray[np.float32]
Waves = NDArray[np.complex128]
Ints = NDArray[np.intp]


def _waves() -> tuple[Ints, Ints, Reals]:
    """(rows, columns, waves a pixel) of one of each pair in the tile's transform; none along the axes, where frames and
    horizons lie."""
    each = np.fft.fftfreq(TILE)
    far = np.hypot(each[:, None], each[None, :])
    kept = (each[:, None] > 0) & (each[None, :] != 0) & (far >= LOW) & (far <= HIGH)
    rows, columns = np.nonzero(kept)
    return rows, columns, far[kept]


ROWS, COLUMNS, FAR = _waves()
COUNT = len(ROWS)
_RING = (FAR * TILE).astype(np.intp)
_RINGS = np.bincount(_RING)


@dataclass(frozen=True, eq=False)
class Pattern:
    """Of a key.   sync, data: numbers of the waves of either kind.  turn: (COUNT,) the phase of each, as a unit.

    place: (2 len(data),) which sign of the code each real, then each imaginary part carries; sign: and how.
    """

    sync: Ints
    data: Ints
    turn: Waves
    place: Ints
    sign: Reals

    def soft(self, waves: Waves) -> Reals:
        """(210,): what a picture's waves say of each sign of the code."""
        turned = waves[self.data] * self.turn[self.data].conj()
        parts = np.concatenate([turned.real, turned.imag]) * self.sign
        return np.bincount(self.place, parts, LENGTH).astype(np.float64)

    def waves(self, code: Reals) -> Waves:
        """(COUNT,): those of a code, of size 1 each."""
        parts = (code[self.place] * self.sign).reshape(2, -1)
        made = self.turn.copy()
        made[self.data] *= (parts[0] + 1j * parts[1]) / np.sqrt(2)
        return made

    def likeness(self, waves: Waves) -> Reals:
        """(2 TILE, 2 TILE): how much the known waves are there at each offset, in half pixels."""
        side = FINE * TILE
        grid = np.zeros((side, side), np.complex128)
        rows, columns = (np.where(k > TILE // 2, k + side - TILE, k)[self.sync] for k in (ROWS, COLUMNS))
        grid[rows, columns] = waves[self.sync] * self.turn[self.sync].conj()
        found: Reals = np.fft.ifft2(grid).real
        return found


@lru_cache(maxsize=8)
def pattern(key: bytes) -> Pattern:
    """That of a key; the same on every machine."""
    drawn = hashlib.shake_256(b"mezzotint/mark/pattern/1/" + key).digest(16 * COUNT)
    order, angles = np.frombuffer(drawn, "<u8").reshape(2, COUNT)
    mixed = np.argsort(order, kind="stable")
    turn = np.exp(2j * np.pi * (angles >> 11) * 2.0**-53)
    sync, data = mixed[:SYNC], mixed[SYNC:]
    bits = np.unpackbits(
        np.frombuffer(hashlib.shake_256(b"mezzotint/mark/signs/1/" + key).digest(COUNT // 4 + 1), "u1")
    )
    sign = 1.0 - 2.0 * bits[: 2 * len(data)].astype(np.float64)
    return Pattern(sync, data, turn, np.arange(2 * len(data)) % LENGTH, sign)


def grey(pixels: Pixels) -> Grey:
    """(H, W) lightness of (H, W, C) pixels.  ITU-R BT.601, as JPEG and WebP have it."""
    if pixels.shape[2] < 3:
        return pixels[..., 0].astype(np.float32)
    made: Grey = pixels[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return made


def waves_of(light: Grey) -> Waves:
    """(COUNT,): the waves in a picture (H, W), each measured by what is usual at its place and for its length."""
    found = np.fft.fft2(_summed(_evened(light)))[ROWS, COLUMNS]
    power = uniform_filter1d(np.bincount(_RING, np.abs(found) ** 2) / np.maximum(_RINGS, 1), 3)
    found = found / np.sqrt(power[_RING] + 1e-9)
    limited: Waves = found / np.maximum(1, np.abs(found) / LIMIT)
    return limited


def _evened(light: Grey) -> Grey:
    """A picture less what is slow in it, by how lively it is there."""
    fast = light - uniform_filter(light, AROUND)
    lively = np.maximum(uniform_filter(fast * fast, AROUND), 0)
    made: Grey = fast / (lively + np.float32(STILL**2)) ** np.float32(SHARE)
    return made


def _summed(light: Grey) -> Grey:
    """(TILE, TILE): all tiles of a picture on one."""
    down, across = (-(-n // TILE) for n in light.shape)
    whole = np.zeros((down * TILE, across * TILE), np.float32)
    whole[: light.shape[0], : light.shape[1]] = light
    made: Grey = whole.reshape(down, TILE, across, TILE).sum((0, 2))
    return made


def turned(waves: Waves, down: float, right: float) -> Waves:
    """The waves of a picture that is moved back by an offset."""
    each = np.fft.fftfreq(TILE)
    return waves * np.exp(2j * np.pi * (each[ROWS] * down + each[COLUMNS] * right))


def tiled(waves: Waves, shape: tuple[int, ...]) -> Grey:
    """(H, W): a picture of waves."""
    grid = np.zeros((TILE, TILE), np.complex128)
    grid[ROWS, COLUMNS], grid[-ROWS, -COLUMNS] = waves, waves.conj()
    tile = np.fft.ifft2(grid).real.astype(np.float32)
    laid: Grey = np.tile(tile, [-(-n // TILE) for n in shape])[: shape[0], : shape[1]]
    return laid
