"""What the tests of products share: photographs of a small catalog, taken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog_case import NEEDS, can_render, catalog

CUBES = [*({"name": "Chair", "model": f"chair{i}"} for i in range(3)), {"name": "Sofa", "model": "sofa"}]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four products, 6 pictures each."""
    if not can_render():
        pytest.skip(NEEDS)
    from mezzotint.products.rendering import render

    folder = tmp_path_factory.mktemp("rendered")
    result = render(folder / "out", catalog=catalog(folder / "catalog", CUBES), n=6, size=64)
    assert (result.pictures, result.products, result.skipped) == (24, 4, {})
    return folder / "out"
