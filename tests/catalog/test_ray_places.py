"""How many workers machines have room for, as Ray says what they have."""

from __future__ import annotations

import pytest

from mezzotint.catalog.engine.on_ray import places


@pytest.mark.parametrize(
    ("machines", "gpus", "room"),
    [
        ([{"CPU": 2.0}], 0.0, 2),
        ([{"CPU": 2.0}, {"memory": 1e9}, {"CPU": 1.5, "GPU": 8.0}], 0.0, 3),
        ([{"CPU": 2.0}], 0.5, 0),
        ([{"CPU": 16.0, "GPU": 2.0}], 0.5, 4),
        ([{"CPU": 16.0, "GPU": 2.0}], 0.4, 4),
        ([{"CPU": 3.0, "GPU": 2.0}, {"CPU": 16.0, "GPU": 1.0}], 1.0, 3),
        ([{"CPU": 16.0, "GPU": 3.0}], 2.0, 1),
        ([{"CPU": 3.0, "GPU": 2.0}], 0.25, 3),
        ([], 0.0, 0),
    ],
)
def test_room(machines: list[dict[str, float]], gpus: float, room: int) -> None:
    assert places(machines, gpus) == room
