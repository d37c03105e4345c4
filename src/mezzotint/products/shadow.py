"""A soft contact shadow: dark where the product is close above the floor, fading with its height."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mezzotint.products.camera import Camera, floor_points

Floats = NDArray[np.float64]

CELLS = 160
REACH = 1.6
"""The map covers so many times the product's own footprint, centred on it."""

LAYERS = ((0.55, 0.05, 0.02), (0.35, 0.5, 0.09))
"""(strength, height at which it has faded to 1/e, blur), the last two in units of the product's scale."""


def surface_points(triangles: Floats, n: int) -> Floats:
    """About n points spread over triangles (T, 3, 3) by area: (n, 3), the same for the same triangles.

    A uniform point of a triangle is a + √u (b - a + v (c - b)).
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not area.sum() > 0:
        return triangles.reshape(-1, 3)
    random = np.random.default_rng(0)
    at = np.searchsorted(np.cumsum(area) / area.sum(), (np.arange(n) + 0.5) / n).clip(max=len(area) - 1)
    u, v = np.sqrt(random.random((n, 1))), random.random((n, 1))
    return np.asarray(a[at] + u * (b[at] - a[at] + v * (c[at] - b[at])))


def footprint(points: Floats, reach: float) -> Floats:
    """The darkness of the floor, (CELLS, CELLS) over x, z in -reach … reach, values 0 … 1.

    points: (N, 3) of the product's surface, floor at y = 0.
    """
    from scipy.ndimage import gaussian_filter

    lowest = np.full((CELLS, CELLS), np.inf)
    at = ((points[:, [2, 0]] / reach + 1) / 2 * CELLS).astype(np.intp).clip(0, CELLS - 1)
    np.minimum.at(lowest, (at[:, 0], at[:, 1]), points[:, 1].clip(min=0))
    cell = 2 * reach / CELLS
    dark = np.zeros((CELLS, CELLS))
    for strength, fade, blur in LAYERS:
        dark += strength * gaussian_filter(np.exp(-lowest / fade), blur / cell, mode="constant")
    return dark


def seen(dark: Floats, reach: float, camera: Camera, size: int) -> NDArray[np.uint8]:
    """The shadow map as a camera sees it: (size, size), 255 is black."""
    from scipy.ndimage import map_coordinates

    at = (floor_points(camera, size)[..., ::-1] / reach + 1) / 2 * CELLS - 0.5
    at = np.nan_to_num(at, nan=-1e6).clip(-1e6, 1e6)
    found = map_coordinates(dark, at.transpose(2, 0, 1), order=1, mode="constant")
    return np.asarray((found.clip(0, 1) * 255).round(), np.uint8)
