"""What judges is never learnt from: pictures that are there twice stay together, within a folder and across folders."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tuning_case import photographs

from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.making.tuned.shoots import Shoots, shoots
from mezzotint.making.tuned.wish import Wish
from mezzotint.tuning.apart import alike, groups, held_apart, left_out, too_few
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.words import Subject

MUG, CUP = Subject("acme mug", "mug"), Subject("zorb cup", "cup")
SIDE, RED = 64, (200, 40, 30)


@pytest.fixture(scope="module")
def features() -> Features:
    return extractor(2 * DEFAULT_SIZE)


def numbered(names: list[str]) -> list[Photo]:
    """Photographs of one plain colour; those of one name are the same to the byte."""
    return [Photo(str(k), np.zeros((1, 1, 3), np.uint8), (1, 1), None, None, name) for k, name in enumerate(names)]


def leaks(found: Shoots) -> bool:
    """Whether something judges that is the same picture as one that is learnt from, of any subject."""
    judges, learnt = ([photo for of in parts.values() for photo in of] for parts in (found.held, found.learnt))
    return bool(alike(judges, learnt).any())


def seen(folder: Path, features: Features, *, judge_by: Path | None = None) -> Shoots:
    return shoots(Wish({MUG: folder}, "unread", judge_by=judge_by), SIDE, features)


def again(path: Path, name: str) -> None:
    """The same photograph once more, as a messenger sends it."""
    file = io.BytesIO()
    drawn = Image.open(path)
    Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB").save(file, "JPEG", quality=80)
    (path.parent / name).write_bytes(file.getvalue())


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40), st.sets(st.sampled_from("abcdefgh")))
def test_no_picture_is_on_both_sides(names: list[str], beside: set[str]) -> None:
    learnt, held = held_apart(numbered(names), numbered(sorted(beside)))
    both = [photo.sha256 for photo in (*learnt, *held)]
    assert sorted(both) == sorted(names) and {p.sha256 for p in held}.isdisjoint({p.sha256 for p in learnt} | beside)
    fewest = min((names.count(name) for name in set(names) - beside), default=len(names))
    room = max(1, len(names) // min(5, max(1, len(set(names)))))
    assert bool(held) == (len(set(names)) >= 4 and not set(names) <= beside and fewest <= room)
    assert len(held) <= (max(1, len(names) // 5) if fewest == 1 else room)
    assert len({p.sha256 for p in held}) <= max(1, len(set(names)) // 5)


def turntable(angles: list[float], start: int = 0) -> list[Photo]:
    """Frames that are alike where they are 0.12 apart, and not where they are 0.24."""
    random = np.random.default_rng(0)
    first, last = (random.normal(size=(32, 32, 3)) for _ in range(2))
    turned = [(128 + 30 * (np.cos(a) * first + np.sin(a) * last)).clip(0, 255).astype(np.uint8) for a in angles]
    return [Photo(str(k), pixels, (32, 32), None, None, str(k)) for k, pixels in enumerate(turned, start)]


def test_a_picture_is_the_same_as_the_first_of_its_group() -> None:
    photos = turntable([0, 0.12, 0.24])
    assert not alike(photos[:1], photos[2:]).any() and groups(photos) == [[0, 1], [2]]


def test_a_mirrored_photograph_is_the_same_picture() -> None:
    (one, other) = turntable([0, 2])
    mirrored = replace(one, pixels=one.pixels[:, ::-1], sha256="mirrored")
    assert alike([one], [mirrored]).all() and alike([mirrored], [one]).all() and not alike([other], [mirrored]).any()
    photos = [*turntable([0, 1, 2, 3, 4]), replace(mirrored, name="5")]
    learnt, held = held_apart(photos)
    assert held and not alike(held, learnt).any() and groups(photos)[0] == [0, 5]


def test_a_crowd_of_the_same_takes_nothing_from_learning() -> None:
    learnt, held = held_apart(numbered([*"ab", *("c" * 20), "d"]))
    assert [photo.sha256 for photo in held] in (["a"], ["b"], ["d"]) and len(learnt) == 22


def test_of_a_turntable_some_judge_that_are_like_none_which_is_learnt_from() -> None:
    photos = turntable([0.12 * k for k in range(24)])
    learnt, held = held_apart(photos)
    assert held and not alike(held, learnt).any() and len(photos) - len(learnt) <= len(photos) // 5
    (note,) = left_out(photos, learnt, held)
    assert note.startswith(f"{len(photos) - len(learnt) - len(held)} photographs are nearly the same as some that")


def test_where_each_is_like_many_others_none_judges_and_it_is_said() -> None:
    photos = turntable([0.12 * k for k in range(8)])
    assert held_apart(photos) == (tuple(photos), ())
    (note,) = too_few(photos, ())
    assert note.startswith("every photograph is like too many others to be held apart with them: none is held apart")


def test_five_times_one_photograph_judge_nothing(tmp_path: Path, features: Features) -> None:
    first = photographs(tmp_path / "m", 1) / "0.png"
    for k in range(1, 5):
        shutil.copy(first, first.with_name(f"{k}.png"))
    found = seen(first.parent, features)
    assert found.held[MUG] == () and len(found.learnt[MUG]) == 5 and "that were learnt from" in found.seen
    wanted = (
        "5 photographs show one picture: none is held apart, so it is judged by what it learnt from; give 4 or more"
    )
    assert f"{wanted} that differ" in found.notes


def test_a_photograph_that_judges_has_no_twin_among_the_learnt(tmp_path: Path, features: Features) -> None:
    folder = photographs(tmp_path / "m", 6, side=96)
    (alone,) = seen(folder, features).held[MUG]
    again(folder / alone.name, f"{alone.name}-sent.jpg")
    found = seen(folder, features)
    assert any("are nearly the same picture" in note for note in found.notes)
    assert len(found.learnt[MUG]) + len(found.held[MUG]) == 7 and not leaks(found)
    assert found.seen.endswith("not learnt from")


def test_a_photograph_that_another_subject_learns_from_does_not_judge(tmp_path: Path, features: Features) -> None:
    mugs, cups = photographs(tmp_path / "m", 5), photographs(tmp_path / "c", 4, hue=RED)
    wish = Wish({MUG: mugs, CUP: cups}, "unread")
    apart = shoots(wish, SIDE, features)
    assert all(len(apart.held[s]) == 1 for s in (MUG, CUP)) and not leaks(apart)
    shutil.copy(mugs / apart.held[MUG][0].name, cups / "a mug.png")
    assert not leaks(shoots(wish, SIDE, features))
    shutil.rmtree(cups)
    shutil.copytree(mugs, cups)
    every = shoots(wish, SIDE, features)
    assert every.held == {MUG: (), CUP: ()}
    assert any(
        note.startswith("zorb cup: every photograph is the same picture as one of another") for note in every.notes
    )


def test_further_judges_that_are_learnt_from_do_not_judge(tmp_path: Path, features: Features) -> None:
    folder, more = photographs(tmp_path / "m", 3, side=96), tmp_path / "more"
    more.mkdir()
    shutil.copy(photographs(tmp_path / "other", 6, side=96) / "5.png", more / "new.png")
    shutil.copy(folder / "1.png", more / "known.png")
    again(more / "known.png", "sent.jpg")
    found = seen(folder, features, judge_by=more)
    assert [p.name for p in found.held[MUG]] == ["new.png"] and len(found.learnt[MUG]) == 3
    assert "2 of the photographs to judge by are learnt from, known.png first: the other 1 judge" in found.notes
    (more / "new.png").unlink()
    none = seen(folder, features, judge_by=more)
    assert none.held[MUG] == () and none.judges(MUG) == none.learnt[MUG]
    assert none.seen == "the photographs that were learnt from: those to judge by are learnt from too"
    assert any(
        note.endswith("none is left, so it is judged by what it learnt from; give others") for note in none.notes
    )


def test_one_of_its_captions_says_nothing_of_what_a_picture_is() -> None:
    one, other = numbered(["a", "b"])
    assert alike([one], [replace(one, caption="another")]).all() and not alike([one], [other]).any()
