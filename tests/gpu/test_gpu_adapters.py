"""On an accelerator: adapters of every method, learnt there, kept on the processor, and put on again.  Skipped without
one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import mezzotint as mz
from mezzotint.nets.adapters.changes import Change, Full
from mezzotint.nets.adapters.falling import adapted_at, at
from mezzotint.nets.adapters.lora import LowRank
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.tuning.settings import METHODS, Method

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tuning"))
from tuning_case import photographs, text_cascade

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator here"),
]
PLACES = ("0", "2", "4")
X = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))
T = torch.full((5,), 0.4)


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_cascade(tmp_path_factory.mktemp("systems") / "cascade")


@pytest.fixture(scope="module")
def shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photographs(tmp_path_factory.mktemp("shoot") / "mugs", 5)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(1), nn.Linear(128, 24), nn.SiLU(), nn.Linear(24, 12, bias=False)
    )


def answers(changes: Mapping[str, Change], device: str) -> torch.Tensor:
    worn = adapted_at(network().to(device), {path: [(change, 0.7)] for path, change in changes.items()})
    with torch.no_grad():
        made: torch.Tensor = at(worn, T.to(device))(X.to(device))
    return made.cpu()


@pytest.mark.parametrize("method", METHODS)
def test_what_is_learnt_there_is_kept_here_and_put_on_in_both_places(method: str, device: str) -> None:
    made = trained(network().to(device), dict.fromkeys(PLACES, Method(method, 4).begin), seed=1)
    at(made, T.to(device))(X.to(device)).square().sum().backward()
    with torch.no_grad():
        for p in made.parameters():
            if p.requires_grad:
                assert p.grad is not None and p.device.type == device
                p.add_(0.2 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())).to(p))
    kept = {name: p.detach().cpu() for name, p in made.named_parameters()}  # as a run's average is
    for found in (learnt(made), learnt(made, kept)):
        assert {t.device.type for one in found.values() for t in one.tensors.values()} == {"cpu"}
        changes = {path: one.change for path, one in found.items()}
        here, there = answers(changes, "cpu"), answers(changes, device)
        assert torch.allclose(here, there, atol=1e-2, rtol=1e-2)  # convolutions there may be of fewer digits
        assert not torch.allclose(here, answers({}, "cpu"), atol=3e-2)


def test_biases_of_a_file_are_put_on_there(device: str) -> None:
    low = LowRank(torch.randn(2, 128), torch.randn(24, 2), 1.0, torch.ones(24))
    changes: dict[str, Change] = {"2": low, "4": Full(torch.ones(12, 24), torch.ones(12))}
    assert torch.allclose(answers(changes, "cpu"), answers(changes, device), atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_a_whole_run_there_and_its_file_put_on(
    method: str, device: str, cascade: Path, shoot: Path, tmp_path: Path
) -> None:
    made = mz.tune(
        shoot, name="acme mug", model=cascade, out=tmp_path / "o", steps=3, batch=2, moments=1, rate=0.02, n=2, rank=2,
        prior_pictures=0, dtype="float32", method=method, device=device,
    )  # fmt: skip
    assert made.adapter is not None
    words = {"model": cascade, "lora": (made.adapter,), "seed": 5, "steps": 2, "dtype": "float32"}
    here, there = (mz.generate("an acme mug", device=one, **words).images[0] for one in ("cpu", device))  # type: ignore[arg-type]
    assert np.abs(here.pixels.astype(int) - there.pixels.astype(int)).max() <= 3
