"""Classifier guidance by a model's own ranker: estimates go where it says, for what is named, and receipts say so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_systems import save_latent, save_ranked, with_presets
from torch import Tensor

import mezzotint as mz
from mezzotint.catalog.plan.prepared import Prepared
from mezzotint.cli import run
from mezzotint.errors import ModelError, UsageError
from mezzotint.fewstep.parameters import Layout, fixed
from mezzotint.files import sha256_file
from mezzotint.making.calibrated.rows import Rows, job_of
from mezzotint.making.calls import calls
from mezzotint.making.classified import classifier_scale
from mezzotint.making.evaluation import parameters
from mezzotint.making.image import Progress
from mezzotint.making.job import GENERATE
from mezzotint.making.prepare import prepare
from mezzotint.making.prompt import Nothing
from mezzotint.making.request import Request, Sampling
from mezzotint.making.run import sampled
from mezzotint.making.tuned.base import base
from mezzotint.pretrained.frontier import SCHEMA, frontier_path, write_frontier
from mezzotint.pretrained.model import load
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.pretrained.sidecar import SideCar, write
from mezzotint.pretrained.system import describe_system
from mezzotint.products.asked import WEIGHTS, asked, log_prob, numbers
from mezzotint.replayed import replay

PROMPT, UNNAMED = "a red chair on a white background, side view", "something blue, side view"
STEPS, SCALE = 4, 40.0
USUAL = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": STEPS, "scale": 2.0}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ranked(tmp_path_factory.mktemp("models") / "ranked")


def asking(
    model: Path, prompt: str | tuple[str, ...], scale: float | None, candidates: int | None = None, **words: Any
) -> Request:
    sampling = Sampling(threads=1, steps=STEPS, candidates=candidates, classifier_scale=scale)
    return Request(prompt, model=model, batch=2, seed=7, sampling=sampling, **words)


def ends(request: Request) -> list[Tensor]:
    """The latents after the last step of what is made, a row each."""
    events = [e for e in sampled(prepare(request)) if isinstance(e, Progress) and not e.draft]
    return [row for e in events if e.state.i + 1 == e.state.steps for row in e.state.x]


def says(model: Path, x: Tensor, prompt: str) -> float:
    """What the ranker itself says of a latent."""
    network = load_network(describe_network(model / "ranker"))
    return float(log_prob(network(x[None].float()), numbers([asked(prompt)])))


def test_a_picture_shows_more_of_what_is_named_the_larger_the_scale(model: Path) -> None:
    found = [says(model, ends(asking(model, PROMPT, scale))[0], PROMPT) for scale in (0.0, SCALE, 4 * SCALE)]
    assert found[0] < found[1] < found[2]


def test_the_first_estimate_moves_by_the_gradient_as_the_paper_has_it(model: Path) -> None:
    """x0 + s sigma^2/(alpha^2 + sigma^2) d log p / d x0, the gradient by differences."""
    plain, moved = (
        next(e.state for e in sampled(prepare(asking(model, PROMPT, scale))) if isinstance(e, Progress))
        for scale in (0.0, SCALE)
    )
    x0, step = plain.x0[:1].float(), (moved.x0 - plain.x0)[0].float()
    network, asks = load_network(describe_network(model / "ranker")), numbers([asked(PROMPT)])
    levels = prepare(asking(model, PROMPT, 0.0)).main.plan.levels
    variance = float(levels.sigma[0] ** 2 / (levels.alpha[0] ** 2 + levels.sigma[0] ** 2))
    for at in ((0, 1, 2), (3, 0, 1), (2, 3, 3)):
        by = torch.zeros_like(x0)
        by[(0, *at)] = 1e-2
        slope = (log_prob(network(x0 + by), asks) - log_prob(network(x0 - by), asks)).item() / 2e-2
        assert float(step[at]) == pytest.approx(SCALE * variance * slope, rel=0.05, abs=1e-3)


def test_rows_are_guided_each_by_its_own_prompt_and_not_where_none_is_named(model: Path) -> None:
    """Of a prompt without a kind the view is not asked either."""
    together = ends(asking(model, (PROMPT, UNNAMED), SCALE))
    alone = [ends(asking(model, PROMPT, SCALE))[0], ends(replace(asking(model, UNNAMED, 0.0), seed=8))[0]]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(together, alone, strict=True))


def test_drafts_are_guided_as_what_is_made_of_them(model: Path) -> None:
    job = prepare(asking(model, PROMPT, SCALE, candidates=2))
    assert job.main.plan.draft is not None and job.main.plan.draft.classifier_scale == SCALE
    drawn = [
        [
            e.state.x
            for e in sampled(prepare(asking(model, PROMPT, s, candidates=2)))
            if isinstance(e, Progress) and e.draft
        ]
        for s in (0.0, SCALE)
    ]
    assert not torch.allclose(drawn[0][-1], drawn[1][-1], atol=1e-3)


def test_it_takes_no_call_of_the_network_and_counts_the_ranker(model: Path) -> None:
    plain, guided = (prepare(asking(model, PROMPT, scale)) for scale in (0.0, SCALE))
    assert calls(plain) == calls(guided)
    ranker = load_network(describe_network(model / "ranker"))
    assert parameters(guided) - parameters(plain) == sum(p.numel() for p in ranker.parameters()) > 0


@pytest.mark.parametrize(("quality", "said", "scale"), [("standard", None, 30.0), ("draft", None, 5.0),
                                                        ("standard", 0.0, 0.0), ("standard", 7.0, 7.0)])  # fmt: skip
def test_nobody_has_to_say_it(tmp_path: Path, quality: str, said: float | None, scale: float) -> None:
    folder = with_presets(
        tmp_path / "usual",
        standard={**USUAL, "classifier_scale": 30.0},
        draft={**USUAL, "steps": 2, "classifier_scale": 5.0},
    )
    asked_for = Request(PROMPT, model=folder, sampling=Sampling(quality, threads=1, classifier_scale=said))
    assert prepare(asked_for).main.plan.classifier_scale == scale
    assert mz.explain(folder, quality="draft").stages[0].classifier_scale == 5.0
    assert "scale 30" in str(mz.explain(folder))


def test_the_preset_is_for_the_model_alone_and_for_what_begins_from_noise(tmp_path: Path) -> None:
    folder = with_presets(tmp_path / "usual", standard={**USUAL, "classifier_scale": 30.0})
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save("given.png")
    given = Request(PROMPT, model=folder, image=Path("given.png"))
    assert prepare(given).main.plan.classifier_scale == 0
    said = replace(given, sampling=replace(given.sampling, classifier_scale=9.0))
    assert prepare(said).main.plan.classifier_scale == 9
    system = describe_system(folder)
    spec = system.members[0].described.spec
    put_on = [replace(system, **{name: ("any",)}) for name in ("adapters", "attached", "embeddings")]  # type: ignore[arg-type]
    for worn in (*put_on, replace(system, ranker=None)):
        assert classifier_scale(worn, spec, Sampling(), None) == 0
    assert classifier_scale(system, spec, Sampling(), None) == 30


def test_what_was_made_without_a_ranker_is_not_for_runs_that_it_guides(tmp_path: Path) -> None:
    """Of the default kind: its preset has the ranker guide.  A learned solver, and what a frontier recommends."""
    folder = with_presets(tmp_path / "usual", standard={**USUAL, "classifier_scale": 30.0})
    described = describe_system(folder).members[0].described
    theta = 0.1 * torch.randn(Layout(3).size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    solver, u = fixed(theta, torch.linspace(0.98, 0.01, 4, dtype=torch.float64))
    about = (described.name, described.weights_sha256, 2.0, described.spec.shape, "float32")
    write(SideCar(*about, solver, tuple(u.tolist())))
    words = {"standard": {"solver": "ddim", "grid": "", "steps": 2}}
    measured = {"schema": SCHEMA, "weights_sha256": described.weights_sha256, "shape": list(described.spec.shape)}
    write_frontier(frontier_path(described.weights_sha256, 2.0), {**measured, "recommended": words})

    def made(scale: float | None, solver: str | None, **words: Any) -> tuple[int, str]:
        sampling = Sampling(threads=1, solver=solver, classifier_scale=scale)
        job = prepare(Request(PROMPT, model=folder, sampling=sampling, **words))
        return job.main.plan.steps, "; ".join(job.remarks)

    assert made(None, "learned")[0] == STEPS and "without classifier guidance" in made(None, "learned")[1]
    assert made(0.0, "learned") == (3, "")
    assert made(None, None) == (STEPS, "") and made(0.0, None)[0] == 2
    assert made(0.0, "learned", negative_prompt="a blue sofa")[0] == made(0.0, "learned", cache=0.1)[0] == STEPS
    assert made(0.0, None, negative_prompt="a blue sofa")[0] == STEPS
    assert mz.explain(folder, solver="learned").stages[0].steps == STEPS


@pytest.mark.parametrize("value", [-1, "3", None, True, float("inf")])
def test_a_preset_that_is_none_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(ModelError, match=r"sampling\.standard"):
        prepare(Request(PROMPT, model=with_presets(tmp_path / "no", standard={**USUAL, "classifier_scale": value})))


@pytest.mark.parametrize("scale", [-1.0, float("inf"), float("nan")])
def test_scales_out_of_range_are_refused(model: Path, scale: float) -> None:
    with pytest.raises(UsageError, match="expected 0, which is off, or more"):
        prepare(asking(model, PROMPT, scale))


def test_what_has_no_ranker_is_refused_and_off_is_never(tmp_path: Path) -> None:
    plain = save_latent(tmp_path / "plain")
    with pytest.raises(UsageError, match="leave out --classifier-scale"):
        prepare(asking(plain, PROMPT, SCALE))
    assert prepare(asking(plain, PROMPT, 0.0)).main.plan.classifier_scale == 0


def test_where_no_prompt_names_a_product_it_is_off_and_that_is_said(model: Path) -> None:
    job = prepare(asking(model, UNNAMED, SCALE))
    assert job.main.plan.classifier_scale == 0 and any("no kind of product" in note for note in job.notes)
    assert not any("no kind" in note for note in prepare(asking(model, PROMPT, SCALE)).notes)


def test_a_receipt_is_the_same_whatever_else_the_job_asks_for(model: Path) -> None:
    """Also of drafts: of a prompt without a product nothing is chosen and nothing guided."""
    together = prepare(asking(model, (PROMPT, UNNAMED), SCALE, candidates=2))
    first, second = (together.made(picture) for picture in together.pictures)
    alone = [prepare(asking(model, PROMPT, SCALE, candidates=2)), prepare(replace(asking(model, UNNAMED, 0.0), seed=8))]
    assert [first.asset_id, second.asset_id] == [job.made(job.pictures[0]).asset_id for job in alone]
    assert (first.stage.classifier, second.stage.classifier) == (together.ranked(together.main)[1], None)


def test_recipes_of_catalogs_differ_by_what_the_ranker_does(model: Path) -> None:
    ids = [
        Prepared(replace(prepare(asking(model, PROMPT, scale, n)), pictures=()), Nothing, GENERATE).id
        for scale, n in ((SCALE, 1), (SCALE / 2, 1), (0.0, 1), (SCALE, 2))
    ]
    assert len(set(ids)) == 4


def test_the_receipt_says_it_and_is_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = with_presets(tmp_path / "usual", standard={**USUAL, "classifier_scale": 30.0})
    words = ["generate", PROMPT, "--model", str(folder), "--threads", "1", "--quiet", "--seed", "9"]
    seen = set()
    for k, (more, scale) in enumerate(
        (([], 30.0), (["--classifier-scale", "12.5"], 12.5), (["--classifier-scale", "0"], 0))
    ):
        assert run([*words, *more, "--out", str(k)]) == 0
        (receipt,) = Path(f"{k}/receipts").iterdir()
        document = json.loads(receipt.read_text())
        said = document["made"]["stages"][0].get("classifier")
        by = {"scale": scale, "ranker_sha256": sha256_file(folder / "ranker/weights.safetensors")}
        assert said == (by if scale else None)
        found = replay(receipt, have={folder.name: folder})
        assert found.verdict == "exact" and found.factors == ()
        seen.add(document["pixels_sha256"])
    assert len(seen) == 3, "each scale makes a picture of its own"


def test_commands_that_measure_the_network_alone_leave_it_off(tmp_path: Path) -> None:
    folder = with_presets(tmp_path / "usual", standard={**USUAL, "classifier_scale": 30.0})
    job = job_of(Request("", model=folder), Rows(2, 1, (PROMPT,), 2, 0))
    assert job.main.plan.classifier_scale == 0
    tuned = base(load(describe_system(folder)), "cpu", "float32").job((PROMPT,), 0, None)
    assert tuned.main.plan.classifier_scale == 0


def test_what_is_named_counts_by_its_weight_and_what_is_not_by_nothing() -> None:
    answers = [torch.randn(3, n, generator=torch.Generator().manual_seed(n)) for n in (7, 5, 4)]
    asks = {"kind": torch.tensor([2, -1, 6]), "view": torch.tensor([-1, -1, 1]), "colour": torch.tensor([3, -1, -1])}
    logs = [one.double().softmax(-1).log().numpy() for one in answers]
    want = [
        WEIGHTS["kind"] * logs[0][0, 2] + WEIGHTS["colour"] * logs[2][0, 3],
        0.0,
        WEIGHTS["kind"] * logs[0][2, 6] + WEIGHTS["view"] * logs[1][2, 1],
    ]
    np.testing.assert_allclose(log_prob(answers, asks).numpy(), want, rtol=1e-5)
