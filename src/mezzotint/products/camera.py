"""A pinhole camera around a product: where it stands, what it frames, where its rays meet the floor.

World: +y up, the floor is y = 0, the product's front looks to +z, lengths in units of the product's own scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VIEW_ANGLE = 24.0
"""Degrees from the bottom to the top of the picture: a long lens, as product photographers use it."""

FILL = 0.9
"""How much of the picture's half the product may take."""


@dataclass(frozen=True)
class Camera:
    """position, target: (3,).  right, up, forward: (3,) unit vectors.  A square picture of VIEW_ANGLE."""

    position: Floats
    target: Floats
    right: Floats
    up: Floats
    forward: Floats


def around(low: Floats, high: Floats, azimuth: float, elevation: float) -> Camera:
    """The camera that just frames the box low … high, (3,) each, from a direction.

    azimuth: degrees from the front, positive to the product's own left.  elevation: degrees above the horizon,
    in (-90, 90).  A corner p, relative to the target, is in the picture's inner FILL when
    |p · right| <= FILL tan(VIEW_ANGLE / 2) (D + p · forward), and so for up; the distance D is the least that does.
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    back = np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)])
    right = np.array([math.cos(a), 0.0, -math.sin(a)])
    up = np.cross(back, right)
    target = (low + high) / 2
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    p = corners - target
    tangent = FILL * math.tan(math.radians(VIEW_ANGLE / 2))
    reach = np.maximum(np.abs(p @ right), np.abs(p @ up)) / tangent + p @ back
    return Camera(target + back * float(reach.max()), target, right, up, -back)


def floor_points(camera: Camera, size: int) -> Floats:
    """Where the rays of a picture's pixels meet y = 0: (size, size, 2) of x and z, NaN for rays that never do."""
    half = math.tan(math.radians(VIEW_ANGLE / 2))
    across = ((np.arange(size) + 0.5) / size * 2 - 1) * half
    rays = camera.forward + across[None, :, None] * camera.right - across[:, None, None] * camera.up
    with np.errstate(divide="ignore", invalid="ignore"):
        far = -camera.position[1] / rays[..., 1]
    far = np.where(far > 0, far, np.nan)
    hit = camera.position + far[..., None] * rays
    return np.asarray(hit[..., [0, 2]])
