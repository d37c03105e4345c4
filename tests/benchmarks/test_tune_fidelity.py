"""Tuning to the same fidelity: both sides run to their end on a tiny model, and the arithmetic of what is compared."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import tune_fidelity
import tune_fidelity_peer as peer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tuning"))
from tiny_systems import save_latent
from tuning_case import text_cascade

pytest.importorskip("peft", reason="the peer is not installed (extra: bench)")

HOW = (
    *("--steps", "4", "--script-steps", "3", "--batch", "4", "--rank", "2", "--class-pictures", "5", "-n", "2"),
    *("--moments", "2", "--threads", "1", "--dtype", "float32"),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_cascade(tmp_path_factory.mktemp("model") / "cascade")


@pytest.fixture(scope="module")
def found(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, Any]]:
    """The words of a whole run, and what it wrote."""
    out = tmp_path_factory.mktemp("found")
    words = [*HOW, "--model", str(model), "--out", str(out)]
    assert tune_fidelity.main(words) == 0
    return words, json.loads((out / "tune_fidelity.json").read_text())


@pytest.mark.slow
def test_every_part_runs_and_is_judged_alike(found: tuple[list[str], dict[str, Any]]) -> None:
    parts = found[1]["more"]["parts"]
    assert set(parts) == {"ours", "script", "script-best", "lokr", "lora-4"}
    assert set(parts["ours"]["moments"]) == {"1", "4"} and set(parts["script"]["moments"]) == {"1", "3"}
    bases = [one["likeness"]["0"] for one in parts.values()]
    assert all(base == bases[0] for base in bases), "the base's pictures are the same for all"
    for one in parts.values():
        seconds = [0.0, one["beforehand"], *one["moments"].values()]
        assert seconds == sorted(seconds) and one["bytes"] > 0
        assert all(one["likeness"][k] != bases[0] for k in one["moments"]), "what was learnt is what is judged"
        assert all(one["evidence"][k]["drift"] is not None for k in one["moments"])


@pytest.mark.slow
def test_what_is_compared(found: tuple[list[str], dict[str, Any]]) -> None:
    names = [c["name"] for c in found[1]["comparisons"]]
    assert names == [
        "to the fidelity that script ends with", "drift at the fidelity that script ends with",
        "to the fidelity that script-best ends with", "drift at the fidelity that script-best ends with",
        "adapter as faithful as script's", "adapter as faithful as script-best's",
    ]  # fmt: skip
    assert [c["target"] for c in found[1]["comparisons"]] == [1 / 3, 1.0, 1 / 3, 1.0, 0.25, 0.25]


@pytest.mark.slow
def test_a_second_run_takes_every_part_from_its_files(found: tuple[list[str], dict[str, Any]]) -> None:
    words, first = found
    assert tune_fidelity.main(words) == 0
    again = json.loads((Path(words[-1]) / "tune_fidelity.json").read_text())
    assert again["more"] == first["more"]


def trial(model: Path, place: Path) -> tune_fidelity.Trial:
    given = tune_fidelity.arguments().parse_args([*HOW, "--model", str(model)])
    one = tune_fidelity.example(5, place / "product")
    return tune_fidelity.Trial(given, one, tune_fidelity.opaque(one.learnt), place)


def test_pictures_of_the_class_are_made_as_the_script_makes_them(model: Path, tmp_path: Path) -> None:
    """In the standard number of steps, whatever ``tune`` judges by."""
    one = trial(model, tmp_path)
    task = peer.Task(one.base, one.photos, ("a photo of zorbo mug", "a photo of mug"), 2, 1e-2, 0)
    job, drafts = peer.class_job(task, "float32", 3), one.base.job(["a photo of mug"], peer.SEED, None)
    assert job.quality == "standard" != drafts.quality and job.prompts == drafts.prompts and len(job.pictures) == 3
    assert job.main.plan.steps == one.base.stage.spec.sampling["standard"].steps


def test_results_of_another_judge_are_kept_apart(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def folder(trial: tune_fidelity.Trial, name: str) -> None:
        asked.append(trial.work)
        raise SystemExit

    monkeypatch.setattr(tune_fidelity, "part", folder)
    for judge in (tune_fidelity.JUDGE, "pictures"):
        monkeypatch.setattr(tune_fidelity, "JUDGE", judge)
        with pytest.raises(SystemExit):
            tune_fidelity.main([*HOW, "--model", str(model), "--out", str(tmp_path)])
    assert len(set(asked)) == 2


@pytest.mark.parametrize("name", list(peer.SETTINGS))
def test_the_script_learns(model: Path, tmp_path: Path, name: str) -> None:
    """The same rows at the same levels: their error falls, the frozen weights stay, and only adapters are learnt."""
    one = trial(model, tmp_path)
    task = peer.Task(one.base, one.photos, ("a photo of zorbo mug", "a photo of mug"), 2, 1e-2, 0)
    own = peer.read(one.photos, 16)
    script = peer.Script(task, peer.SETTINGS[name], own, own)
    frozen = {k: p.clone() for k, p in script.net.named_parameters() if not p.requires_grad}
    assert frozen and all("lora" not in k for k in frozen)
    noise, level = torch.randn(8, 3, 16, 16), script.levels(torch.linspace(0.2, 0.8, 8).double())
    cond = script.encoded(peer.shortened)

    def error() -> float:
        with torch.no_grad():
            return float(script.errors(script.states(own)[torch.arange(8) % len(own)], noise, level, cond).mean())

    before = error()
    for _ in range(12):
        script()
    assert error() < before
    now = dict(script.net.named_parameters())
    assert all(torch.equal(frozen[k], now[k]) for k in frozen)


def test_pictures_of_a_latent_go_through_its_autoencoder(tmp_path: Path) -> None:
    """At each step as it comes, before all of them at its best."""
    one = trial(save_latent(tmp_path / "latent"), tmp_path / "work")
    task = peer.Task(one.base, one.photos, ("a photo of zorbo mug", "a photo of mug"), 2, 1e-2, 0)
    own = peer.read(one.photos, 16)
    each, before = (peer.Script(task, peer.SETTINGS[name], own, own) for name in ("script", "script-best"))
    assert each.own.shape == (5, 3, 16, 16) and before.own.shape == (5, 4, 4, 4)
    assert torch.allclose(before.own, one.base.stage.codec("cpu").encode(own), atol=1e-4)
    for script in (each, before):
        script()


def test_what_the_script_learnt_reads_as_one_of_our_adapters(model: Path, tmp_path: Path) -> None:
    """The network with PEFT's layers and ours with the adapter read from its file give the same answer."""
    from mezzotint.pretrained.adapters import Weighed, put_on, read_adapter
    from mezzotint.pretrained.tunable import tunable

    one = trial(model, tmp_path)
    task = peer.Task(one.base, one.photos, ("a photo of zorbo mug", "a photo of mug"), 2, 1e-2, 0)
    own = peer.read(one.photos, 16)
    script = peer.Script(task, peer.SETTINGS["script"], own, own)
    for _ in range(3):
        script()
    script.save(tmp_path / "saved")
    worn = Weighed(read_adapter(tmp_path / "saved" / "adapter_model.safetensors", one.base.system), 1.0)
    base = tunable(one.base.stage, "cpu", torch.float32).base
    x, noise, cond = torch.randn(8, 3, 16, 16), torch.zeros(8), script.encoded(dict)
    with torch.no_grad():
        theirs, read = script.net(x, noise, cond), put_on(base, "denoiser", (worn,))(x, noise, cond)
        assert torch.allclose(theirs, read, atol=1e-5) and not torch.allclose(theirs, base(x, noise, cond), atol=1e-4)


def test_the_weighted_objective_is_the_one_the_base_was_trained_with(model: Path, tmp_path: Path) -> None:
    from mezzotint.diffusion.denoiser import Preconditioned
    from mezzotint.diffusion.objective import loss
    from mezzotint.pretrained.stage_model import parametrisation_of
    from mezzotint.pretrained.tunable import weight_of

    one = trial(model, tmp_path)
    task = peer.Task(one.base, one.photos, ("a mug", "mug"), 2, 1e-2, 0)
    own = peer.read(one.photos, 16)
    script = peer.Script(task, peer.SETTINGS["script-weighted"], own, own)
    script.net.float()
    x0, noise, level = torch.randn(8, 3, 16, 16), torch.randn(8, 3, 16, 16), script.levels(torch.rand(8).double())
    cond, spec = script.encoded(dict), one.base.stage.spec
    with torch.no_grad():
        wanted = loss(Preconditioned(script.net, parametrisation_of(spec)), x0, noise, level, cond, weight_of(spec))
        assert torch.allclose(script.errors(x0, noise, level, cond), wanted, rtol=1e-4)


def test_both_of_a_product_and_its_class_are_in_every_update(model: Path, tmp_path: Path) -> None:
    one = trial(model, tmp_path)
    task = peer.Task(one.base, one.photos, ("a mug", "mug"), 2, 1e-2, 0)
    own, prior = torch.zeros(3, 3, 16, 16), torch.arange(1, 11.0).reshape(10, 1, 1, 1).expand(10, 3, 16, 16)
    script = peer.Script(task, peer.SETTINGS["script"], own, prior)
    drawn = [script.pictures()[:, 0, 0, 0] for _ in range(5)]
    assert all(bool((rows[: peer.ROWS] == 0).all() and (rows[peer.ROWS :] > 0).all()) for rows in drawn)
    assert {int(v) for rows in drawn[:3] for v in rows[peer.ROWS :]} >= set(range(1, 11)), "an epoch has all of them"


def test_moments_are_closer_together_at_the_beginning() -> None:
    found = tune_fidelity.looked_at(600, 6)
    gaps = [b - a for a, b in zip([0, *found], found, strict=False)]
    assert found[-1] == 600 and len(found) == 6 and gaps == sorted(gaps) and all(k % 25 == 0 for k in found)
    assert tune_fidelity.looked_at(3, 6) == [1, 2, 3] and tune_fidelity.looked_at(7, 1) == [7]


def test_the_time_to_a_fidelity_lies_between_moments() -> None:
    points = [(0.0, 0.4), (10.0, 0.5), (20.0, 0.45), (30.0, 0.6)]
    assert tune_fidelity.reached(points, 0.45) == pytest.approx(5.0)
    assert tune_fidelity.reached(points, 0.55) == pytest.approx(20 + 10 * 0.1 / 0.15)
    assert tune_fidelity.reached(points, 0.3) == 0.0 and math.isinf(tune_fidelity.reached(points, 0.7))
    assert tune_fidelity.at(points, 15.0) == pytest.approx(0.475) and tune_fidelity.at(points, math.inf) == 0.6


def side(fidelity: float, drift: float, size: int, likeness: float) -> dict[str, Any]:
    def evidence(value: float, moved: float | None) -> dict[str, Any]:
        return {"fidelity": {"value": value}, "gain": {"value": value - 0.4}, "drift": moved and {"value": moved}}

    return {
        "beforehand": 10.0, "moments": {"100": 100.0, "200": 200.0}, "bytes": size,
        "evidence": {"0": evidence(0.4, None), "100": evidence(0.45, 1.1), "200": evidence(fidelity, drift)},
        "likeness": {"0": [0.4] * 8, "200": [likeness + 0.01 * k for k in range(8)]},
    }  # fmt: skip


def test_a_fidelity_that_is_not_reached_is_no_win() -> None:
    time, drift = tune_fidelity.to_the_same("script", side(0.5, 1.2, 1, 0.5), side(0.6, 1.3, 1, 0.6))
    assert time.verdict == "we lose" and "does not reach" in time.notes and drift.ours == 1.2
    time, drift = tune_fidelity.to_the_same("script", side(0.6, 1.2, 1, 0.6), side(0.5, 1.3, 1, 0.5))
    assert time.ours == pytest.approx(100 + 100 / 3) and time.peer == 200 and drift.ours < 1.2 and drift.ratio < 1


def test_the_smallest_adapter_is_one_that_is_not_clearly_less_faithful() -> None:
    other = side(0.5, 1.0, 4000, 0.5)
    several = {"a": side(0.5, 1.0, 900, 0.5), "b": side(0.5, 1.0, 500, 0.4)}
    row = tune_fidelity.smallest("script", several, other)
    assert row.notes.startswith("a of") and row.ratio == pytest.approx(0.225) and row.verdict == "target reached"
    row = tune_fidelity.smallest("script", {"b": several["b"]}, other)
    assert row.verdict == "we lose" and row.notes.startswith("none is as faithful")


def test_nothing_is_claimed_before_the_first_look() -> None:
    def seen(value: float) -> dict[str, Any]:
        return {"fidelity": {"value": value}}

    found = {"moments": {"10": 5.0, "20": 9.0}, "evidence": {"0": seen(0.1), "10": seen(0.5), "20": seen(0.7)}}
    line = tune_fidelity.curve(found, "fidelity")
    assert tune_fidelity.reached(line, 0.3) == 5.0 and tune_fidelity.at(line, 5.0) == 0.5
    assert tune_fidelity.reached(line, 0.6) == 7.0
