"""Candidates: of several trajectories of a picture the one is kept that the ranker likes best, and nothing else of it
changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_systems import CARD, KEEP, said, save_latent, save_ranked, with_presets
from torch import Tensor, nn

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.errors import ModelError, UsageError
from mezzotint.files import sha256_file
from mezzotint.making.calls import calls
from mezzotint.making.evaluation import parameters
from mezzotint.making.guidance import shipped_for
from mezzotint.making.image import Progress
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.ranked import Contest, seeds_of
from mezzotint.making.request import Request, Sampling
from mezzotint.making.run import sampled
from mezzotint.nets import build, config_from_dict
from mezzotint.nets.adapters import scaled
from mezzotint.pretrained.distilled import About, Distilled, write
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.pretrained.system import StageSpec, describe_system, save_system
from mezzotint.products.asked import WEIGHTS, Asked, asked
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.replayed import replay
from mezzotint.tensorfile import read_header, read_tensors, write_tensors

PROMPTS = ("a red chair on a white background, side view", "a desk lamp")
N, STEPS, DRAFT = 4, 8, 1  # of three steps a draft has half
USUAL = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 4, "scale": 2.0}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ranked(tmp_path_factory.mktemp("models") / "ranked")


def asking(
    model: Path, prompt: str | tuple[str, ...], candidates: int | None = N, quality: str = "standard", **words: Any
) -> Request:
    return Request(
        prompt, model=model, batch=2, sampling=Sampling(quality, threads=1, candidates=candidates, steps=STEPS), **words
    )


def drafts(request: Request) -> list[Tensor]:
    """The states after the last step of each draft."""
    events = [e for e in sampled(prepare(request)) if isinstance(e, Progress) and e.draft]
    ends = [e.state.x for e in events if e.state.i + 1 == e.state.steps]
    return [x for several in ends for x in several.split(2)]


def pixels(request: Request) -> list[np.ndarray[Any, Any]]:
    return [event.pixels for event in sampled(prepare(request)) if not isinstance(event, Progress)]


def scores(model: Path, states: list[Tensor], prompt: str) -> list[float]:
    """What the ranker says of the first row of each, by its network itself."""
    network, ask = load_network(describe_network(model / "ranker")), asked(prompt)
    assert ask.kind is not None
    found = []
    for x in states:
        kind, view, colour = (one.log_softmax(-1)[0] for one in network(x.float()))
        viewed = 0 if ask.view is None else WEIGHTS["view"] * float(view[ask.view])
        coloured = 0 if ask.colour is None else WEIGHTS["colour"] * float(colour[ask.colour])
        found.append(WEIGHTS["kind"] * float(kind[ask.kind]) + viewed + coloured)
    return found


@pytest.mark.parametrize(("prompt", "seed"), [(PROMPTS[0], 8), (PROMPTS[1], 7)])  # of the first the colour decides
def test_the_draft_that_the_ranker_likes_best_is_made_and_it_is_the_picture_of_its_own_seed(
    model: Path, prompt: str, seed: int
) -> None:
    seeds = seeds_of((seed,), 0) + tuple(seeds_of((seed,), k)[0] for k in range(1, N))
    apart = [pixels(asking(model, prompt, 1, seed=own))[0] for own in seeds]
    states = drafts(asking(model, prompt, seed=seed))
    best = int(np.argmax(scores(model, states, prompt)))
    (kept,) = pixels(asking(model, prompt, seed=seed))
    assert len(states) == N and len({a.tobytes() for a in apart}) == N
    assert np.array_equal(kept, apart[best])


def test_a_draft_is_the_picture_of_the_preset_draft(model: Path) -> None:
    quick = Request(PROMPTS[0], model=model, batch=2, seed=7, sampling=Sampling("draft", threads=1, candidates=1))
    (made,) = [e.state for e in sampled(prepare(quick)) if isinstance(e, Progress) and e.state.i + 1 == e.state.steps]
    first = drafts(asking(model, PROMPTS[0], seed=7))[0]
    assert made.steps == DRAFT < STEPS and torch.allclose(made.x[0], first[0], atol=1e-5)


def test_where_a_picture_takes_no_more_steps_than_a_draft_drafts_are_as_it_is(model: Path) -> None:
    for words in ({"steps": DRAFT, "scale": 2.5}, {"quality": "draft"}):
        plan = prepare(Request(PROMPTS[0], model=model, sampling=Sampling(threads=1, candidates=N, **words))).main.plan
        assert plan.draft is not None and (plan.draft.steps, plan.draft.scale) == (plan.steps, plan.scale)


def test_some_prompt_keeps_another_than_the_first(model: Path) -> None:
    """Else the test before could not tell a ranker from none."""
    found = [scores(model, drafts(asking(model, PROMPTS[0], seed=s)), PROMPTS[0]) for s in (7, 8, 9)]
    assert {int(np.argmax(one)) for one in found} != {0}


@pytest.mark.parametrize(("quality", "said", "n"), [("standard", None, 3), ("draft", None, 1), ("best", None, 5),
                                                    ("standard", 1, 1), ("draft", 2, 2)])  # fmt: skip
def test_nobody_has_to_say_it(tmp_path: Path, quality: str, said: int | None, n: int) -> None:
    usual = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 6}
    folder = with_presets(
        tmp_path / "usual",
        standard={**usual, "candidates": 3},
        draft={**usual, "steps": 3},
        best={**usual, "candidates": 5},
    )
    how = Sampling(quality, threads=1, candidates=said)
    plan = prepare(Request(PROMPTS[0], model=folder, sampling=how)).main.plan
    assert plan.candidates == n and (plan.draft is None) == (n == 1)
    with pytest.raises(ModelError, match=r"sampling\.standard"):
        prepare(Request(PROMPTS[0], model=with_presets(tmp_path / "no", standard={**usual, "candidates": 0})))


def test_the_preset_is_for_what_can_choose_and_for_what_begins_from_noise(tmp_path: Path) -> None:
    usual = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 6, "candidates": 3}
    folder = with_presets(tmp_path / "usual", standard=usual)
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save("given.png")
    assert prepare(Request(PROMPTS[0], model=folder)).main.plan.candidates == 3
    assert prepare(Request(PROMPTS[0], model=folder, image=Path("given.png"))).main.plan.candidates == 1
    system = json.loads((folder / "system.json").read_text())
    (folder / "system.json").write_text(json.dumps({k: v for k, v in system.items() if k != "ranker"}))
    assert prepare(Request(PROMPTS[0], model=folder)).main.plan.candidates == 1


def test_a_picture_does_not_depend_on_its_batch_mates(model: Path) -> None:
    together = pixels(asking(model, PROMPTS, seed=7))
    alone = [pixels(asking(model, prompt, seed=7 + k))[0] for k, prompt in enumerate(PROMPTS)]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_calls_steps_and_cost_count_every_draft(model: Path) -> None:
    job, alone = prepare(asking(model, PROMPTS)), prepare(asking(model, PROMPTS, 1))
    quick = prepare(Request(PROMPTS, model=model, batch=2, sampling=Sampling("draft", threads=1, candidates=1)))
    events = list(sampled(job))
    steps = [e for e in events if isinstance(e, Progress)]
    assert calls(job) == N * calls(quick) + calls(alone) and job.total == quick.total + alone.total
    assert [e.done for e in steps] == list(range(1, job.total + 1)) and {e.total for e in steps} == {job.total}
    assert [e.draft for e in steps] == [True] * quick.total + [False] * alone.total
    (image, _) = (e for e in events if not isinstance(e, Progress))
    assert image.receipt.cost["calls"] == calls(job)


def with_guidance(folder: Path, low: float, high: float, shape: tuple[int, ...] = (4, 4, 4)) -> Path:
    """A model's own folder with a change of its weights, of any kind, for scales from low to high."""
    denoiser = describe_system(folder).members[0].described
    known = scaled.weights(build(config_from_dict(dict(denoiser.spec.net))))
    theta = scaled.begun(known, 2, 0)
    changes = scaled.parted(theta + 0.3 * torch.randn(len(theta), generator=torch.Generator().manual_seed(1)), known, 2)
    about = About("ranked", denoiser.weights_sha256, (low, high), None, shape, "float32")
    path = write(about, changes, torch.float32)
    (folder / "denoiser/guidance").mkdir()
    return path.rename(folder / "denoiser/guidance" / path.name)


def drawn(model: Path, **words: Any) -> Any:
    return prepare(asking(model, PROMPTS[0], **words)).main.plan


def test_drafts_take_one_call_a_step_where_guidance_came_with_the_model(tmp_path: Path) -> None:
    model = save_ranked(tmp_path / "ranked")
    before, usual = drawn(model), drafts(asking(model, PROMPTS[0], seed=7))
    path = with_guidance(model, 1.5, 2.5)
    plan, by = drawn(model), sha256_file(path)
    assert before.draft.guidance is None and plan.draft.guidance.said == {"name": "distilled", "sha256": by}
    assert plan.guidance is None, "what is made is guided as before"
    whole, quick = prepare(asking(model, PROMPTS[0], 1)), plan.draft.calls
    assert calls(prepare(asking(model, PROMPTS[0]))) == N * sum(quick) + calls(whole)
    assert not torch.allclose(drafts(asking(model, PROMPTS[0], seed=7))[0], usual[0], atol=1e-3)
    made = mz.generate(PROMPTS[0], model=model, seed=9, threads=1, candidates=N).images[0].receipt.made
    assert made.stage.candidates is not None and made.stage.candidates["guidance"] == plan.draft.guidance.said
    assert made.stage.guidance is None


def test_drafts_are_guided_as_usual_where_that_does_not_fit(tmp_path: Path) -> None:
    model = save_ranked(tmp_path / "ranked")
    path = with_guidance(model, 2.0, 2.0)
    assert drawn(model).draft.guidance is not None
    assert drawn(model, negative_prompt="a lamp").draft.guidance is None
    system = describe_system(model)
    worn: Any = replace(system, adapters=("any",))  # type: ignore[arg-type]
    spec = system.members[0].described.spec
    assert shipped_for(system, spec, 2.0) is not None and shipped_for(worn, spec, 2.0) is None
    path.unlink()
    (model / "denoiser/guidance").rmdir()
    for scales, shape in (((2.5, 3.0), (4, 4, 4)), ((2.0, 2.0), (4, 8, 8))):
        other = with_guidance(model, *scales, shape)
        assert drawn(model).draft.guidance is None
        other.unlink()
        other.parent.rmdir()


def test_guidance_at_home_draws_no_drafts_and_a_file_for_other_weights_is_refused(tmp_path: Path) -> None:
    model = save_ranked(tmp_path / "ranked")
    path = with_guidance(model, 2.0, 2.0)
    sha = describe_system(model).members[0].described.weights_sha256
    own = tmp_path / "home" / "guidance" / sha[:32] / path.name
    own.write_bytes(path.read_bytes())
    path.unlink()
    assert drawn(model).draft.guidance is None, "what somebody's home holds would change whose draft is made"
    assert drawn(model, guidance="distilled").guidance is not None
    header, tensors = read_header(own), read_tensors(own)
    said = json.loads(header.metadata["mezzotint"]) | {"weights_sha256": "0" * 64}
    write_tensors(path, tensors, {**header.metadata, "mezzotint": json.dumps(said)})
    with pytest.raises(ModelError, match=r"was made for .* delete the file"):
        drawn(model)


def taken_out(path: Path, to: Path) -> Path:
    """A file out of a model's folder."""
    own = path.rename(to)
    path.parent.rmdir()
    return own


def test_drafts_are_guided_by_what_is_named_for_the_picture_where_it_holds_for_them(tmp_path: Path) -> None:
    model = save_ranked(tmp_path / "ranked")
    both = taken_out(with_guidance(model, 1.5, 3.0), tmp_path / "both.safetensors")
    high = taken_out(with_guidance(model, 3.0, 3.0), tmp_path / "high.safetensors")
    came = with_guidance(model, 2.0, 2.0)
    for file, drafts_by in ((both, both), (high, came)):
        how = Sampling(threads=1, candidates=N, steps=STEPS, scale=3.0)
        plan = prepare(Request(PROMPTS[0], model=model, guidance=f"distilled:from={file}", sampling=how)).main.plan
        assert isinstance(plan.guidance, Distilled) and plan.guidance.sha256 == sha256_file(file)
        assert plan.draft is not None and plan.draft.scale == 2 and isinstance(plan.draft.guidance, Distilled)
        assert plan.draft.guidance.sha256 == sha256_file(drafts_by)


def test_explain_says_what_is_drawn(tmp_path: Path) -> None:
    usual = {**USUAL, "candidates": 3}
    folder = with_presets(tmp_path / "usual", standard=usual, draft={**usual, "steps": 3, "candidates": 1})
    found = mz.explain(folder)
    job = prepare(Request(PROMPTS[0], model=folder))
    assert found.calls == found.stages[0].calls == calls(job) == 2 * (3 * 3 + 4)
    assert "drafts   3 of 3 steps" in str(found) and "drafts" not in str(mz.explain(folder, quality="draft"))


def test_the_ranker_is_counted_where_it_chooses(model: Path) -> None:
    chosen, alone = (parameters(prepare(asking(model, PROMPTS[0], n))) for n in (2, 1))
    ranker = load_network(describe_network(model / "ranker"))
    assert chosen - alone == sum(p.numel() for p in ranker.parameters()) > 0


def test_the_receipt_says_it_and_is_made_again(model: Path) -> None:
    folder = with_presets(model.parent / "usual", standard={**USUAL, "candidates": 3})
    words = ["generate", PROMPTS[0], "--model", str(folder), "--threads", "1", "--quiet", "--seed", "9"]
    for k, more in enumerate(([], ["--candidates", "2"], ["--candidates", "1"])):
        assert run([*words, *more, "--out", str(k)]) == 0
        (receipt,) = Path(f"{k}/receipts").iterdir()
        found = replay(receipt, have={folder.name: folder})
        assert found.verdict == "exact" and found.factors == ()
        of = json.loads(receipt.read_text())["made"]["stages"][0].get("candidates", {"of": 1})["of"]
        assert of == (3, 2, 1)[k]
    made = mz.generate(PROMPTS[0], model=model, seed=9, threads=1, candidates=N).images[0].receipt.made
    digest = describe_system(model).ranker
    assert digest is not None and made.stage.candidates == {
        "of": N, "ranker_sha256": digest.weights_sha256, "solver": made.stage.solver, "steps": DRAFT, "scale": 2.0
    }  # fmt: skip


def test_one_candidate_is_as_if_nobody_said_it(model: Path, tmp_path: Path) -> None:
    plain = save_latent(tmp_path / "ranked")
    one, other = (mz.generate(PROMPTS[0], model=m, seed=3, threads=1).images[0] for m in (model, plain))
    assert one.receipt.made.asset_id == other.receipt.made.asset_id and np.array_equal(one.pixels, other.pixels)


def test_of_a_prompt_that_names_no_product_the_first_is_kept_and_that_is_said(model: Path) -> None:
    job = prepare(asking(model, ("something blue", PROMPTS[0]), seed=7))
    assert any("not asked of them" in note and "'something blue'" in note for note in job.notes)
    assert job.main.plan.candidates == N
    assert not any("no kind" in note for note in prepare(asking(model, PROMPTS)).notes)
    (kept, _), (first,) = (
        pixels(asking(model, ("something blue", PROMPTS[0]), seed=7)),
        pixels(asking(model, "something blue", 1, seed=7)),
    )
    assert np.array_equal(kept, first)


def test_where_no_prompt_names_a_product_nothing_is_drafted_and_that_is_said(model: Path) -> None:
    job = prepare(asking(model, ("something blue", "a thing"), seed=7))
    assert any("so it is not asked:" in note and "'a thing'" in note for note in job.notes)
    assert job.main.plan.draft is None and calls(job) == calls(prepare(asking(model, PROMPTS, 1)))
    (image, _) = (e for e in sampled(job) if not isinstance(e, Progress))
    assert image.receipt.made.stage.candidates is None
    (alone,) = pixels(asking(model, "something blue", 1, seed=7))
    assert np.array_equal(image.pixels, alone)


@pytest.mark.parametrize("n", [0, -1, 65])
def test_numbers_out_of_range_are_refused(model: Path, n: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 64"):
        prepare(asking(model, PROMPTS, n))


def test_what_cannot_choose_is_refused(tmp_path: Path) -> None:
    plain = save_latent(tmp_path / "plain")
    with pytest.raises(UsageError, match="has no ranker"):
        prepare(asking(plain, PROMPTS))


def test_a_ranker_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = save_latent(tmp_path / "wrong")
    for name, words in (("../auto", "must be the name"), ("auto", "holds no ranker")):
        save = (folder, (StageSpec("denoiser", KEEP),), CARD, 0, said())
        with pytest.raises(ModelError, match=words):
            save_system(*save, name)


class Says(nn.Module):
    """A ranker that says of each row what its first number is."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        level = x[:, 0, 0, 0]
        return torch.stack([level, torch.zeros_like(level)], 1), torch.zeros(len(x), 2), torch.zeros(len(x), 2)


GIVEN = (1.0, float("nan"), 5.0, 3.0, 2.0, 9.0, 2.0, float("nan"), 9.0)


@pytest.mark.parametrize(("abreast", "rows"), [(1, [3, 3, 3]), (2, [6, 3]), (8, [9])])
def test_rows_are_chosen_one_by_one_and_no_number_loses(abreast: int, rows: list[int]) -> None:
    said = dict(zip([s for k in range(3) for s in seeds_of((1, 2, 3), k)], GIVEN, strict=True))

    def walk(seeds: tuple[int, ...]) -> Any:
        level = torch.tensor([said[seed] for seed in seeds])
        yield SimpleNamespace(x=level[:, None, None, None].expand(-1, 1, 2, 2).clone())

    contest = Contest(Says(), [Asked(0, None), Asked(0, 1), Asked(None, None)], 3, (1, 2, 3), abreast)
    assert [len(s.x) for s in contest.of(walk)] == rows
    assert contest.seeds == (*seeds_of((1, 2), 1), 3)


def test_drafts_that_are_drawn_at_once_are_those_that_are_drawn_apart(model: Path) -> None:
    job = prepare(asking(model, PROMPTS, 5, seed=7))
    assert (job.rows, job.abreast) == (2, 4)

    def ends(one: Job) -> list[Tensor]:
        states = [e.state for e in sampled(one) if isinstance(e, Progress) and e.draft]
        return [x for s in states if s.i + 1 == s.steps for x in s.x.split(2)]

    once, apart = ends(job), ends(replace(job, abreast=1))
    assert len(once) == len(apart) == 5 and len({x.sum().item() for x in once}) == 5
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(once, apart, strict=True))
    assert job.total == replace(job, abreast=1).total - 3 * DRAFT


def test_batches_of_many_rows_and_compiled_ones_draw_one_draft_at_a_time(model: Path) -> None:
    many = Request(PROMPTS[0], model=model, n=9, sampling=Sampling(threads=1, candidates=2))
    assert prepare(many).abreast == 1
    assert prepare(replace(asking(model, PROMPTS), compiled=True)).abreast == 1


def test_a_film_is_of_the_one_that_is_made(model: Path) -> None:
    words = ["generate", PROMPTS[0], "--model", str(model), "--threads", "1", "--seed", "7", "--film", "--quiet"]
    frames = []
    for out, more in (("several", ["--candidates", str(N)]), ("one", ["--candidates", "1"])):
        assert run([*words, *more, "--out", out]) == 0
        (film,) = Path(out).glob("*.webp")
        with Image.open(film) as picture:
            frames.append(getattr(picture, "n_frames", 1))
    assert frames[0] == frames[1] > 1


def test_what_is_heard_of_the_first_step_is_of_the_one_that_is_made(model: Path) -> None:
    made = [e for e in sampled(prepare(asking(model, PROMPTS[0], seed=7, n=3))) if not isinstance(e, Progress)]
    assert len(made) == 3  # in two batches
    for k, kept in enumerate(made):
        best = int(np.argmax(scores(model, drafts(asking(model, PROMPTS[0], seed=7 + k)), PROMPTS[0])))
        own = asking(model, PROMPTS[0], 1, seed=seeds_of((7 + k,), best)[0])
        (alone,) = [e for e in sampled(prepare(own)) if not isinstance(e, Progress)]
        first = kept.receipt.first_step
        assert first is not None and "apart" in first and first == alone.receipt.first_step


def test_seeds_of_candidates_are_apart_and_in_range() -> None:
    last = 2**63 - 1
    found = [seed for k in range(64) for seed in seeds_of((0, 1, 999_999, 1_000_000, last), k)]
    assert len(set(found)) == len(found) and all(0 <= seed <= last for seed in found)
    assert seeds_of((5, 6), 0) == (5, 6)


@pytest.mark.parametrize(
    ("text", "kind", "view", "colour"),
    [
        ("a red armchair on a beige background, side view", "armchair", "side", "red"),
        ("Two CHAIRS seen from behind", "chair", "back", None),
        ("front view of a desk lamp on a desk", "desk lamp", "front", None),
        ("a couch", "sofa", None, None),
        ("an armchair on a red background", "armchair", None, None),
        ("on a red backdrop, an armchair", "armchair", None, None),
        ("against a beige background a Crimson leather armchair", "armchair", None, "red"),
        ("a grey, then a sand-coloured armchair", "armchair", None, "beige"),
        ("a coloured armchair", "armchair", None, None),
        ("a wooden thing in profile", None, "side", None),
        ("a red thing", None, None, None),
        ("chairman", None, None, None),
    ],
)
def test_what_a_prompt_names(text: str, kind: str | None, view: str | None, colour: str | None) -> None:
    found = asked(text)
    assert (None if found.colour is None else NAMES[found.colour]) == colour
    assert (None if found.kind is None else kinds()[found.kind]) == kind
    assert (None if found.view is None else VIEW_NAMES[found.view]) == view


def test_a_picture_that_is_begun_from_another_is_chosen_too(model: Path) -> None:
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save("given.png")
    words = {"image": Path("given.png"), "strength": 0.7, "seed": 5}
    states = drafts(asking(model, PROMPTS[0], **words))
    (kept,) = pixels(asking(model, PROMPTS[0], **words))
    best = int(np.argmax(scores(model, states, PROMPTS[0])))
    (alone,) = pixels(asking(model, PROMPTS[0], 1, **{**words, "seed": seeds_of((5,), best)[0]}))
    assert np.array_equal(kept, alone)
