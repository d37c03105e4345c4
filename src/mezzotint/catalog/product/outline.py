r"""How far a product's outline is from where its photograph has it, as far as a picture shows that.

Along the normal of each point i of the outline a picture has colours :math:`c(s)`, s the distance outwards. As the
background's they cost

.. math:: g_i(c) = (c - \mu_i)^T (\Sigma_i + \sigma^2)^{-1} (c - \mu_i) + \ln |\Sigma_i/\sigma^2 + 1|,

with mean and covariance of what is further out near i; as the product's :math:`|c - p|^2/\sigma^2`, with p the
photograph's colour there, or as much as :math:`g_i` of the colours of the product near i: minus twice the logarithms of
Gaussians, without what they share, each at most ``CAP``. With a the photograph's alpha, a product that is pushed by
:math:`\delta` costs :math:`m_i(\delta) = \sum_s a(s-\delta)\,f_\delta(s) + (1 - a(s-\delta))\,g_i(s)`, averaged over
the points near i whose normals are alike. So a thin leg is compared with a thin leg, and where the background looks
like the product no place is better than another.

The measure is the most over points of :math:`\min_{|\delta| < e} m_i - \min_{|\delta| \ge e} m_i` over ``CAP``, with e
a share of the product's size: how many pixels along the normal are better explained by an outline that is elsewhere.
Edges are looked for along normals as active contours do (Blake & Isard, 1998, Active Contours, ch. 5), by the colours
of either side as in region competition (Zhu & Yuille, 1996).
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

NEAR = 0.08
"""Of the size: the standard deviation of the weights by which points share what they see."""

POINTS = 300
"""Of the outline that are looked at, at most."""

SIGMA, CAP = 4.0, 12.0
"""CIELAB by which a faithful product's colours differ; what a pixel that is unlike either side costs."""

DEEP, SMOOTH, NORMAL = 2.0, 0.7, 2.0
"""Pixels, of 256: from the outline where colours are the product's alone; over which both pictures are smoothed, and
alpha is before its normals are taken."""

WITHIN, BEHIND = 6.0, 12.0
"""Pixels, of 256: the standard deviations of the weights by which colours of the product, and of what is further out,
are those on either side of a point."""

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
    width = (SMOOTH * unit, SMOOTH * unit, 0)
    shown, own = (cielab(gaussian_filter(one.astype(np.float64), width)) for one in (picture, photo))
    cover = gaussian_filter(alpha / 255, SMOOTH * unit)
    model = np.concatenate([_spread(own, deep), cover[..., None]], -1)
    sides = _around(own, deep, points, WITHIN * unit), _around(shown, beyond, points, BEHIND * unit)
    size = float(np.sqrt(solid.sum()))
    seen = _shared(_costs(shown, model, sides, (points, normals, unit)), points, normals, NEAR * size)
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


Side = tuple[Array, Array, Array]
"""Mean (N, 3), inverse covariance (N, 3, 3), logarithm of its determinant (N,), the last over that of ``SIGMA``."""


def _around(colours: Array, where: NDArray[np.bool_], points: Array, width: float) -> Side:
    """Of the colours that count around the nearest such pixel to each point."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    y, x = distance_transform_edt(~where, return_distances=False, return_indices=True)
    at = tuple(np.stack([y, x])[:, *points.astype(np.intp).T])
    weight = gaussian_filter(where.astype(np.float64), width)[at]

    def mean(values: Array) -> Array:
        return np.asarray(gaussian_filter(np.where(where, values, 0), width)[at] / weight)

    middle = np.stack([mean(colours[..., k]) for k in range(3)], -1)
    both = np.stack([[mean(colours[..., j] * colours[..., k]) for j in range(3)] for k in range(3)]).transpose(2, 0, 1)
    spread = both - middle[:, :, None] * middle[:, None] + SIGMA**2 * np.eye(3)
    inverse, size = np.linalg.inv(spread), np.linalg.slogdet(spread / SIGMA**2)[1]
    return middle, np.asarray(inverse, np.float64), np.asarray(size, np.float64)


def _unlike(seen: Array, side: Side) -> Array:
    """(N, steps), minus twice the logarithm of the density of colours (N, steps, 3), ``CAP`` at most."""
    apart = seen - side[0][:, None]
    found: Array = np.minimum(CAP, np.einsum("nsj,njk,nsk->ns", apart, side[1], apart) + side[2][:, None])
    return found


def _costs(shown: Array, model: Array, sides: tuple[Side, Side], where: tuple[Array, Array, float]) -> Array:
    """(N, pushes), of each point by itself.   model: the product's colours everywhere, and its alpha.   sides: the
    product's, the background's.   where: points, normals, pixels of a unit."""
    points, normals, unit = where
    here = np.arange(-REACH - 2, REACH + 3)
    halves = np.arange(2 * here[0] - 2 * REACH, 2 * here[-1] + 2 * REACH + 1) / 2
    seen, own = _along(shown, points, normals, here * unit), _along(model, points, normals, halves * unit)
    within, behind = (_unlike(seen, side) for side in sides)
    found = []
    for k in range(4 * REACH, -1, -1):  # pushed by -REACH … REACH: read from so much further out … in
        moved = own[:, k : k + 2 * len(here) - 1 : 2]
        cost = np.minimum(within, np.square(seen - moved[..., :3]).sum(-1) / SIGMA**2)
        found.append((moved[..., 3] * cost + (1 - moved[..., 3]) * behind).sum(1))
    return np.stack(found, 1) / CAP


def _along(layer: Array, points: Array, normals: Array, steps: NDArray[Any]) -> Array:
    """(N, steps, C), of a layer (H, W, C)."""
    from scipy.ndimage import map_coordinates

    at = (points[:, None] + normals[:, None] * steps[:, None]).transpose(2, 0, 1)
    channels = [map_coordinates(layer[..., k], at, order=1, mode="nearest") for k in range(layer.shape[2])]
    return np.stack(channels, -1)


def _shared(costs: Array, points: Array, normals: Array, near: float) -> Array:
    """The same, averaged over points that are near and look the same way."""
    apart = np.square(points[:, None] - points).sum(-1)
    weights = np.exp(-apart / (2 * near**2)) * np.maximum(0, normals @ normals.T)
    found: Array = weights @ costs / weights.sum(1, keepdims=True)
    return found
