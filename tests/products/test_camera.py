"""The camera frames what it should, and its shadow lies where the product stands."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzotint.products.camera import FILL, VIEW_ANGLE, Camera, around, floor_points
from mezzotint.products.shadow import footprint, seen, surface_points


def project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """World points to the picture, (-1 … 1), x to the right and y up."""
    p = points - camera.position
    half = math.tan(math.radians(VIEW_ANGLE / 2))
    depth = p @ camera.forward
    return np.stack([p @ camera.right, p @ camera.up], -1) / (depth * half)[:, None]


sizes = st.floats(0.05, 2.0)


@given(sizes, sizes, sizes, st.floats(-180, 180), st.floats(-60, 80))
@settings(max_examples=60, deadline=None)
def test_a_box_fills_the_frame_and_no_more(w: float, h: float, d: float, azimuth: float, elevation: float) -> None:
    low, high = np.array([-w / 2, 0, -d / 2]), np.array([w / 2, h, d / 2])
    camera = around(low, high, azimuth, elevation)
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    assert np.abs(project(camera, corners)).max() == pytest.approx(FILL, abs=1e-9)


def test_the_front_is_seen_from_the_front() -> None:
    low, high = np.array([-1.0, 0, -1]), np.array([1.0, 1, 1])
    front, left = around(low, high, 0, 0), around(low, high, 90, 0)
    assert front.position[2] > 1 and front.position[0] == pytest.approx(0)
    assert left.position[0] > 1 and left.position[2] == pytest.approx(0)
    assert np.allclose(front.up, [0, 1, 0]) and np.allclose(front.right, [1, 0, 0])


def test_floor_points_project_back_to_their_pixels() -> None:
    camera = around(np.array([-0.5, 0, -0.5]), np.array([0.5, 0.8, 0.5]), 35, 25)
    hit = floor_points(camera, 16)
    points = np.stack([hit[..., 0], np.zeros((16, 16)), hit[..., 1]], -1).reshape(-1, 3)
    back = project(camera, points).reshape(16, 16, 2)
    across = (np.arange(16) + 0.5) / 16 * 2 - 1
    assert np.allclose(back[..., 0], across[None, :]) and np.allclose(back[..., 1], -across[:, None])


def test_rays_above_the_horizon_meet_no_floor() -> None:
    camera = around(np.array([-0.5, 0, -0.5]), np.array([0.5, 0.8, 0.5]), 0, 0)
    assert np.isnan(floor_points(camera, 8)[0]).all(), "the upper half looks up"


def test_points_are_spread_by_area() -> None:
    small = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    large = np.array([[0, 0, 5], [3, 0, 5], [0, 3, 5]], float)
    points = surface_points(np.stack([small, large]), 10_000)
    assert (points[:, 2] == 5).mean() == pytest.approx(0.9, abs=0.01)
    inside = points[points[:, 2] == 0]
    assert (inside[:, :2].sum(1) <= 1 + 1e-9).all() and inside[:, 0].mean() == pytest.approx(1 / 3, abs=0.03)


def test_the_shadow_is_darkest_under_what_touches_the_floor() -> None:
    n = 20_000
    random = np.random.default_rng(0)
    plate = np.column_stack([random.uniform(-0.5, -0.1, n), np.zeros(n), random.uniform(-0.2, 0.2, n)])
    shelf = np.column_stack([random.uniform(0.1, 0.5, n), np.full(n, 0.6), random.uniform(-0.2, 0.2, n)])
    dark = footprint(np.concatenate([plate, shelf]), 1.0)
    middle = dark.shape[0] // 2
    under_plate, under_shelf = dark[middle, int(0.35 * dark.shape[1])], dark[middle, int(0.65 * dark.shape[1])]
    assert under_plate > 2 * under_shelf > 0.02
    assert dark[0, 0] < 0.01 and dark.max() <= 1


def test_the_shadow_is_seen_where_the_product_stands() -> None:
    points = np.column_stack([np.random.default_rng(0).uniform(-0.3, 0.3, (20_000, 1)), np.zeros(20_000),
                              np.random.default_rng(1).uniform(-0.3, 0.3, (20_000, 1))])  # fmt: skip
    low, high = np.array([-0.3, 0, -0.3]), np.array([0.3, 0.5, 0.3])
    camera = around(low, high, 20, 30)
    picture = seen(footprint(points, 0.8), 0.8, camera, 64)
    x, y = project(camera, np.zeros((1, 3)))[0]
    at = picture[round((1 - y) / 2 * 64), round((x + 1) / 2 * 64)]
    assert at > 150 and picture[0].max() == 0, "dark where it stands, nothing at the top"
