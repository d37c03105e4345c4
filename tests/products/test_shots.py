"""Shots: the same for the same product, all named views, half of them in colours."""

from __future__ import annotations

from collections import Counter

import pytest

from mezzotint.errors import UsageError
from mezzotint.products.colours import COLOURS, NAMES, nearest
from mezzotint.products.shots import VIEWS, shots

CHAIR = (50.0, 50.0, 90.0)


def test_a_pure_function_of_product_and_seed() -> None:
    assert shots("a", CHAIR, 24, 0) == shots("a", CHAIR, 24, 0)
    assert shots("a", CHAIR, 24, 0) != shots("b", CHAIR, 24, 0) != shots("b", CHAIR, 24, 1)
    assert shots("a", CHAIR, 24, 0)[:10] != [] and [s.number for s in shots("a", CHAIR, 24, 0)] == list(range(24))


def test_every_named_view_and_half_in_colours() -> None:
    made = shots("a", CHAIR, 24, 0)
    plain, painted = [s for s in made if not s.colour], [s for s in made if s.colour]
    assert len(plain) == len(painted) == 12
    assert {s.view for s in plain} == {s.view for s in painted} == set(VIEWS)
    assert max(Counter(s.colour for s in painted).values()) == 1, "no colour twice before all have been"


@pytest.mark.parametrize("shot", shots("a", CHAIR, 240, 0), ids=lambda s: str(s.number))
def test_angles_are_those_of_the_view(shot) -> None:
    off = [abs((shot.azimuth - a + 180) % 360 - 180) - jitter for a, jitter in VIEWS[shot.view]]
    assert min(off) <= 1e-3 and -180 <= shot.azimuth < 180 and 6 <= shot.elevation <= 28


def test_shades_keep_their_name() -> None:
    for shot in shots("a", CHAIR, 500, 0):
        if shot.colour:
            assert NAMES[nearest(shot.srgb)] == shot.colour, (shot.colour, shot.srgb)


def test_flat_products_are_seen_from_above() -> None:
    assert all(s.elevation >= 28 for s in shots("rug", (200.0, 140.0, 1.0), 24, 0))


def test_nearest_knows_its_own_names() -> None:
    assert [NAMES[nearest(c)] for c in COLOURS.values()] == list(NAMES)


@pytest.mark.parametrize("n", [0, -1, 10_001])
def test_number_out_of_range(n: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 10000"):
        shots("a", CHAIR, n, 0)
