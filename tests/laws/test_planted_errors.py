"""The planted errors are still where they are looked for (quick), and the laws catch every one (slow)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest
from planted_errors import PLANTS, ROOT, Plant, occurrences


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: p.name)
def test_a_plant_has_one_place(plant: Plant) -> None:
    assert plant.old != plant.new
    assert occurrences(plant) == 1, f"{plant.file} has changed: follow it in tests/planted_errors.toml"
    assert (ROOT / plant.tests).is_file()


def test_there_are_enough_and_all_different() -> None:
    assert len(PLANTS) >= 20 and len({p.name for p in PLANTS}) == len(PLANTS)
    assert len({tuple(asdict(p).values())[1:] for p in PLANTS}) == len(PLANTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_plant_is_caught() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tests/planted_errors.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
