"""A model between two others of one network, as the package of models makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_systems import save_cascade, save_latent

from mezzotint.pretrained.folder import describe, save_model

SCRIPT = Path(__file__).parents[2] / "packages" / "mezzotint-models" / "between.py"


def between(first: Path, last: Path, share: str, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(first), str(last), share, str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sets of weights of one network."""
    first = save_latent(tmp_path_factory.mktemp("first") / "system") / "denoiser"
    moved = {k: w + torch.randn_like(w) for k, w in load_file(first / "weights.safetensors").items()}
    last = tmp_path_factory.mktemp("last") / "denoiser"
    save_model(last, moved, describe(first).spec)
    return first, last


def test_it_is_that_share_of_the_way(ends: tuple[Path, Path], tmp_path: Path) -> None:
    assert between(*ends, "0.25", tmp_path / "made").returncode == 0
    first, last, made = (load_file(folder / "weights.safetensors") for folder in (*ends, tmp_path / "made"))
    assert made.keys() == first.keys() and any(not torch.equal(first[k], last[k]) for k in first)
    for name, found in made.items():
        torch.testing.assert_close(found, 0.75 * first[name].float() + 0.25 * last[name].float())
    assert describe(tmp_path / "made").spec.net == describe(ends[1]).spec.net


def test_what_is_no_share_or_another_network_is_refused(ends: tuple[Path, Path], tmp_path: Path) -> None:
    found = between(*ends, "1.5", tmp_path / "made")
    assert found.returncode == 2 and "expected 0 to 1" in found.stderr
    other = save_cascade(tmp_path / "other") / "base"
    found = between(other, ends[1], "0.5", tmp_path / "made")
    assert found.returncode == 2 and "the file is for another network" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "made").exists()
