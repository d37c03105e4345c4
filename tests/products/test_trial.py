"""Held-out compositions, and what counts as showing what was said: on real photographs, with a real judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mezzotint.errors import ModelError, StorageError, UsageError
from mezzotint.nets import JudgeConfig, build, config_to_dict
from mezzotint.nets.judge import Judge
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card
from mezzotint.products import learnt, split, trial
from mezzotint.products.adherence import Seen, adherence, look, right
from mezzotint.products.captions import Facts, plain_caption
from mezzotint.products.colours import COLOURS
from mezzotint.products.judging import VIEW_NAMES, KindAndView, LabelledScenes, kinds
from mezzotint.products.source import Scenes
from mezzotint.products.vocabulary import vocabulary

CHAIR = Facts("chair", "Chair", "red", "beige", "side")


def picture(product: str, behind: str) -> tuple[torch.Tensor, np.ndarray]:
    """A square of one colour on another, and its mask."""
    image = torch.tensor(COLOURS[behind], dtype=torch.uint8)[:, None, None].expand(3, 64, 64).clone()
    image[:, 16:48, 16:48] = torch.tensor(COLOURS[product], dtype=torch.uint8)[:, None, None]
    mask = np.zeros((64, 64), np.float32)
    mask[16:48, 16:48] = 1
    return image, mask


def judge_of(config: JudgeConfig) -> Judge:
    torch.manual_seed(0)
    made = build(config)
    assert isinstance(made, Judge)
    return made.eval()


@pytest.fixture(scope="module")
def small_judge() -> Judge:
    """A judge that has learnt nothing; it answers all the same."""
    return judge_of(JudgeConfig(len(kinds()), len(VIEW_NAMES), size=(64, 64), widths=(16, 16)))


def test_each_aspect_is_right_or_wrong_for_itself() -> None:
    image, mask = picture("red", "beige")
    seen = Seen("chair", "side", mask)
    assert right(image, CHAIR, seen) == {"kind": True, "colour": True, "plain background": True, "view": True}
    assert right(image, CHAIR, replace(seen, kind="sofa"))["kind"] is False
    assert right(image, CHAIR, replace(seen, view="back"))["view"] is False
    assert right(picture("blue", "beige")[0], CHAIR, seen)["colour"] is False
    assert right(picture("red", "green")[0], CHAIR, seen)["plain background"] is False
    said = replace(CHAIR, colour="", background="wood")
    assert right(image, said, seen).keys() == {"kind", "view"}, "what was not said is not judged"


def test_colour_is_looked_for_in_the_product_and_background_outside() -> None:
    image, mask = picture("beige", "red")
    found = right(image, CHAIR, Seen("chair", "side", mask))
    assert not found["colour"] and not found["plain background"]
    all_product = Seen("chair", "side", np.ones((64, 64), np.float32))
    assert right(picture("red", "beige")[0], CHAIR, all_product)["plain background"] is False, (
        "no background, not right"
    )


def test_the_judge_answers_in_its_own_words_at_any_size(small_judge: Judge) -> None:
    images = torch.randint(0, 256, (70, 3, 32, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = list(look(images, small_judge))
    assert len(found) == 70 and all(s.kind in kinds() and s.view in VIEW_NAMES for s in found)
    assert found[0].mask.shape == (32, 48) and 0 < found[0].mask.mean() < 1
    assert len(adherence(images[:3], [CHAIR] * 3, small_judge)) == 3


def test_shares_are_over_the_prompts_that_said_it(small_judge: Judge) -> None:
    facts = (CHAIR, replace(CHAIR, colour=""), replace(CHAIR, background="wood"), replace(CHAIR, kind="sofa"))
    judging = trial.Judging(facts, (True, False, False, True), small_judge, frozenset({"chair"}))
    images = torch.stack([picture("red", "beige")[0]] * 4)
    found = judging(images)
    assert {what: share.n for what, share in found.items()} == {
        "kind": 4, "colour": 3, "plain background": 3, "view": 4, "kind by another word": 2, "common kind": 3,
        "rare kind": 1,
    }  # fmt: skip
    named = next(look(images[:1], small_judge)).kind
    shown = replace(judging, facts=(*facts[:3], replace(CHAIR, kind=named)))(images)
    assert (shown["common kind"].value, shown["rare kind"].value) == (0, 1)


def test_common_kinds_are_those_that_were_photographed_often(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = Scenes(rendered, 64)
    counts = Counter(picture.kind for picture in scenes.pictures)
    most = max(counts.values())
    assert trial.common_kinds(scenes) == frozenset()
    monkeypatch.setattr(trial, "COMMON", most)
    assert trial.common_kinds(scenes) == {kind for kind, n in counts.items() if n == most}
    monkeypatch.setattr(trial, "COMMON", 1)
    assert trial.common_kinds(scenes) == set(counts)


def test_every_fourth_prompt_names_the_kind_otherwise_and_reads_as_english() -> None:
    with_others = [kind for kind, words in vocabulary().words.items() if len(words) > 1]
    for k, kind in enumerate(with_others):
        facts = replace(CHAIR, kind=kind, colour="")
        plain, other = trial.prompt_of(facts, 4 * k + 1), trial.prompt_of(facts, 4 * k)
        assert plain == (plain_caption(facts), False) and other[1] and other[0] != plain[0]
        word = max((w for w in vocabulary().words[kind][1:] if f" {w} on" in other[0]), key=len)
        assert other[0].startswith(f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word} on a beige background")


@pytest.fixture
def all_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second background and colour is held out, so that four products have some."""
    monkeypatch.setattr(split, "PAIR_SHARE", 0.5)


@pytest.mark.usefixtures("all_held")
def test_a_trial_of_photographs(rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    monkeypatch.setattr("mezzotint.places.SHIPPED", "nothing_ships")
    found = trial.trial(rendered, 6, 64, judged=False)
    assert found.reference.shape == (6, 3, 64, 64) and len(found.train) >= 6 and found.judged(found.reference) == {}
    assert all("background" in prompt and prompt.startswith(("a ", "an ")) for prompt in found.prompts)
    with pytest.raises(ModelError, match=r"no judge.*mezzotint train products-judge"):
        trial.trial(rendered, 6, 64, judged=True)
    with pytest.raises(UsageError, match="held-out photographs; expected at most"):
        trial.trial(rendered, 5000, 64, judged=False)
    config = JudgeConfig(len(kinds()), len(VIEW_NAMES), size=(64, 64), widths=(16, 16))
    where, card = tmp_path / "models" / trial.JUDGE, Card("judge", "", "CC0-1.0")
    save_network(where, judge_of(config).state_dict(), config_to_dict(config), card)
    judged = trial.trial(rendered, 6, 64, judged=True)
    assert judged.sha256 == found.sha256 and judged.judged(judged.reference)["kind"].n == 6


class Greys:
    """Features that are mean colours; counts what it was asked."""

    def __init__(self, name: str = "greys") -> None:
        self.name, self.dim, self.distances, self.asked = name, 3, ("a", "b"), 0

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += len(images)
        return images.float().mean((2, 3))


@pytest.mark.usefixtures("all_held")
def test_copies_are_looked_for_among_every_training_photograph(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learnt, "ROWS", 4)
    found, scenes = trial.trial(rendered, 2, 64, judged=False), Scenes(rendered, 64)
    n, extract, told = len(scenes.pictures), Greys(), list[tuple[int, int]]()
    assert found.learnt is not None and len(found.train) == 6 < n == len(found.learnt)
    assert found.copies_among == {"photographs": n, "scenes_of_each": 1}
    made = found.learnt.features(extract, lambda done, total: told.append((done, total)))
    assert torch.equal(made, extract(learnt.pictures_of(scenes, scenes.pictures)))
    assert told[-1] == (n, n) and told[0] == (4, n) and len(told) == -(-n // 4)
    again = Greys()
    assert torch.equal(found.learnt.features(again, lambda done, total: None), made) and again.asked == 0
    found.learnt.features(other := Greys("others"), lambda done, total: None)
    learnt.Learnt(Scenes(rendered, 32)).features(smaller := Greys(), lambda done, total: None)
    assert other.asked == smaller.asked == n, "each extractor and size for itself"


def unheard(done: int, total: int) -> None:
    """Nobody is told."""


def asked_again(scenes: Scenes) -> int:
    """How many scenes are looked at for features that were kept."""
    learnt.Learnt(scenes).features(extract := Greys(), unheard)
    return extract.asked


def test_features_that_cannot_be_kept_are_given_all_the_same(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def refused(path: Path) -> Iterator[None]:
        raise StorageError("cannot write")
        yield

    monkeypatch.setattr(learnt, "atomic_writer", refused)
    monkeypatch.setattr(learnt.Learnt, "path", lambda *_: rendered / "nowhere.npy")
    scenes = Scenes(rendered, 64)
    assert len(learnt.Learnt(scenes).features(Greys(), unheard)) == len(scenes.pictures)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: path.write_bytes(b"damaged" * 40),
        lambda path: np.save(path, np.zeros((2, 3), np.float32)),
        lambda path: np.save(path, np.load(path).astype(np.float64)),
    ],
)
def test_damaged_features_are_made_anew(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    path, scenes = tmp_path / "features.npy", Scenes(rendered, 64)
    monkeypatch.setattr(learnt.Learnt, "path", lambda *_: path)
    assert asked_again(scenes) == len(scenes.pictures) and asked_again(scenes) == 0
    whole = path.read_bytes()
    damage(path)
    assert asked_again(scenes) == len(scenes.pictures) and path.read_bytes() == whole


def test_features_are_of_one_network_textures_and_drawing(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, wood = Scenes(rendered, 64), np.zeros((4, 4, 3), np.uint8)
    paths = [learnt.Learnt(scenes).path(Greys())]
    for name, value in (("WEIGHTS_SHA256", "other"), ("DRAWING", 0)):
        monkeypatch.setattr(learnt, name, value)
        paths.append(learnt.Learnt(scenes).path(Greys()))
    for pixels in (wood, wood + 1):
        other = Scenes(rendered, 64)
        other.__dict__["textures"] = {"wood": (pixels,)}
        paths.append(learnt.Learnt(other).path(Greys()))
    assert len(set(paths)) == 5


@pytest.mark.usefixtures("all_held")
def test_labelled_scenes_say_kind_view_and_mask(rendered: Path) -> None:
    scenes = Scenes(rendered, 64, shards=1)
    shard = LabelledScenes(scenes).open(0, lambda error: None)
    items = [shard[i] for i in range(len(shard))]
    cond = KindAndView()(items)
    for item, picture_, label, view in zip(items, scenes.pictures, cond["label"], cond["view"], strict=True):
        assert kinds()[label] == picture_.kind and VIEW_NAMES[view] == picture_.view
        image, mask = scenes.image_and_mask(picture_, 0)
        assert (np.asarray(item.image) == np.concatenate([image, mask[None]])).all()
        assert 0.05 < (mask > 127).mean() < 0.9


def test_a_card_s_words_are_enough(small_judge: Judge) -> None:
    assert asdict(small_judge.config)["kinds"] == len(kinds()) >= 60
