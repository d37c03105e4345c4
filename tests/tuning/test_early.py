"""A run that ends early: its end is a candidate, it says so, and what goes on with it is the same run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest
import torch
from tuning_case import photographs, ran, tiny_lesson, words

from mezzotint.making.tuned import patience
from mezzotint.making.tuned import tune as tuning
from mezzotint.making.tuned.base import base
from mezzotint.making.tuned.learn import learn, moments
from mezzotint.making.tuned.product import Layers
from mezzotint.pretrained.device import device_for
from mezzotint.pretrained.model import load
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header
from mezzotint.training.loop import Progress
from mezzotint.training.run import Watch
from mezzotint.tuning.settings import Method, Settings

ENDS = 3
SAID = f"ended early after {ENDS} of 8 updates: the loss on what was held apart fell no more"


def third(losses: Sequence[float]) -> bool:
    """The third look is the last."""
    return len(losses) >= ENDS


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def stopping(at: int) -> Watch:
    """Ends a run after so many updates."""
    done = [0]

    def report(progress: Progress) -> None:
        done[0] = progress.step

    return Watch(report, lambda: done[0] >= at)


@pytest.mark.parametrize(("moments_", "at", "wanted"), [(1, 3, [3]), (2, 3, [2, 3]), (2, 2, [2]), (2, 4, [2, 4])])
def test_what_was_learnt_until_an_early_end_is_a_candidate(
    cascade: Path, shoot: Path, tmp_path: Path, moments_: int, at: int, wanted: list[int]
) -> None:
    said = Settings(Method("lora", 2), steps=4, batch=2, moments=moments_)
    plan = tiny_lesson(base(load(cascade), "cpu", "float32"), shoot, said)
    outcome = learn(plan, tmp_path, "new", stopping(at))
    found = moments(plan, tmp_path)
    assert list(found) == wanted
    last = found[at]
    assert isinstance(last, Layers)
    averages = outcome.training.averages.values[plan.recipe.ema[0].name]
    ups = [w.half() for name, w in averages.items() if name.endswith(".up")]
    kept = [t for part in last.parts.values() for one in part.values() for t in _tensors(one)]
    assert ups and all(any(t.shape == up.shape and torch.equal(t.half(), up) for t in kept) for up in ups)


def _tensors(one: object) -> list[torch.Tensor]:
    change = one.change  # type: ignore[attr-defined]
    return [t for t in vars(change).values() if isinstance(t, torch.Tensor)]


def test_it_is_gone_on_with_by_the_same_words_alone(
    cascade: Path, shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before its first moment, and killed before it is judged."""
    out, three = tmp_path / "o", photographs(tmp_path / "three", 3)
    said = words(shoot, cascade, out, "--quiet", "--json", "--moments", "1", "--prior-pictures", "0", "-n", "2")
    monkeypatch.setattr(patience, "risen", third)
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "judged", interrupted)
        assert ran(said, tmp_path)[0] == 130 and not list((out / "run").glob("snapshots/*"))
    others = [[*said, "--rank", "4"], [*said, "--name", "zorbo mug"], [said[0], str(three), *said[2:]]]
    for other in others:
        code, printed, err = ran([*other, "--resume"], tmp_path)
        assert code == 2 and json.loads(printed)["code"] and err.count("\n") == 1, err
        assert "made by another recipe" in err or "the data is not what the checkpoint was trained on" in err
        assert not (out / "adapter.safetensors").exists()
    code, printed, err = ran([*said, "--resume"], tmp_path)
    assert code == 0, err
    found = json.loads(printed)
    jsonschema.validate(found, schema("mezzotint/tune/1"))
    assert list(found["evidence"]) == ["0", str(ENDS)] and SAID in found["notes"]
    assert SAID in (out / "report.html").read_text()
    passport = json.loads(read_header(out / "adapter.safetensors").metadata["mezzotint.passport"])
    assert passport["settings"]["steps"] == passport["cost"]["calls"] == ENDS
    assert (passport["cost"]["gpu_seconds"] > 0) == (device_for("auto") != "cpu")
    assert "--steps 8" in passport["command"]
