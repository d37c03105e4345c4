"""``cost plan --quality`` plans what ``generate --quality`` makes: both take what the model's frontier recommends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import mezzotint
from mezzotint.cli import run
from mezzotint.pretrained.frontier import frontier_path
from mezzotint.pretrained.plan import preset

STEPS = {"draft": 3, "standard": 5, "best": 7}


@pytest.fixture
def fashion(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mezzotint.Model:
    """A tiny model in a home of its own."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny, tmp_path / "home" / "models" / "fashion")
    return mezzotint.load("fashion")


def measured(model: mezzotint.Model) -> None:
    """Frontiers that were kept, as small as can be: at each preset's scale other steps for every quality."""
    spec, digest = model.main.spec, model.main.described.weights_sha256
    for quality in STEPS:
        path = frontier_path(digest, preset(spec, quality).scale)
        path.parent.mkdir(parents=True, exist_ok=True)
        words = {name: {"solver": "ddim", "grid": "", "steps": steps} for name, steps in STEPS.items()}
        about = {"schema": "mezzotint/frontier/1", "weights_sha256": digest, "shape": list(spec.shape)}
        path.write_text(json.dumps({**about, "recommended": words}))


def planned(quality: str, capsys: pytest.CaptureFixture[str]) -> float:
    """Network calls of a picture, as the plan has them."""
    capsys.readouterr()
    words = ["cost", "plan", "sneaker", "--model", "fashion", "--quality", quality, "--probe", "0.1", "--threads", "1"]
    assert run([*words, "--json", "--quiet"]) == 0
    return float(json.loads(capsys.readouterr().out)["calls"])


def made(quality: str) -> tuple[int, float]:
    """(steps, network calls) of a picture that is made, as its receipt has them."""
    words = ["generate", "sneaker", "--model", "fashion", "--quality", quality, "--threads", "1", "--quiet"]
    assert run([*words, "--out", quality]) == 0
    (path,) = Path(quality, "receipts").iterdir()
    said = json.loads(path.read_text())
    return said["made"]["stages"][0]["steps"], said["cost"]["calls"]


@pytest.mark.parametrize("quality", STEPS)
def test_a_plan_follows_the_frontier_as_a_run_does(
    fashion: mezzotint.Model, quality: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = planned(quality, capsys)
    measured(fashion)
    steps, calls = made(quality)
    assert steps == STEPS[quality] and planned(quality, capsys) == calls != before
