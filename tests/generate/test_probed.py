"""What a batch that was left in the middle is worth."""

from __future__ import annotations

from itertools import accumulate

import pytest

from mezzotint.making.probed import Taken, extended, overhead


def ends(first: float, each: float, n: int) -> tuple[float, ...]:
    return tuple(accumulate([first] + [each] * (n - 1)))


def test_what_comes_after_the_steps_is_in_the_plan() -> None:
    """Sixteen steps of a batch of eight take 1 s each, of one picture 0.125 s, and decoding 0.5 s a picture."""
    alone = Taken(16 * 0.125 + 0.5, ends(0.125, 0.125, 16), True)
    assert extended(ends(1.0, 1.0, 5), 16, alone) == pytest.approx(16 * 1.0 + 8 * 0.5)


def test_later_stages_have_steps_of_their_own() -> None:
    """Four cheap steps of eight, then four of twenty times as much."""
    steps = (*ends(0.1, 0.1, 4), *(0.4 + 2.0 * k for k in range(1, 5)))
    alone = Taken(steps[-1], steps, True)
    assert extended(ends(0.8, 0.8, 4), 8, alone) == pytest.approx(4 * 0.8 + 4 * 16.0)


def test_a_first_step_counts_once() -> None:
    left = ends(3.0, 1.0, 5)
    alone = Taken(0.5 + 15 * 0.125, ends(0.5, 0.125, 16), True)
    assert overhead(left) == pytest.approx(2.0) and extended(left, 16, alone) == pytest.approx(16.0)


def test_where_not_even_one_picture_ends_steps_are_all_that_is_known() -> None:
    assert extended(ends(1.0, 1.0, 4), 50, Taken(0.5, ends(0.125, 0.125, 4), False)) == pytest.approx(50.0)
