"""How long a plan takes, where a frontier was measured: by its calls, and never by more steps than it recommends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogs import asked, manifest

from mezzotint.catalog.planning import Asked, Priced, plan, read
from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.frontier import SCHEMA, frontier_path, write_frontier
from mezzotint.pretrained.model import load


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def frontier(tiny: Path, **more: Any) -> Path:
    """Kept for the tiny model at scale 1: ten calls were 0.5 s, twenty 0.8 s; five steps are recommended."""
    main = load(tiny).main
    five = {"solver": "ddim", "grid": "", "steps": 5}
    points = [{**five, "calls": 10.0, "seconds": 0.5}, {**five, "steps": 20, "calls": 20.0, "seconds": 0.8}]
    document = {"schema": SCHEMA, "weights_sha256": main.described.weights_sha256, "shape": list(main.spec.shape)}
    document |= {"dtype": "float32", "points": points, "recommended": {"standard": five}, **more}
    return write_frontier(frontier_path(main.described.weights_sha256, 1.0), document)


def priced(said: Asked) -> Priced:
    return plan(said, read(said), load(said.words.model))


def test_time_goes_by_the_nearest_calls_that_were_measured(tmp_path: Path, tiny: Path) -> None:
    said = asked(manifest(tmp_path), tiny)
    assert priced(said).pace.usual == 0
    with pytest.raises(UsageError, match="--budget needs to know how fast this machine is"):
        priced(asked(manifest(tmp_path), tiny, budget="1", per_hour="1 USD"))
    frontier(tiny)
    found = priced(said)
    pictures = 4 * len(found.plan.batches)
    assert found.seconds.value == pytest.approx(pictures * 2 * 0.05), "two steps, by the point of ten calls"
    assert any("as `mezzotint frontier` measured" in note for note in found.notes)
    frontier(tiny, dtype="bfloat16")
    assert priced(said).pace.usual == 0, "of another number format"
    frontier(tiny, classifier_scale=45.0)
    assert priced(said).pace.usual == 0, "a ranker took part of it"
    frontier(tiny, points=[])
    with pytest.raises(ModelError, match="is no frontier"):
        priced(said)


def test_a_rung_adds_no_steps_to_those_that_a_frontier_recommends(tmp_path: Path, tiny: Path) -> None:
    frontier(tiny)
    (tmp_path / "m.toml").write_text('[degrade]\nladder = ["steps 8", "variants 1"]\n')
    said = asked(manifest(tmp_path), tiny, budget="2", per_hour="3600 USD")
    found = priced(replace(said, words=replace(said.words, sampling=replace(said.words.sampling, steps=None))))
    assert {one.calls for one in found.plan.recipes} == {5} and len(found.plan.rungs) == 2
    assert found.seconds.value == pytest.approx(4 * 5 * 0.05)
