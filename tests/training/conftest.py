"""Real processes at the price of one start: a parent that has imported torch forks each of them."""

from __future__ import annotations

import pytest
from children import Children
from toy_recipe import RECIPE


@pytest.fixture(scope="session")
def children(tmp_path_factory):
    """Starts, and waits for, processes that run a piece of Python."""
    with Children(tmp_path_factory.mktemp("children")) as started:
        yield started


@pytest.fixture
def recipe_file(tmp_path):
    """A recipe file ``toy.py`` of a small transformer on made-up bars."""
    path = tmp_path / "toy.py"
    path.write_text(RECIPE)
    return path
