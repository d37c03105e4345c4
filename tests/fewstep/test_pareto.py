"""Which points no other beats, and which may stand for a preset."""

from __future__ import annotations

import random

from mezzotint.fewstep.frontier import Kernel, Point, Setting, as_good, pareto, recommended


def point(calls: float, distance: float, kernel: float = 0.0, name: str = "unipc") -> Point:
    return Point(Setting(name, "", round(calls)), calls, calls / 100, distance, Kernel(kernel, kernel - 1, kernel + 1))


def test_no_point_of_the_frontier_is_beaten_and_every_other_is() -> None:
    draw = random.Random(3)
    points = [point(draw.randint(2, 20), draw.random(), name=str(k)) for k in range(60)]
    best = pareto(points)

    def beaten(p: Point) -> bool:
        return any(
            q.calls <= p.calls and q.distance <= p.distance and (q.calls, q.distance) != (p.calls, p.distance)
            for q in points
        )

    assert best and not any(map(beaten, best))
    assert all(beaten(p) or any((p.calls, p.distance) == (q.calls, q.distance) for q in best) for p in points)
    assert [p.calls for p in best] == sorted({p.calls for p in best})


def test_the_cheapest_as_good_as_the_preset_is_taken() -> None:
    preset = point(10, 0.05, name="own")
    near = point(6, 0.04)
    points = [preset, near, point(4, 0.06), point(8, 0.01), point(5, 0.01, kernel=9.0)]
    assert recommended(points, {"standard": preset.setting})["standard"] is near


def test_a_preset_that_nothing_matches_stays() -> None:
    preset = point(10, 0.05, name="own")
    points = [preset, point(6, 0.06), point(12, 0.01)]
    assert recommended(points, {"best": preset.setting})["best"] is preset


def test_nothing_farther_or_clearly_worse_is_as_good() -> None:
    preset = point(10, 0.05)
    assert as_good(preset, preset) and as_good(point(6, 0.05, kernel=1.5), preset)
    assert not as_good(point(6, 0.051), preset) and not as_good(point(6, 0.01, kernel=2.5), preset)


def test_what_diverges_is_no_part_of_it() -> None:
    near = point(6, 0.04)
    assert pareto([point(2, float("inf")), near]) == (near,)
