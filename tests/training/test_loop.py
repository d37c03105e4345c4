"""Laws of the loop: what is computed does not depend on how it is run."""

from __future__ import annotations

import math
import multiprocessing
from dataclasses import dataclass

import pytest
import torch
from training_case import TinyNet, made, resumed, run, same, still, still_net, tiny

from mezzotint.diffusion.objective import LogitNormal, flow_weight
from mezzotint.diffusion.parametrisation import FLOW
from mezzotint.errors import InputError, NonFiniteError, UsageError
from mezzotint.training.assignment import assign
from mezzotint.training.checkpoint import Store
from mezzotint.training.conditioning import Labels, Unconditional, dropped
from mezzotint.training.data.source import Data, Item
from mezzotint.training.identity import describe, digest
from mezzotint.training.loop import train
from mezzotint.training.recipe import Every
from mezzotint.training.schedule import Cosine, InverseSqrt, Optimiser, Trapezoid
from mezzotint.training.state import begin


@pytest.fixture(scope="module")
def whole():
    """An uninterrupted run."""
    return run(tiny())


def test_training_lowers_the_loss():
    training, steps = run(tiny(150, every=Every(75, 0), ema=tiny().ema[:1]))
    first, last = (s.validation.loss for s in steps if s.validation)
    assert sum(s.loss for s in steps[-20:]) < 0.7 * sum(s.loss for s in steps[:20])
    assert last < first
    assert training.step == 150


WAYS = [{"ahead": 0}, {"ahead": 7}, {"ahead": 2, "workers": 3}, {"feeders": 1}, {"feeders": 3, "workers": 2}]


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_prefetch_and_workers_change_nothing(whole, options):
    training, steps = run(tiny(), **options)
    assert same(training, whole[0])
    assert [s.loss for s in steps] == [s.loss for s in whole[1]]


def test_feeders_end_with_the_run_that_is_left():
    before = set(multiprocessing.active_children())
    recipe = tiny()
    steps = train(recipe, recipe.data(None), feeders=2)
    next(steps)
    mine = set(multiprocessing.active_children()) - before
    assert len(mine) == 2
    steps.close()
    assert not any(child.is_alive() for child in mine)


def test_what_a_feeder_raises_comes_out_in_its_place():
    def empty(folder):
        return Data(made(0))

    with pytest.raises(InputError, match="no samples"):
        run(tiny(data=empty), feeders=2)


def test_validation_and_checkpoints_change_nothing(whole, tmp_path):
    training, _ = run(tiny(every=Every(validation=3, checkpoint=5)), store=Store(tmp_path))
    assert same(training, whole[0])


@pytest.mark.parametrize("stop", [1, 4, 9])
def test_a_run_left_and_resumed_is_equal_to_the_bit(whole, tmp_path, stop):
    recipe = tiny(every=Every(0, 1))
    training = begin(recipe)
    for progress in train(recipe, recipe.data(None), training=training, store=Store(tmp_path)):
        if progress.step == stop:
            break
    if stop == 1:  # left before the next step was asked for, so before the first checkpoint
        assert Store(tmp_path).last() is None
        return
    again, steps = resumed(recipe, tmp_path)
    assert same(again, whole[0])
    assert [s.loss for s in steps] == [s.loss for s in whole[1]][stop - 1 :]


def test_a_run_resumed_with_feeders_is_equal_to_the_bit(whole, tmp_path):
    run(tiny(), until=4, store=Store(tmp_path))
    again, steps = resumed(tiny(), tmp_path, feeders=3)  # 4 is no multiple of 3: lanes begin where the run goes on
    assert steps[0].step == 5
    assert same(again, whole[0])


def test_another_seed_is_another_run(whole):
    assert not same(run(tiny(seed=12))[0], whole[0])


def test_a_batch_may_cross_the_end_of_an_epoch():
    # 96 pictures in batches of 40: the third batch has samples of two epochs.
    training, _ = run(tiny(5, batch=40))
    assert training.cursor.epoch == 2
    assert training.cursor.offset == 5 * 40 - 2 * 96


@pytest.mark.parametrize("parts", [2, 4])
def test_accumulation_equals_the_big_batch_but_for_rounding(parts):
    _, one = run(still(6))
    _, many = run(still(6, accumulation=parts))
    for a, b in zip(one, many, strict=True):
        assert b.loss == pytest.approx(a.loss, rel=2e-5)
        assert b.grad_norm == pytest.approx(a.grad_norm, rel=2e-4)


def test_the_gradient_is_clipped_to_its_norm():
    training = begin(tiny(1, optimiser=Optimiser(clip=1e-3)))
    (step,) = train(training.recipe, training.recipe.data(None), training=training)
    norm = torch.nn.utils.get_total_norm([p.grad for p in training.net.parameters()])
    assert step.grad_norm > 0.1
    assert float(norm) == pytest.approx(1e-3, rel=1e-5)


def test_bfloat16_keeps_float32_masters_and_learns():
    training, steps = run(tiny(60, dtype="bfloat16"))
    assert {p.dtype for p in training.net.parameters()} == {torch.float32}
    assert steps[-1].loss < steps[0].loss


def test_a_projection_is_applied_after_every_update():
    training, _ = run(tiny(3, project=unit_last))
    assert float(training.net.last.weight.detach().norm()) == pytest.approx(1, abs=1e-6)


def unit_last(net):
    """The last layer on the unit sphere."""
    with torch.no_grad():
        net.last.weight.div_(net.last.weight.norm())


def frozen_first(width):
    """A network whose first layer is not to be trained, and that has a part which nothing reaches."""
    net = still_net(width)
    net.first.requires_grad_(False)
    net.idle = torch.nn.Linear(2, 2)
    return net


def test_frozen_and_idle_parameters_stay_and_can_be_resumed(tmp_path):
    recipe = tiny(6, build=frozen_first, every=Every(0, 3))
    first, _ = run(recipe, until=3, store=Store(tmp_path))
    training, _ = resumed(recipe, tmp_path)
    for net in (first.net, training.net):
        assert torch.equal(net.first.weight, begin(recipe).net.first.weight)
    assert same(training, run(recipe)[0])
    assert "first.weight" not in training.averages.values["power-0.0500"]


def test_flow_with_optimal_transport_trains():
    _, steps = run(tiny(80, parametrisation=FLOW, levels=LogitNormal(), weight=flow_weight, assignment=assign))
    assert sum(s.loss for s in steps[-10:]) < sum(s.loss for s in steps[:10])


def test_labels_are_dropped_as_often_as_asked():
    seen = []

    @dataclass(frozen=True)
    class Spy(Labels):
        def __call__(self, items):
            seen.append(super().__call__(items))
            return seen[-1]

    nulls = 0
    recipe = tiny(100, drop=0.25, conditioning=Spy(10), build=lambda width: Counting(width))
    training, _ = run(recipe)
    nulls = training.net.nulls
    assert nulls / 1600 == pytest.approx(0.25, abs=0.04)
    assert all(10 not in cond["label"] for cond in seen)


class Counting(TinyNet):
    nulls = 0

    def forward(self, x, c_noise, cond):
        self.nulls += int((cond["label"] == 10).sum())
        return super().forward(x, c_noise, cond)


def test_dropped_rows_are_null_and_the_others_untouched():
    cond = {"text": torch.ones(3, 2, 4), "label": torch.arange(3)}
    null = {"text": torch.zeros(3, 2, 4), "label": torch.full((3,), 9)}
    out = dropped(cond, null, torch.tensor([True, False, True]))
    assert out["label"].tolist() == [9, 1, 9]
    assert out["text"].sum((1, 2)).tolist() == [0, 8, 0]


def test_a_sample_without_a_label_is_named():
    with pytest.raises(InputError, match=r"some\.png has label None"):
        Labels(3)([Item("some.png", b"")])
    assert Unconditional()([Item("some.png", b"")]) == {}


class Poisoned(TinyNet):
    """Answers NaN for the samples of one label."""

    def forward(self, x, c_noise, cond):
        bad = (cond["label"] == 3)[:, None, None, None]
        return torch.where(bad, torch.nan, super().forward(x, c_noise, cond))


def test_a_non_finite_loss_stops_the_run_names_step_and_samples_and_updates_nothing(tmp_path):
    recipe = tiny(drop=0.0, batch=48, build=Poisoned, every=Every(0, 1))
    training = begin(recipe)
    before = {k: v.clone() for k, v in training.net.state_dict().items()}
    with pytest.raises(NonFiniteError, match=r"step 1: the loss is nan \(samples: bars\[\d+\]") as error:
        list(train(recipe, recipe.data(None), training=training, store=Store(tmp_path)))
    named = {
        int(part.split("[")[1].split("]")[0])
        for part in str(error.value).split("(samples: ")[1].split(")")[0].split(", ")
    }
    assert all(made().labels[i] == 3 for i in named)
    assert training.step == 0
    assert all(torch.equal(v, before[k]) for k, v in training.net.state_dict().items())
    assert Store(tmp_path).all() == []


def test_a_non_finite_loss_leaves_the_last_good_checkpoint(tmp_path):
    class Late(TinyNet):
        def forward(self, x, c_noise, cond):
            self.calls = getattr(self, "calls", 0) + 1
            return super().forward(x, c_noise, cond) * (math.nan if self.calls > 5 else 1)

    recipe = tiny(build=Late, every=Every(0, 2))
    with pytest.raises(NonFiniteError, match="step 6"):
        run(recipe, store=Store(tmp_path))
    assert Store(tmp_path).last().step == 4


def test_the_validation_loss_is_deterministic_and_broken_down_by_level():
    _, steps = run(tiny(4, every=Every(2, 0), validation_samples=24))
    _, again = run(tiny(4, every=Every(2, 0), validation_samples=24))
    checks = [s.validation for s in steps if s.validation]
    assert checks == [s.validation for s in again if s.validation]
    assert len(checks) == 2
    for v in checks:
        assert sum(b.count for b in v.bins) == 24
        assert v.loss == pytest.approx(sum(b.loss * b.count for b in v.bins) / 24)
        assert all(a.logsnr_low >= b.logsnr_high for a, b in zip(v.bins[:-1], v.bins[1:], strict=True))
        assert v.bins[0].error < v.bins[-1].error


def test_no_held_out_data_means_no_validation():
    recipe = tiny(2, every=Every(1, 0))
    assert all(s.validation is None for s in train(recipe, Data(made())))


@pytest.mark.parametrize(
    ("decay", "half", "end"), [(Cosine(0.1), 0.55, 0.1), (Trapezoid(0.5), 1.0, 0.0), (InverseSqrt(25), 2**-0.5, 0.5)]
)
def test_the_rate_rises_then_decays(decay, half, end):
    o = Optimiser(rate=2.0, warmup=10, decay=decay)
    assert o.at(0, 100) == pytest.approx(0.2)
    assert o.at(9, 100) == pytest.approx(2.0, rel=0.05)
    assert decay(50, 100) == pytest.approx(half)
    assert decay(100, 100) == pytest.approx(end)


@pytest.mark.parametrize(
    "changes",
    [{"batch": 0}, {"steps": 0}, {"accumulation": 3}, {"drop": 1.0}, {"mix": 0}, {"seed": -1}, {"dtype": "half"}],
)
def test_a_recipe_out_of_range_is_refused(changes):
    with pytest.raises(UsageError):
        tiny(**changes)


def test_the_digest_follows_what_decides_the_weights():
    assert digest(tiny()) == digest(tiny())
    assert digest(tiny()) == digest(tiny(every=Every(1, 1), model={"card": {}}))
    others = [tiny(13), tiny(seed=1), tiny(levels=LogitNormal()), tiny(augment=()), tiny(project=unit_last)]
    assert len({digest(r) for r in [tiny(), *others]}) == 6


def test_an_object_without_a_stable_text_is_refused():
    with pytest.raises(UsageError, match="no stable description"):
        describe(object())


def test_a_network_in_a_recipe_is_known_by_all_of_its_numbers():
    """Also by one that is no vector, as a space of texts and pictures has it."""
    net = torch.nn.Linear(2, 2)
    net.sharpness = torch.nn.Parameter(torch.tensor(2.0))
    before = describe(net)
    assert describe(net) == before
    with torch.no_grad():
        net.sharpness += 1
    assert describe(net) != before
