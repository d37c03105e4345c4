"""What ``calibrate`` takes before anything is computed."""

from __future__ import annotations

import pytest

from mezzotint.errors import InputError, UsageError
from mezzotint.making.calibrated.calibrate import check_model
from mezzotint.making.calibrated.counts import check_calls
from mezzotint.making.calibrated.rows import prompts_for
from mezzotint.making.calibrated.words import prompts_of
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system


def test_prompts_are_said_or_labels_or_asked_for():
    fashion, products = (describe_system(find(name)) for name in ("fashion", "products-pixel"))
    assert prompts_for(fashion, ()) == tuple(label.name for label in fashion.labels)
    assert prompts_for(products, ("a red lamp", "a blue lamp", "a red lamp")) == ("a red lamp", "a blue lamp")
    with pytest.raises(UsageError, match=r"products-pixel is told texts: give some .* with --prompts FILE"):
        prompts_for(products, ())
    check_model(fashion)
    check_model(products)


def test_a_file_of_prompts_is_its_lines(tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_text("a red lamp\n\n  a blue lamp \n")
    assert prompts_of(file) == ("a red lamp", "a blue lamp") and prompts_of(None) == ()
    file.write_text(" \n")
    with pytest.raises(InputError, match="has no prompts"):
        prompts_of(file)


def test_calls_are_two_and_more_and_fewer_than_the_teachers():
    assert check_calls((6, 4, 6), 24) == (4, 6)
    for calls, what in (
        ((1,), "one call has nothing"),
        ((65,), "expected 2 to 64: published solvers need no more"),
        ((4, 24), "the teacher makes 24"),
        ((), "no number of calls"),
    ):
        with pytest.raises(UsageError, match=what):
            check_calls(calls, 24)
