"""``mezzotint frontier``, and ``--quality`` that reads it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import pytest
import torch
from asking import request_of
from tiny_systems import save_cascade

import mezzotint
from mezzotint.cli import run
from mezzotint.cli.frontier import text
from mezzotint.diffusion.denoiser import Posterior
from mezzotint.evaluation.features import extractor
from mezzotint.fewstep.frontier import Kernel, Point, Setting
from mezzotint.files import canonical_json, sha256
from mezzotint.making.calibrated.rows import Rows, job_of, problem_of
from mezzotint.making.frontier.frontier import SOLVERS, Frontier, settings_of
from mezzotint.making.frontier.later import Later, later, with_later
from mezzotint.making.frontier.measure import Bench, measured
from mezzotint.pretrained.frontier import frontier_path
from mezzotint.schemas import schema

FEW = ["--solver", "unipc", "--solver", "ddim", "--steps", "2,3", "-n", "200", "--exact", "12", "--threads", "1"]
FAST = [*FEW, "--dtype", "float32", "--quiet", "--out", "out"]


@pytest.fixture
def own(inside: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with the tiny model."""
    folder = inside / "own"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "fashion").symlink_to(home / "models" / "fashion")
    monkeypatch.setenv("MEZZOTINT_HOME", str(folder))
    return folder


def kept(own: Path) -> Path:
    return next(own.glob("frontiers/*/*.json"))


@pytest.mark.slow
def test_it_is_measured_drawn_kept_and_read(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["frontier", *FAST, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    jsonschema.validate(said, schema("mezzotint/frontier/1"))
    assert {k: v for k, v in said.items() if k != "out"} == json.loads(kept(own).read_text())
    assert Path("out/frontier.png").read_bytes().startswith(b"\x89PNG")
    by = {(p["solver"], p["grid"], p["steps"]): p for p in said["points"]}
    assert said["scale"] != 1 and by["ddim", "", 3]["calls"] == 2 * 3 and by["unipc", "auto", 2]["calls"] == 2 * 2
    assert by["unipc", "", 3]["distance"] < by["ddim", "", 2]["distance"]
    took = said["recommended"]["standard"]
    assert by[took["solver"], took["grid"], took["steps"]]["calls"] <= by["", "", 4]["calls"]

    assert run(["generate", "sneaker", "--seed", "3", "--out", "pictures", "--quiet"]) == 0
    receipt = json.loads(next(Path("pictures/receipts").glob("*.json")).read_text())
    assert receipt["made"]["stages"][0]["steps"] == took["steps"]

    before = kept(own).stat().st_mtime_ns
    points = {path: path.stat().st_mtime_ns for path in own.glob("frontiers/*/*/*/*.json")}
    assert len(points) == len(said["points"])
    assert run(["frontier", *FAST, "--json"]) == 0
    assert all(path.stat().st_mtime_ns == then for path, then in points.items())
    assert kept(own).stat().st_mtime_ns > before


def recommending(own: Path, weights_sha256: str, shape: list[int], steps: int) -> Path:
    """A frontier at the model's own scale that was kept, as small as one can be."""
    path = frontier_path(weights_sha256, mezzotint.load("fashion").main.spec.sampling["standard"].scale)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = {"solver": "ddim", "grid": "", "steps": steps}
    about = {"schema": "mezzotint/frontier/1", "weights_sha256": weights_sha256, "shape": shape}
    path.write_text(json.dumps({**about, "recommended": {"standard": words}}))
    return path


def test_words_go_before_what_is_recommended(own: Path) -> None:
    main = mezzotint.load("fashion").main
    digest, shape = main.described.weights_sha256, list(main.spec.shape)
    recommending(own, digest, shape, 3)

    def steps(**words: object) -> int:
        return mezzotint.prepare(request_of("sneaker", model="fashion", **words)).main.plan.steps  # type: ignore[arg-type]

    usual = main.spec.sampling["standard"].steps
    assert steps() == 3 and steps(steps=5) == 5
    assert steps(solver="unipc") == usual and steps(quality="best") != 3
    assert steps(scale=2.5) == usual
    assert steps(guidance="rescaled:0.7") == steps(guidance="apg") == usual, "measured with the usual guidance"
    assert steps(negative_prompt="tee") == steps(cache=0.1) == usual, "measured without"
    recommending(own, digest, [*shape[:-1], shape[-1] * 2], 3)
    assert steps() == usual


def test_a_frontier_may_come_with_its_model(inside: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own hides it."""
    own = inside / "own"
    folder = shutil.copytree(home / "models" / "fashion", own / "models" / "fashion")
    monkeypatch.setenv("MEZZOTINT_HOME", str(own))
    main = mezzotint.load("fashion").main
    said = recommending(own, main.described.weights_sha256, list(main.spec.shape), 3)
    (folder / "frontiers").mkdir()
    said.rename(folder / "frontiers" / said.name)

    def steps() -> int:
        return mezzotint.prepare(request_of("sneaker", model="fashion")).main.plan.steps

    assert steps() == 3
    recommending(own, main.described.weights_sha256, list(main.spec.shape), 5)
    assert steps() == 5


def test_a_distilled_model_is_told_of_its_base(
    inside: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(home / "models" / "fashion", inside / "own" / "models" / "fashion")
    monkeypatch.setenv("MEZZOTINT_HOME", str(inside / "own"))
    table = json.loads((folder / "model.json").read_text())
    about = {"by": "trajectory", "base": "many", "base_sha256": "0" * 64, "calls": 2, "scale": 1.0, "u": [0.9, 0.5]}
    (folder / "model.json").write_text(json.dumps({**table, "distilled": about}))
    assert run(["frontier", "fashion"]) == 2
    said = capsys.readouterr().err
    assert (
        "already distilled, to 2 calls by trajectory; use what it was made of, many" in said and "--steps" not in said
    )


def test_later_stages_are_counted_and_said(inside: Path) -> None:
    job = mezzotint.prepare(request_of("a red chair", model=save_cascade(inside / "cascade"), n=2, threads=1))
    short = job.main.plan
    found = later(job, short)
    assert found.calls == job.stages[1].plan.steps and found.seconds > 0
    alone = mezzotint.prepare(request_of("sneaker", model="fashion", threads=1))
    assert later(alone, alone.main.plan) == Later()
    point = Point(Setting("ddim", "", 4), 8.0, 0.5, 0.1, Kernel(0.0, 0.0, 0.0))
    (whole,) = with_later([point], Later(3, 0.25))
    assert (whole.calls, whole.seconds, whole.setting) == (11, 0.75, point.setting)
    said = text(Frontier("any", 1.0, (whole,), later=Later(3, 0.25)))
    assert "in every row: 3 calls and 0.2500 CPU s of its later stages" in said and " 11 " in said


def test_what_is_damaged_or_of_another_model_is_said(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = mezzotint.load("fashion").main
    digest, shape = main.described.weights_sha256, list(main.spec.shape)
    path = recommending(own, digest, shape, 3)
    whole = path.read_text()
    for broken in (whole.replace('"steps": 3', '"steps": 0'), "{", whole.replace(digest, "0" * 64)):
        path.write_text(broken)
        assert run(["generate", "sneaker", "--out", "pictures", "--quiet"]) == 2
        assert "frontier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-n", "50"], "200 pictures"),
        (["--steps", "4,100"], "below 100"),
        (["--steps", "four"], "whole numbers"),
        (["--solver", "nothing"], "nothing"),
    ],
)
def test_words_that_are_wrong(own: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["frontier", "fashion", *words]) == 2
    assert said in capsys.readouterr().err


def test_it_stops_and_goes_on(own: Path) -> None:
    few = {"solvers": ("ddim",), "steps": (2,), "n": 200, "exact": 6, "threads": 1, "dtype": "float32", "scale": 0.0}
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > 10

    assert mezzotint.frontier("fashion", **few, stop=stop).stopped  # type: ignore[arg-type]
    found = mezzotint.frontier("fashion", **few)  # type: ignore[arg-type]
    assert not found.stopped and found.kept is not None
    assert {p.calls for p in found.points if p.setting.solver == "ddim"} == {2}, "the network is asked without a prompt"
    assert found.document["later"] == {"calls": 0, "seconds": 0} and found.document["classifier_scale"] == 0


@pytest.mark.slow
def test_every_usual_solver_is_tried(own: Path) -> None:
    job = mezzotint.prepare(request_of("sneaker", model="fashion", threads=1))
    found, presets = settings_of(job, SOLVERS, (6,), None)
    # Its grid begins in pure noise, where Heun's ratio is infinite: what a grid has no room for is left out.
    assert {one.solver for one, _ in found} == {"", *SOLVERS} - {"heun"}
    assert {one.grid for one, _ in found} == {"", "auto"}
    assert set(presets.values()) <= {one for one, _ in found}


def test_distance_is_of_what_is_shown_and_older_points_are_not_taken(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a state has beyond black and white is cut off in every picture."""
    rows = Rows(4, 4, ("sneaker",), 4, 0)
    job = job_of(request_of("", model="fashion", steps=6, threads=1), rows)
    ends = torch.full((8, *job.main.model.spec.shape), 1.5)
    beyond = replace(problem_of(job, rows), denoiser=lambda x, level, cond: Posterior(torch.full_like(x, 3.0)))
    setting, plan = settings_of(job, ("ddim",), (3,), None)[0][0]
    before = sha256(canonical_json([asdict(setting), plan.solver_choice, plan.grid_choice]))[:20]
    nothing = Kernel(0.0, 0.0, 0.0)
    (own / f"{before}.json").write_text(json.dumps(asdict(Point(setting, 1.0, 1.0, 9.0, nothing))))
    monkeypatch.setattr("mezzotint.making.frontier.measure.kernel_distance", lambda *_: nothing)
    bench = Bench(beyond, ends, job.main.model.codec("cpu"), extractor(), 1, own)
    assert measured(bench, setting, plan, torch.zeros(8, 1280)).distance == 0


def test_a_setting_that_diverges_is_infinitely_far_and_not_kept(own: Path) -> None:
    rows = Rows(4, 4, ("sneaker",), 4, 0)
    job = job_of(request_of("", model="fashion", steps=6, threads=1), rows)
    ends = torch.zeros(8, *job.main.model.spec.shape)
    lost = replace(problem_of(job, rows), denoiser=lambda x, level, cond: Posterior(x * torch.inf))
    setting, plan = settings_of(job, ("ddim",), (3,), None)[0][0]
    bench = Bench(lost, ends, job.main.model.codec("cpu"), extractor(), 1, own)
    found = measured(bench, setting, plan, torch.zeros(8, 1280))
    assert found.distance == found.kernel.low == float("inf") and not list(own.glob("*.json"))
