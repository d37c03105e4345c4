"""Training, checkpoint and resume on an accelerator, where there is one."""

from __future__ import annotations

import pytest
import torch
from training_case import Store, begin, run, still, train, unpack

from mezzotint.training.recipe import Every

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator here"),
]
RECIPE = still(8, every=Every(validation=4, checkpoint=4))


def on_device(training=None, store=None):
    """The run, or the rest of it, on the accelerator: its state and progress."""
    training = training or begin(RECIPE, torch.accelerator.current_accelerator())
    return training, list(train(RECIPE, RECIPE.data(None), training=training, store=store))


def test_the_loss_curve_is_that_of_the_processor():
    _, there = on_device()
    _, here = run(RECIPE)
    for a, b in zip(there, here, strict=True):
        assert a.loss == pytest.approx(b.loss, rel=1e-2)
        assert (a.validation is None) == (b.validation is None)
        if a.validation:
            assert a.validation.loss == pytest.approx(b.validation.loss, rel=1e-2)


def test_a_run_goes_on_from_its_checkpoint_there(tmp_path):
    whole, steps = on_device(store=Store(tmp_path, keep=9))
    halfway = Store(tmp_path).all()[0]
    for later in Store(tmp_path).all()[1:]:
        for file in later.iterdir():
            file.unlink()
        later.rmdir()
    assert halfway.name == "step-00000004"
    training = begin(RECIPE, torch.accelerator.current_accelerator())
    assert unpack(training, Store(tmp_path).last(), RECIPE.data(None).train.fingerprint) == []
    again, rest = on_device(training)
    assert [s.loss for s in rest] == pytest.approx([s.loss for s in steps[4:]], rel=1e-4)
    for (name, a), b in zip(whole.net.named_parameters(), again.net.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-4), name


def test_bfloat16_on_the_accelerator_learns():
    recipe = still(60, dtype="bfloat16", every=Every(0, 0))
    training = begin(recipe, torch.accelerator.current_accelerator())
    steps = list(train(recipe, recipe.data(None), training=training))
    assert sum(s.loss for s in steps[-10:]) < sum(s.loss for s in steps[:10])
