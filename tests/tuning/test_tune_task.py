"""The loss of tuning: a prior's rows begin at nothing, places count 1 on average, and rows are each alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor
from tuning_case import tiny_lesson

from mezzotint.making.tuned.base import base
from mezzotint.making.tuned.learn import Lesson
from mezzotint.pretrained.model import load
from mezzotint.training.data.source import Item
from mezzotint.training.task import Draws, Sample
from mezzotint.tuning.scenes import PRIOR, SUBJECT, Sittings
from mezzotint.tuning.settings import Method, Settings, usual_rate
from mezzotint.tuning.task import Tune, Tuned

LABELS = (SUBJECT, PRIOR, SUBJECT, PRIOR)


@dataclass(frozen=True, eq=False)
class Case:
    """Four rows, every other of the prior.   learnt: whether the adapters have moved."""

    lesson: Lesson
    net: Tuned
    sample: Sample

    def loss(self, task: Tune | None = None, **changed: Tensor) -> Tensor:
        with torch.no_grad():
            return (task or Tune())(self.lesson.recipe, self.net, replace(self.sample, **changed))


def case(folder: Path, photos: Path, *, learnt: bool) -> Case:
    lesson = tiny_lesson(base(load(folder), "cpu", "float32"), photos, Settings(Method(rank=2), 4, 4, moments=1))
    net = lesson.recipe.build(lesson.recipe.net)
    assert isinstance(net, Tuned)
    random = torch.Generator().manual_seed(0)
    if learnt:
        for p in net.parameters():
            p.data += 0.05 * torch.randn(p.shape, generator=random) * p.requires_grad
    items = [lesson.data.train.open(0, print)[k] for k in range(4)]
    images = torch.from_numpy(np.stack([np.asarray(item.image) for item in items]))
    state = lesson.recipe.codec.encode(images[:, :-1])
    sample = Sample(
        images, torch.randn(state.shape, generator=random), torch.tensor([0.1, 0.4, 0.6, 0.9]).double(),
        lesson.recipe.conditioning(items), torch.tensor(LABELS), Draws(0, 0, 0, range(4)),
    )  # fmt: skip
    return Case(lesson, net, sample)


def test_the_prior_begins_at_nothing(model: Path, shoot: Path) -> None:
    rows = case(model, shoot, learnt=False).loss()
    # The base is asked two rows where the adapters see four, which may round otherwise.
    assert bool((rows[1::2] < 1e-10).all()) and bool((rows[::2] > 1e-4).all())


def test_what_is_learnt_moves_it(model: Path, shoot: Path) -> None:
    c = case(model, shoot, learnt=True)
    one, three = c.loss(Tune(prior=1)), c.loss(Tune(prior=3))
    assert one[1] > 0 and one[3] > 0
    assert torch.equal(three[1::2], 3 * one[1::2]) and torch.equal(three[::2], one[::2])


def test_without_labels_every_row_is_the_product_s(cascade: Path, shoot: Path) -> None:
    c = case(cascade, shoot, learnt=False)
    every = Tune()(c.lesson.recipe, c.net, replace(c.sample, labels=None))
    assert bool((every > 0).all()) and torch.equal(every[::2], c.loss()[::2])


def test_what_counts_says_nothing_of_a_prior_row(cascade: Path, shoot: Path) -> None:
    c = case(cascade, shoot, learnt=True)
    other = c.sample.images.clone()
    other[:, -1, : other.shape[2] // 2] = 0
    rows, changed = c.loss(), c.loss(images=other)
    assert torch.equal(rows[1::2], changed[1::2]) and not torch.isclose(rows[::2], changed[::2]).any()


@pytest.mark.slow
@pytest.mark.parametrize("row", range(4))
def test_a_row_is_alone(model: Path, shoot: Path, row: int) -> None:
    c = case(model, shoot, learnt=True)
    mine, kept = c.loss()[row], torch.arange(4) == row
    images = torch.where(kept[:, None, None, None], c.sample.images, 255 - c.sample.images)
    eps = torch.where(kept[:, None, None, None], c.sample.eps, 2 * c.sample.eps)
    u = torch.where(kept, c.sample.u, 1 - c.sample.u)
    assert torch.isfinite(mine) and c.loss(images=images, eps=eps, u=u)[row] == mine
    labels = torch.where(kept, c.sample.labels, 1 - c.sample.labels)  # the base is asked other rows then
    assert torch.isclose(c.loss(images=images, labels=labels)[row], mine, rtol=1e-4)


MASKS = arrays.arrays(np.uint8, (3, 1, 8, 8), elements=st.integers(0, 255))


@given(MASKS, st.floats(0, 1), st.lists(st.booleans(), min_size=3, max_size=3))
def test_places_count_one_on_average(mask: np.ndarray, outside: float, before: list[bool]) -> None:
    counts = Tune(outside=outside).counted(torch.from_numpy(mask), torch.tensor(before), (4, 4))
    assert counts.shape == (3, 1, 4, 4) and bool((counts >= 0).all()) and bool(torch.isfinite(counts).all())
    for k in range(3):
        something = before[k] or outside > 1e-3 or mask[k].mean() > 1
        assert not something or float(counts[k].mean()) == pytest.approx(1, abs=1e-4)
        assert not before[k] or bool((counts[k] == 1).all())


def test_what_is_outside_counts_less() -> None:
    mask = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    mask[..., :2] = 255
    first, rest = Tune(outside=0.2).counted(mask, torch.tensor([False]), (4, 4))[0, 0].split(2, dim=1)
    assert torch.allclose(rest / first, torch.tensor(0.2)) and bool((first > 1).all())


def test_an_empty_mask_and_nothing_outside_is_no_division_by_nothing() -> None:
    counts = Tune(outside=0).counted(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.tensor([False]), (4, 4))
    assert bool((counts == 0).all())


@pytest.mark.parametrize(("steps", "risen"), [(600, 10), (40, 4), (5, 1)])
def test_the_rate_is_soon_whole(cascade: Path, shoot: Path, steps: int, risen: int) -> None:
    said = Settings(Method(rank=2), steps, 4, moments=1)
    how = tiny_lesson(base(load(cascade), "cpu", "float32"), shoot, said).recipe.optimiser
    assert how.at(risen - 1, steps) == 4e-3 and all(how.at(k, steps) < 4e-3 for k in range(risen - 1))


@pytest.mark.slow
def test_a_picture_without_a_word_is_told_what_guidance_is_held_against(model: Path, shoot: Path) -> None:
    told = case(model, shoot, learnt=False).lesson.recipe.conditioning
    items = [Item("a", b"", text) for text in ("a mug", "", None)]
    said, null = told(items), told.null(1)
    for name, value in null.items():
        assert torch.equal(said[name][1:2], value)
    assert any(not torch.equal(said[name][0], said[name][1]) for name in said)
    assert any(not torch.equal(said[name][2], said[name][1]) for name in said), "no caption at all is the class's"


def test_some_of_the_prior_is_learnt_without_its_words(model: Path, shoot: Path) -> None:
    source = case(model, shoot, learnt=False).lesson.data.train
    assert isinstance(source, Sittings)
    silent = [scene for scene in source.prior if scene.text == ""]
    assert 0 < len(silent) < len(source.prior) / 2
    assert all(any((scene.pixels == one.pixels).all() and one.text for one in source.prior) for scene in silent)


def test_usual_rates_are_those_of_the_size_and_of_what_is_learnt() -> None:
    small, large = 10_000_000, 860_000_000
    assert usual_rate(Method(), small) > usual_rate(Method(), large) > usual_rate(Method("full"), large)
    assert usual_rate(Method("textual-inversion"), small) == usual_rate(Method("textual-inversion"), large)
