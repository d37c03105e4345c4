"""Candidates: of several trajectories of a picture the one is kept that the ranker likes best, and nothing else of it
changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_systems import CARD, KEEP, said, save_latent, save_ranked
from torch import Tensor, nn

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.errors import ModelError, UsageError
from mezzotint.making.calls import calls
from mezzotint.making.evaluation import parameters
from mezzotint.making.image import Progress
from mezzotint.making.prepare import prepare
from mezzotint.making.ranked import COLOUR, VIEW, Contest, seeds_of
from mezzotint.making.request import Request, Sampling
from mezzotint.making.run import sampled
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.pretrained.system import StageSpec, describe_system, save_system
from mezzotint.products.asked import Asked, asked
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.replayed import replay

PROMPTS = ("a red chair on a white background, side view", "a desk lamp")
N = 4


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ranked(tmp_path_factory.mktemp("models") / "ranked")


def asking(model: Path, prompt: str | tuple[str, ...], candidates: int = N, **words: Any) -> Request:
    return Request(prompt, model=model, batch=2, sampling=Sampling(threads=1, candidates=candidates), **words)


def ends(request: Request) -> list[Tensor]:
    """The states after the last step of each trajectory."""
    events = [e for e in sampled(prepare(request)) if isinstance(e, Progress)]
    return [e.state.x for e in events if e.state.i + 1 == e.state.steps]


def pixels(request: Request) -> list[np.ndarray[Any, Any]]:
    return [event.pixels for event in sampled(prepare(request)) if not isinstance(event, Progress)]


def scores(model: Path, states: list[Tensor], prompt: str) -> list[float]:
    """What the ranker says of the first row of each, by its network itself."""
    network, ask = load_network(describe_network(model / "ranker")), asked(prompt)
    assert ask.kind is not None
    found = []
    for x in states:
        kind, view, colour = (one.log_softmax(-1)[0] for one in network(x.float()))
        viewed = 0 if ask.view is None else VIEW * float(view[ask.view])
        found.append(float(kind[ask.kind]) + viewed + (0 if ask.colour is None else COLOUR * float(colour[ask.colour])))
    return found


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_best_by_the_ranker_is_kept_and_it_is_the_picture_of_its_own_seed(model: Path, prompt: str) -> None:
    seeds = seeds_of((7,), 0) + tuple(seeds_of((7,), k)[0] for k in range(1, N))
    apart = [pixels(asking(model, prompt, 1, seed=seed))[0] for seed in seeds]
    states = ends(asking(model, prompt, seed=7))
    best = int(np.argmax(scores(model, states, prompt)))
    (kept,) = pixels(asking(model, prompt, seed=7))
    assert len(states) == N and len({a.tobytes() for a in apart}) == N
    assert np.array_equal(kept, apart[best])


def test_some_prompt_keeps_another_than_the_first(model: Path) -> None:
    """Else the test before could not tell a ranker from none."""
    found = [scores(model, ends(asking(model, PROMPTS[0], seed=s)), PROMPTS[0]) for s in (7, 8, 9)]
    assert {int(np.argmax(one)) for one in found} != {0}


def test_a_picture_does_not_depend_on_its_batch_mates(model: Path) -> None:
    together = pixels(asking(model, PROMPTS, seed=7))
    alone = [pixels(asking(model, prompt, seed=7 + k))[0] for k, prompt in enumerate(PROMPTS)]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_calls_steps_and_cost_count_every_candidate(model: Path) -> None:
    job, alone = prepare(asking(model, PROMPTS)), prepare(asking(model, PROMPTS, 1))
    events = list(sampled(job))
    steps = [e for e in events if isinstance(e, Progress)]
    assert calls(job) == N * calls(alone) and job.total == N * alone.total
    assert [e.done for e in steps] == list(range(1, job.total + 1)) and {e.total for e in steps} == {job.total}
    (image, _) = (e for e in events if not isinstance(e, Progress))
    assert image.receipt.cost["calls"] == calls(job)


def test_the_ranker_is_counted_where_it_chooses(model: Path) -> None:
    chosen, alone = (parameters(prepare(asking(model, PROMPTS[0], n))) for n in (2, 1))
    ranker = load_network(describe_network(model / "ranker"))
    assert chosen - alone == sum(p.numel() for p in ranker.parameters()) > 0


def test_the_receipt_says_it_and_is_made_again(model: Path) -> None:
    words = ["generate", PROMPTS[0], "--model", str(model), "--threads", "1", "--quiet", "--out", "o", "--seed", "9"]
    assert run([*words, "--candidates", str(N)]) == 0
    (receipt,) = Path("o/receipts").iterdir()
    found = replay(receipt, have={model.name: model})
    assert found.verdict == "exact" and found.factors == ()
    made = mz.generate(PROMPTS[0], model=model, seed=9, threads=1, candidates=N).images[0].receipt.made
    digest = describe_system(model).ranker
    assert digest is not None and made.stage.candidates == {"of": N, "ranker_sha256": digest.weights_sha256}


def test_one_candidate_is_as_if_nobody_said_it(model: Path, tmp_path: Path) -> None:
    plain = save_latent(tmp_path / "ranked")
    one, other = (mz.generate(PROMPTS[0], model=m, seed=3, threads=1).images[0] for m in (model, plain))
    assert one.receipt.made.asset_id == other.receipt.made.asset_id and np.array_equal(one.pixels, other.pixels)


def test_of_a_prompt_that_names_no_product_the_first_is_kept_and_that_is_said(model: Path) -> None:
    job = prepare(asking(model, "something blue", seed=7))
    assert any("first candidate" in note and "'something blue'" in note for note in job.notes)
    assert not any("first candidate" in note for note in prepare(asking(model, PROMPTS)).notes)
    (kept,), (first,) = (
        pixels(asking(model, "something blue", seed=7)),
        pixels(asking(model, "something blue", 1, seed=7)),
    )
    assert np.array_equal(kept, first)


@pytest.mark.parametrize("n", [0, -1, 65])
def test_numbers_out_of_range_are_refused(model: Path, n: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 64"):
        prepare(asking(model, PROMPTS, n))


def test_what_cannot_choose_is_refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = save_latent(tmp_path / "plain")
    with pytest.raises(UsageError, match="has no ranker"):
        prepare(asking(plain, PROMPTS))
    assert run(["generate", PROMPTS[0], "--model", str(model), "--candidates", "2", "--film"]) == 2
    assert "a film follows one trajectory" in capsys.readouterr().err


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


def offered(contest: Contest, levels: list[list[float]], apart: list[list[float]]) -> Tensor:
    """What is kept of candidates whose rows begin with these numbers."""
    given = iter(zip(levels, apart, strict=True))

    def walk(seeds: tuple[int, ...]) -> Any:
        level, moved = next(given)
        assert contest.heard is not None and contest.heard.apart is None
        contest.heard.apart = torch.tensor(moved)
        x = torch.tensor(level)[:, None, None, None].expand(-1, 1, 2, 2).clone()
        yield SimpleNamespace(x=x)

    assert [len(s.x) for s in contest.of(walk, (1, 2, 3))] == [3] * len(levels)
    return contest.best[:, 0, 0, 0]


def test_rows_are_chosen_one_by_one_with_what_was_heard_of_them_and_no_number_loses() -> None:
    heard, nan = Heard(0.0), float("nan")
    contest = Contest(3, Says(), [Asked(0, None), Asked(0, 1), Asked(None, None)], heard)
    kept = offered(contest, [[1.0, nan, 5.0], [3.0, 2.0, 9.0], [2.0, nan, 9.0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert kept.tolist() == [3.0, 2.0, 5.0]
    assert heard.apart is not None and heard.apart.tolist() == [4, 5, 3]


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
    states = ends(asking(model, PROMPTS[0], **words))
    (kept,) = pixels(asking(model, PROMPTS[0], **words))
    best = int(np.argmax(scores(model, states, PROMPTS[0])))
    (alone,) = pixels(asking(model, PROMPTS[0], 1, **{**words, "seed": seeds_of((5,), best)[0]}))
    assert np.array_equal(kept, alone)
