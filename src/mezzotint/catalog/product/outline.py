r"""How far a product's outline is from where its photograph has it, as far as a picture shows that.

Along the normal of each point i of the outline a picture has colours :math:`c(s)`, s the distance outwards. Pushed by
:math:`\delta` along it, the product would give :math:`a(s-\delta)\,p(s-\delta) + (1 - a(s-\delta))\,b(s)`: a and p are
the photograph's alpha and colours, b the colours of the picture further out. The misfit :math:`m_i(\delta)` is the sum
over s of squared differences (CIELAB), each at most ``CAP`` squared and divided by that, averaged over the points near
i whose normals are alike. So a thin leg is compared with a thin leg, and where the background looks like the product
no place is better than another.

The measure is the most over points of :math:`\min_{|\delta| < e} m_i - \min_{|\delta| \ge e} m_i`, with e a share of
the product's size: about how many pixels along the normal are better explained by an outline that is elsewhere. Edges
are looked for along normals as active contours do (Blake & Isard, 1998, Active Contours, ch. 5).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.pictures.png import Pixels
from mezzotint.products.colours import cielab
from mezzotint.tuning.masks import Bytes

REACH, FAR = 12, 14.0
"""Pixels, of 256, by which an outline is looked for elsewhere; from the product, beyond which colours are not its."""

APART = 0.015
"""Of the product's size (the root of its area): what is no nearer than that is elsewhere."""

NEAR = 0.06
"""Of the size: the standard deviation of the weights by which points share what they see."""

POINTS = 300
"""Of the outline that are looked at, at most."""

CAP = 30.0
"""CIE76 beyond which a colour is simply another."""

DEEP, SMOOTH, BLUR, NORMAL = 2.0, 0.7, 2.0, 2.0
"""Pixels, of 256: from the outline where colours are the product's alone; over which both pictures are smoothed, the
background is averaged, and alpha is before its normals are taken."""

Array = NDArray[np.float64]


def displaced(photo: Pixels, alpha: Bytes, picture: Pixels) -> float:
    """Of a picture (H, W, 3), by a photograph of the same size and its product's alpha (H, W); 0 where nothing tells
    that any of the outline is elsewhere, or where there is no outline."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    solid, unit = alpha >= 128, max(1.0, min(photo.shape[:2]) / 256)
    deep = np.asarray(distance_transform_edt(np.pad(solid, 1)))[1:-1, 1:-1] > DEEP * unit
    beyond = np.asarray(distance_transform_edt(~solid)) > FAR * unit
    points, normals = outline(solid, alpha, unit)
    if not len(points) or not deep.any() or not beyond.any():
        return 0.0
    shown, own, wide = (
        cielab(gaussian_filter(one.astype(np.float64), (by * unit, by * unit, 0)))
        for one, by in ((picture, SMOOTH), (photo, SMOOTH), (picture, BLUR))
    )
    cover = gaussian_filter(alpha / 255, SMOOTH * unit)
    layers = (shown, _spread(wide, beyond), _spread(own, deep), cover[..., None])
    size = float(np.sqrt(solid.sum()))
    seen = _shared(_misfits(layers, points, normals, unit), points, normals, NEAR * size)
    elsewhere = np.abs(_pushes()) * unit >= max(unit, APART * size)
    return max(0.0, float((seen[:, ~elsewhere].min(1) - seen[:, elsewhere].min(1)).max()))


def outline(solid: NDArray[np.bool_], alpha: Bytes, unit: float) -> tuple[Array, Array]:
    """(points, normals outwards), (N, 2) each: pixels of the product beside others, not those at the picture's edge."""
    from scipy.ndimage import gaussian_filter

    wide = np.pad(solid, 1, mode="edge")
    inner = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    edge = solid & ~inner
    slope = -np.stack(np.gradient(gaussian_filter(alpha / 255, NORMAL * unit)), -1)[edge]
    steep = np.linalg.norm(slope, axis=1)
    found = np.flatnonzero(steep > 0.01)
    some = found[:: max(1, -(-len(found) // POINTS))]
    return np.argwhere(edge)[some].astype(np.float64), slope[some] / steep[some, None]


def _pushes() -> Array:
    """Outwards, in half pixels of 256."""
    return np.arange(-2 * REACH, 2 * REACH + 1) / 2


def _spread(colours: Array, where: NDArray[np.bool_]) -> Array:
    """(H, W, 3), each pixel as the nearest one that counts."""
    from scipy.ndimage import distance_transform_edt

    y, x = distance_transform_edt(~where, return_distances=False, return_indices=True)
    found: Array = colours[y, x]
    return found


def _misfits(layers: tuple[Array, ...], points: Array, normals: Array, unit: float) -> Array:
    """(N, pushes), of each point by itself.   layers: picture, background, product, alpha."""
    here = np.arange(-REACH - 2, REACH + 3)
    halves = np.arange(2 * here[0] - 2 * REACH, 2 * here[-1] + 2 * REACH + 1) / 2
    shown, back = (_along(one, points, normals, here * unit) for one in layers[:2])
    own, cover = (_along(one, points, normals, halves * unit) for one in layers[2:])
    found = []
    for k in range(4 * REACH, -1, -1):  # pushed by -REACH … REACH: read from so much further out … in
        moved = np.s_[:, k : k + 2 * len(here) - 1 : 2]
        model = cover[moved] * own[moved] + (1 - cover[moved]) * back
        found.append(np.minimum(np.square(shown - model).sum(-1) / CAP**2, 1).sum(1))
    return np.stack(found, 1)


def _along(layer: Array, points: Array, normals: Array, steps: NDArray[Any]) -> Array:
    """(N, steps, C), of a layer (H, W, C)."""
    from scipy.ndimage import map_coordinates

    at = (points[:, None] + normals[:, None] * steps[:, None]).transpose(2, 0, 1)
    channels = [map_coordinates(layer[..., k], at, order=1, mode="nearest") for k in range(layer.shape[2])]
    return np.stack(channels, -1)


def _shared(misfits: Array, points: Array, normals: Array, near: float) -> Array:
    """The same, averaged over points that are near and look the same way."""
    apart = np.square(points[:, None] - points).sum(-1)
    weights = np.exp(-apart / (2 * near**2)) * np.maximum(0, normals @ normals.T)
    found: Array = weights @ misfits / weights.sum(1, keepdims=True)
    return found
