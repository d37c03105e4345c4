"""The script for those who have published weights runs, passes on sound files and fails on others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "weights"))

import check


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3"])
def test_a_sound_model_passes(
    family: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = request.getfixturevalue(family)
    assert check.main([str(folder), "--size", "32x32", "--steps", "3", "--out", str(tmp_path / "r.json")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads((tmp_path / "r.json").read_text())
    assert said["latents"] < 1e-4 and len(said["weights_sha256"]) == 64


def test_another_picture_fails(sd1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = check.theirs
    monkeypatch.setattr(check, "theirs", lambda *a: (real(*a)[0] * 1.01, real(*a)[1]))
    assert check.main([str(sd1), "--steps", "2"]) == 1
