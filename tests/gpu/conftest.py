"""The accelerator that these tests run on."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session")
def device() -> str:
    found = torch.accelerator.current_accelerator()
    assert found is not None
    return found.type
