"""What a report shows of a run, moment by moment."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from test_choose import BASE, exactly, moment

from mezzotint.evaluation.estimate import Estimate
from mezzotint.tuning.curves import HEIGHT, PANELS, WIDTH, Loss, by_moment, losses_at

LINES = [
    {"step": 1, "loss": 9.0}, {"step": 2, "loss": 8.0, "validation": 0.5}, {"step": 4, "loss": 7.0, "validation": 0.4},
    {"step": 5, "loss": 7.0, "validation": 0.3},
]  # fmt: skip


def test_the_validation_loss_of_a_moment_is_the_last_by_then() -> None:
    assert losses_at(LINES, [1, 2, 3, 4, 5]) == {2: Loss(2, 0.5), 3: Loss(2, 0.5), 4: Loss(4, 0.4), 5: Loss(5, 0.3)}
    assert losses_at([], [3]) == {}


def test_moments_are_drawn_where_they_are() -> None:
    found = {0: BASE, 4: moment(adherence=0.2, drift=2.0), 8: moment(adherence=0.9, drift=0.5)}
    drawn = ElementTree.fromstring(by_moment(found, 8))
    places = {
        field: [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in panel.iter("circle")]
        for (field, _), panel in zip(PANELS, drawn.iter("g"), strict=True)
    }
    assert [len(points) for points in places.values()] == [2, 3, 3, 2]  # of the base there is no gain and no drift
    (x, y), (half, low), (end, high) = places["adherence"]
    assert x < half < end and half - x == end - half and low > high == y  # downwards is less; the base has 0.9 too
    assert places["drift"][0][1] < places["drift"][1][1]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for points in places.values() for x, y in points)
    assert by_moment(found, 8).count("#c2331f") == 2 * len(PANELS)


def test_one_moment_and_one_value_are_drawn() -> None:
    same = {0: BASE, 4: moment(painted=0.9 * 0.8, adherence=0.9 * 0.8, drift=1.5)}
    assert "nan" not in by_moment(same, 4) and ElementTree.fromstring(by_moment(same, 4)).tag == "svg"


def test_intervals_are_told() -> None:
    wide = {0: BASE, 4: moment()}
    said = re.findall(r"<title>4: (.*?)</title>", by_moment(wide, 4))
    assert said[0] == str(exactly(0.1)) and str(Estimate(0.1, 0.1, 0.1, 16)) == said[0]
