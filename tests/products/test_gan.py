"""The GAN of the benchmark: its losses push the right way, and the script runs to its end and goes on after a stop."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import gan
from gan_networks import Discriminator, Generator

from mezzotint.evaluation.report import report_of
from mezzotint.products import split

SMALL = (16, 16, 16, 16)


def settings(data: Path, out: Path, minutes: float) -> gan.Settings:
    return gan.Settings(data, out, minutes, 1, 4, 6, 7, SMALL, 1, ("fidelity", "copies"), None)


def test_shapes_and_sizes() -> None:
    made = Generator(SMALL, 1, gan.TEXT)(torch.randn(2, 64), torch.randn(2, gan.TEXT))
    assert made.shape == (2, 3, 64, 64)
    assert Discriminator(SMALL, 1, gan.TEXT)(made, torch.randn(2, gan.TEXT)).shape == (2,)
    full = Generator((512, 384, 256, 192), 3, gan.TEXT)
    assert 8e6 < sum(p.numel() for p in full.parameters()) < 15e6


def test_the_penalty_is_the_squared_slope() -> None:
    x = torch.randn(3, 2, 4, 4, requires_grad=True)
    weight = torch.randn(2, 4, 4)
    torch.testing.assert_close(gan.penalty((x * weight).flatten(1).sum(1), x), weight.square().sum().expand(3))


@pytest.mark.slow
def test_each_update_serves_its_own_side() -> None:
    """Against a generator that stands still, the discriminator learns to tell its pictures from bright ones."""
    state = gan.begin(settings(Path(), Path(), 1))
    text, bright = torch.randn(8, gan.TEXT), torch.full((8, 3, 64, 64), 230, dtype=torch.uint8)
    for group in (*state.optimisers[0].param_groups, *state.optimisers[1].param_groups):
        group["lr"] = 2e-3
    state.optimisers[0].param_groups[0]["lr"] = 0.0
    first, _ = gan.update(state, bright, text, 0.1)
    for _ in range(20):
        last, _ = gan.update(state, bright, text, 0.1)
    assert last < 0.8 * first
    state.optimisers[0].param_groups[0]["lr"], state.optimisers[1].param_groups[0]["lr"] = 2e-3, 0.0
    before = state.generator(torch.zeros(8, 64), text).mean()
    for _ in range(8):
        gan.update(state, bright, text, 0.1)
    assert state.generator(torch.zeros(8, 64), text).mean() > before


@pytest.mark.slow
def test_the_script_trains_goes_on_and_leaves_an_evaluation(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(split, "PAIR_SHARE", 0.5)
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    threads = torch.get_num_threads()
    words = ["--data", str(rendered), "--out", str(tmp_path / "gan"), "--threads", "1", "--batch", "4", "--n", "6"]
    words += ["--widths", *map(str, SMALL), "--blocks", "1", "--metrics", "fidelity,copies"]
    assert gan.main([*words, "--minutes", "0.01"]) == 0
    first = torch.load(tmp_path / "gan/gan.pt", weights_only=True)["about"]
    found = json.loads((tmp_path / "gan/evaluation/evaluation.json").read_text())
    assert report_of(found).cost.calls == 1 and report_of(found).n == 6 and "r3gan" in capsys.readouterr().out
    (tmp_path / "gan/compared/comparison.json").unlink()
    assert gan.main([*words, "--minutes", "0.03"]) == 0
    again = torch.load(tmp_path / "gan/gan.pt", weights_only=True)["about"]
    assert again[0] > first[0] and again[1] > first[1] > 0.5
    torch.set_num_threads(threads)
