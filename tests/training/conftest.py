"""Real processes at the price of one start: a parent that has imported torch forks each of them."""

from __future__ import annotations

import pytest
from children import Children


@pytest.fixture(scope="session")
def children(tmp_path_factory):
    """Starts, and waits for, processes that run a piece of Python."""
    with Children(tmp_path_factory.mktemp("children")) as started:
        yield started


RECIPE = """
from dataclasses import replace
from mezzotint.nets import DiTConfig, build
from mezzotint.training.ema import Exponential, Power
from mezzotint.training.recipe import Every
from training_case import tiny

def toy():
    net = DiTConfig(size=(8, 8), patch=4, width=32, depth=1, heads=1, num_classes=10)
    model = {
        "schedule": {"name": "karras"},
        "sampling": {"standard": {"solver": "heun", "grid": {"name": "karras"}, "steps": 4}},
        "card": {"title": "toy", "summary": "Bars.", "licence": "CC0-1.0"},
    }
    return tiny(30, name="toy", net=net, build=build, batch=8, seed=5, model=model, ema=(Power(0.10), Exponential(0.9)),
                every=Every(validation=15, checkpoint=10, snapshot=10))
"""


@pytest.fixture
def recipe_file(tmp_path):
    """A recipe file ``toy.py`` of a small transformer on made-up bars."""
    path = tmp_path / "toy.py"
    path.write_text(RECIPE)
    return path
