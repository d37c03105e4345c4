"""Exports of tiny models, made once: labels, text with an upsampler, text with a latent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_systems import save_cascade, save_latent

from mezzotint.exported.write import export

SOLVERS = ("ddim", "unipc", "dpmpp-2m-sde")


@dataclass(frozen=True)
class Exports:
    """Name -> (the model's folder, that of its export), made when it is first asked for: graphs take seconds each."""

    tiny: Path
    place: Path

    def __getitem__(self, name: str) -> tuple[Path, Path]:
        save = {"tiny": lambda _: self.tiny, "cascade": save_cascade, "latent": save_latent}[name]
        model, out = self.place / name, self.place / f"{name}-onnx"
        if not out.exists():
            export(save(model), out=out, solver=SOLVERS, steps=(3,))
        return self.tiny if name == "tiny" else model, out


@pytest.fixture(scope="session")
def made(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Exports:
    return Exports(tiny, tmp_path_factory.mktemp("exports"))
