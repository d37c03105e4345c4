"""Exports of tiny models, made once: labels, text with an upsampler, text with a latent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_systems import save_cascade, save_latent

from mezzotint.exported.write import export

SOLVERS = ("ddim", "unipc", "dpmpp-2m-sde")


@pytest.fixture(scope="session")
def made(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Name -> (the model's folder, that of its export)."""
    place = tmp_path_factory.mktemp("exports")
    models = {"tiny": tiny, "cascade": save_cascade(place / "cascade"), "latent": save_latent(place / "latent")}
    for name, folder in models.items():
        export(folder, out=place / f"{name}-onnx", solver=SOLVERS, steps=(3,))
    return {name: (folder, place / f"{name}-onnx") for name, folder in models.items()}
