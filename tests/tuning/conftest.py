"""What tests of tuning share: a tiny cascade of text, photographs, and one whole run of ``tune``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "families"))
import checkpoints
from tuning_case import Whole, hashes, photographs, ran, text_cascade, words


@pytest.fixture(scope="session")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text -> 16 px -> 32 px."""
    return text_cascade(tmp_path_factory.mktemp("systems") / "cascade")


@pytest.fixture(scope="session")
def shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photographs of one mug, never written to."""
    return photographs(tmp_path_factory.mktemp("shoot") / "mugs", 5)


@pytest.fixture
def mugs(tmp_path: Path) -> Path:
    """Five photographs of one mug."""
    return photographs(tmp_path / "mugs", 5)


@pytest.fixture(scope="session")
def whole(cascade: Path, shoot: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """``mezzotint tune … --json``."""
    home = tmp_path_factory.mktemp("whole")
    before = hashes(cascade)
    code, out, err = ran(words(shoot, cascade, home / "o", "--json", "--quiet"), home)
    assert code == 0 and not err, err
    return Whole(home / "o", json.loads(out), before, hashes(cascade))


@pytest.fixture(scope="session")
def sd1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.stable_diffusion(tmp_path_factory.mktemp("sd1"))


@pytest.fixture(scope="session")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.stable_diffusion_3(tmp_path_factory.mktemp("sd3"), with_t5=False)


@pytest.fixture(params=["cascade", "sd1", "sd3"])
def model(request: pytest.FixtureRequest) -> Path:
    """One of ours, one of U-Nets and one of transformers in diffusers' layout."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.stable_diffusion_xl(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(params=["sd1", "sdxl"])
def read_by_clip(request: pytest.FixtureRequest) -> Path:
    """Those whose text encoders are learnt on: one encoder, and two of which one says the pooled state."""
    folder: Path = request.getfixturevalue(request.param)
    return folder
