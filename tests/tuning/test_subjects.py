"""Several subjects in one run: evidence of each alone, and a fault of one is not made up for by another."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_choose import BASE, exactly, moment
from test_evidence import BLUE, RED, SIDE, N, blots, picture_of, product
from tuning_case import photographs

from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.evaluation.page import image
from mezzotint.making.tuned.base import base
from mezzotint.making.tuned.learn import lesson, tunable_of
from mezzotint.making.tuned.shoots import shoots
from mezzotint.making.tuned.wish import Wish
from mezzotint.pretrained.model import load
from mezzotint.tuning.choose import CAUTION, RULE, Choice, choose
from mezzotint.tuning.curves import Loss
from mezzotint.tuning.evidence import Pictures, evidence, marks, parted, real, together
from mezzotint.tuning.nearest import Nearest
from mezzotint.tuning.photos import Photo, read_shoot
from mezzotint.tuning.prompts import BACKGROUNDS, OTHER, asked_of, prompts_of
from mezzotint.tuning.report import Found, document, page, text
from mezzotint.tuning.scenes import Sittings
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.warn import warnings
from mezzotint.tuning.words import Subject

MUG, CUP = Subject("acme mug", "mug"), Subject("zorb cup", "cup")
QUESTIONS = asked_of([MUG, CUP], "", N, "white")
NAMES = [BACKGROUNDS[k % len(BACKGROUNDS)] for k in range(N)]


@pytest.fixture(scope="module")
def features() -> Features:
    return extractor(2 * DEFAULT_SIZE)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Photo, ...]]:
    """Of a blue mug and of a red one."""
    place = tmp_path_factory.mktemp("two")
    return [read_shoot(photographs(place / str(k), 4, hue=hue), 2 * SIDE).photos for k, hue in enumerate((BLUE, RED))]


def test_every_subject_has_its_own_pictures_and_other_things_are_shared() -> None:
    prompts = prompts_of(QUESTIONS)
    assert len(prompts) == 7 * N and prompts[-N:] == QUESTIONS[0].other == QUESTIONS[1].other
    images = torch.arange(7 * N, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 2, 2)
    for k, (made, asked) in enumerate(zip(parted(images, QUESTIONS), QUESTIONS, strict=True)):
        said = [prompts[i] for i in torch.cat([made.subject, made.behind, made.painted])[:, 0, 0, 0].tolist()]
        assert tuple(said) == asked.own and all((MUG, CUP)[k].name in prompt for prompt in said)
        assert [prompts[i] for i in made.other[:, 0, 0, 0].tolist()] == list(asked.other)


def test_other_things_are_of_no_subject_s_kind() -> None:
    assert "a cup of coffee on a saucer" in OTHER and "a cup of coffee on a saucer" not in QUESTIONS[0].other
    for kinds in (("mug",), ("mug", "chair")):
        (*_, asked) = asked_of([Subject(f"acme {kind}", kind) for kind in kinds], "products", 2000, "white")
        assert not {f"a {kind} on a white background" for kind in kinds} & set(asked.other)
    assert asked_of([Subject("acme a", "a")], "", 3, "white")[0].other == OTHER[:3]  # a kind that is in everything


def test_together_is_all_pictures_and_each_its_own(photos: list[tuple[Photo, ...]], features: Features) -> None:
    """The first subject is as photographed, the second is shown as the first and never as asked."""
    mugs = photos[0]
    good = Pictures(product(mugs, ["white"] * N), product(mugs, NAMES), blots(3), blots(1))
    wrong = replace(good, behind=product(mugs, NAMES[1:] + NAMES[:1]))
    own = [
        marks(made, asked, real(shot[:2], shot[2:], SIDE, "white"), features)
        for made, asked, shot in zip((good, wrong), QUESTIONS, photos, strict=True)
    ]
    mug, cup, both = evidence(own[0]), evidence(own[1]), evidence(together(own))
    assert mug.adherence.value == 1 and cup.adherence.value == 0 and both.adherence.value == 0.5
    assert mug.fidelity.low > cup.fidelity.high and both.fidelity.n == 2 * N
    assert both.fidelity.value == pytest.approx((mug.fidelity.value + cup.fidelity.value) / 2)
    assert mug.colour is not None and cup.colour is not None and mug.colour.high < cup.colour.low


def test_colours_together_are_of_those_that_have_masks(photos: list[tuple[Photo, ...]], features: Features) -> None:
    made = Pictures(product(photos[0], ["white"] * N), product(photos[0], NAMES), blots(3), blots(1))
    bare = tuple(replace(photo, mask=None) for photo in photos[1])
    own = [
        marks(made, asked, real(shot, shot, SIDE, "white"), features)
        for asked, shot in zip(QUESTIONS, (photos[0], bare), strict=True)
    ]
    found = evidence(together(own)).colour
    assert own[1].colours is None and found is not None and found.n == N


def test_a_copied_photograph_of_one_subject_is_that_subject_s(
    photos: list[tuple[Photo, ...]], features: Features
) -> None:
    planted = blots(5)
    planted[3] = picture_of(photos[1][3])
    pictures = (
        Pictures(blots(4), product(photos[0], NAMES), blots(3), blots(1)),
        Pictures(planted, blots(2), blots(3), blots(1)),
    )
    own = [
        evidence(marks(made, asked, real(shot[:2], shot[2:], SIDE, "white"), features))
        for made, asked, shot in zip(pictures, QUESTIONS, photos, strict=True)
    ]
    assert own[0].copies.value == 0 and own[1].copies.value == pytest.approx(1 / (3 * N))
    said = warnings(Choice(1, True, "why"), {s.name: {1: one} for s, one in zip((MUG, CUP), own, strict=True)})
    assert said == ("zorb cup: 3% of the pictures are copies of photographs: over-fitted, use fewer steps",)


def test_a_fault_of_one_subject_is_not_made_up_for_by_another() -> None:
    good = {1: moment(0.3), 2: moment(0.9)}
    for bad in (moment(0.9, copies=0.1), moment(0.9, adherence=0.5)):
        kept = choose({0: BASE, **good}, {0: BASE, 1: moment(0.3), 2: bad})
        assert kept.step == 1 and kept.kept
    assert choose({0: BASE, **good}, {0: BASE, 1: moment(0.5), 2: moment(0.1)}).step == 2  # 1.0 against 0.8
    assert "of every subject" in RULE


def found(*names: str) -> Found:
    """A report of one moment, each subject a little more faithful than the one before."""
    each = {name: {0: BASE, 5: moment(0.5 + k / 10)} for k, name in enumerate(names)}
    whole = {0: BASE, 5: moment(0.55)}
    near = {name: Nearest(exactly(0.4), 0.7, f"{name}.png") for name in names}
    kept = Choice(5, True, "kept")
    return Found(names, "tiny", "all", whole, each, kept, {5: Loss(4, 0.25)}, near, None, (), {}, (1.0, 1.0), "use")


def test_reports_say_each_subject_s() -> None:
    two, one = found("acme mug", "zorb <cup>"), found("acme mug")
    read = document(two)["each"]
    assert read["acme mug"]["5"]["fidelity"]["value"] == 0.5 and read["zorb <cup>"]["5"]["fidelity"]["value"] == 0.6
    lines = text(two).splitlines()
    k = next(k for k, line in enumerate(lines) if line.startswith("  like the photographs"))
    assert [line.split()[:2] for line in lines[k + 1 : k + 3]] == [["acme", "mug"], ["zorb", "<cup>"]]
    assert f"{exactly(0.6)}" in lines[k + 2] and text(two).count("(acme mug)") == 1
    assert text(two).count("    acme mug") == 6  # of drift there is one
    assert page(two, {}).count("<h2>zorb &lt;cup&gt;</h2>") == 1 and "<h2>acme mug</h2>" not in page(one, {})
    assert text(one).count("acme mug") == 1 and image(b"", "x")  # its nearest photograph's name
    assert (
        CAUTION in page(one, {}) and "0.25 after 4" in text(one) and page(two, {}).count("<td>0.25 after 4</td>") == 1
    )
    assert read["acme mug"].keys() == {"0", "5"} and document(two)["nearest"]["zorb <cup>"]["most"] == 0.7
    assert "zorb &lt;cup&gt;.png" in page(two, {}) and "<cup>" not in page(two, {})


def test_the_loss_is_measured_on_every_subject(cascade: Path, photos: list[tuple[Photo, ...]]) -> None:
    """Of the one with photographs held apart on those, of the other on scenes that are not learnt from."""
    model, said = base(load(cascade), "cpu", "float32"), Settings(Method("lora", 2), 2, 2, moments=1)
    (*mugs, held), cups = photos
    plan = lesson(model, tunable_of(model, said.method), {MUG: mugs, CUP: cups}, {MUG: [held], CUP: ()}, (), said)
    measured = plan.data.held_out
    assert isinstance(measured, Sittings) and dict(measured.photos) == {MUG: [held], CUP: cups}


@pytest.mark.slow
def test_a_run_of_two_has_evidence_of_both(cascade: Path, shoot: Path, tmp_path: Path) -> None:
    import mezzotint as mz

    red, seen = photographs(tmp_path / "red", 1, hue=RED), []
    made = mz.tune(
        shoot, name="acme mug", also=(f"{red}=zorb cup:cup",), model=cascade, out=tmp_path / "o", steps=2, batch=2,
        moments=1, n=2, prior_pictures=2, rank=2, dtype="float32", pictured=lambda *told: seen.append(told),
    )  # fmt: skip
    assert made.found is not None and list(made.found.each) == ["acme mug", "zorb cup"]
    kept = [of[made.found.choice.step] for of in made.found.each.values()]
    assert all(one.gain is not None and one.fidelity.n == 2 for one in kept) and kept[0] != kept[1]
    assert kept[0].drift == kept[1].drift == made.found.evidence[made.found.choice.step].drift
    assert any(note.startswith("zorb cup: one photograph") for note in made.found.notes)
    assert len(list((tmp_path / "o").glob("sheet-*.png"))) == 7  # of each three, and of other things
    assert "<h2>zorb cup</h2>" in (tmp_path / "o/report.html").read_text()
    # Of what the base makes first 2 pictures, then of the base twice and one moment 14 each.
    assert seen[0][0] == "what the base makes" and ("what the base makes", 2, 2) in seen
    judging = [(done, total) for what, done, total in seen if what == "judging"]
    assert judging == sorted(judging) and judging[0][0] == 0 and judging[-1] == (42, 42)


def test_photographs_of_two_subjects_are_named(tmp_path: Path, features: Features) -> None:
    one, other = photographs(tmp_path / "one", 3, hue=BLUE), photographs(tmp_path / "other", 2, hue=RED)
    apart = shoots(Wish({MUG: one, CUP: other}, "unread"), SIDE, features)
    assert not [note for note in apart.notes if "share" in note]
    shutil.copy(sorted(one.iterdir())[0], other / "twice.png")
    (note,) = [note for note in shoots(Wish({MUG: one, CUP: other}, "unread"), SIDE, features).notes if "share" in note]
    assert note.startswith(f"acme mug and zorb cup share photographs ({sorted(one.iterdir())[0].name}): ")
