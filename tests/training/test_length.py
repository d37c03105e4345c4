"""A run that is gone on with to another length: what was learnt stays, and the rate goes by the new length."""

from __future__ import annotations

import pytest
from training_case import resumed, run, same, tiny

from mezzotint.errors import UsageError
from mezzotint.training.checkpoint import Store
from mezzotint.training.schedule import Optimiser, constant
from mezzotint.training.state import begin, pack, unpack

STEADY = Optimiser(rate=1e-2, warmup=3, decay=constant)
"""A rate that does not know the length of the run."""


def stopped(recipe, folder, at):
    """A checkpoint of a run after ``at`` updates."""
    training, _ = run(recipe, at - 1)
    assert training.step == at
    Store(folder).save(pack(training, recipe.data(None).train.fingerprint))


@pytest.mark.parametrize("before", [6, 30])
def test_at_a_steady_rate_another_length_is_the_run_of_that_length(tmp_path, before):
    stopped(tiny(before, optimiser=STEADY), tmp_path, 6)
    whole, _ = run(tiny(12, optimiser=STEADY))
    assert same(resumed(tiny(12, optimiser=STEADY), tmp_path)[0], whole)


def test_the_rate_goes_by_the_new_length(tmp_path):
    stopped(tiny(12), tmp_path, 6)
    _, rest = resumed(tiny(24), tmp_path)
    _, whole = run(tiny(24))
    assert [one.rate for one in rest] == [one.rate for one in whole[6:]]
    assert rest[0].rate != run(tiny(12))[1][6].rate


def test_lengths_of_before_are_kept_and_said(tmp_path):
    stopped(tiny(12), tmp_path, 6)
    data, training = tiny(24).data(None).train.fingerprint, begin(tiny(24))
    (said,) = unpack(training, Store(tmp_path).last(), data)
    assert said == "the run was planned over 12 updates and ends at 24 now: the rate goes by that from here"
    Store(tmp_path / "again").save(pack(training, data))
    for steps, planned, says in [(24, ((6, 12),), 0), (9, ((6, 12), (6, 24)), 1)]:
        later = begin(tiny(steps))
        assert len(unpack(later, Store(tmp_path / "again").last(), data)) == says
        assert later.planned == planned


def test_a_length_that_is_over_already_is_refused(tmp_path):
    stopped(tiny(12), tmp_path, 6)
    with pytest.raises(UsageError, match="made 6 updates already, and 6 are asked for in all"):
        resumed(tiny(6), tmp_path)


def test_another_recipe_of_another_length_is_refused(tmp_path):
    stopped(tiny(12), tmp_path, 6)
    with pytest.raises(UsageError, match="another recipe"):
        resumed(tiny(24, seed=9), tmp_path)
