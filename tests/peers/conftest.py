"""What the tests against diffusers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from networks import SHAPE, noise
from torch import Tensor

from mezzotint.diffusion.schedule import TableSchedule, scaled_linear

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings are errors, but for what diffusers itself does to numpy and torch."""
    ours_to_bear = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(ours_to_bear))


@pytest.fixture(scope="session")
def table() -> TableSchedule:
    """Stable Diffusion's."""
    return scaled_linear()


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """The same table in diffusers' words."""
    return {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@pytest.fixture
def x() -> Tensor:
    """Unit noise, (B, C, H, W) float64: the start of a variance-preserving trajectory."""
    return noise()(0, SHAPE).to(torch.float64)
