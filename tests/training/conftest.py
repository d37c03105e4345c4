"""Real processes at the price of one start: a parent that has imported torch forks each of them."""

from __future__ import annotations

import pytest
from children import Children


@pytest.fixture(scope="session")
def children(tmp_path_factory):
    """Starts, and waits for, processes that run a piece of Python."""
    with Children(tmp_path_factory.mktemp("children")) as started:
        yield started
