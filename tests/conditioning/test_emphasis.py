"""Brackets in prompts: what each does, nested, escaped, unbalanced; and chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzotint.conditioning.emphasis import parts_of, pieces_of

CASES = {
    "a red chair": [("a red chair", 1.0)],
    "a (red) chair": [("a ", 1.0), ("red", 1.1), (" chair", 1.0)],
    "a ((red)) chair": [("a ", 1.0), ("red", 1.1**2), (" chair", 1.0)],
    "a [red] chair": [("a ", 1.0), ("red", 1 / 1.1), (" chair", 1.0)],
    "(red:1.3) chair": [("red", 1.3), (" chair", 1.0)],
    "(a (red:2) b:0.5)": [("a ", 0.5), ("red", 1.0), (" b", 0.5)],
    "(red: .5 )x": [("red", 0.5), ("x", 1.0)],
    r"a \(red\) chair": [("a (red) chair", 1.0)],
    r"back\\slash \[x\]": [(r"back\slash [x]", 1.0)],
    "open (red": [("open ", 1.0), ("red", 1.1)],
    "open [red": [("open ", 1.0), ("red", 1 / 1.1)],
    "a) b]": [("a) b]", 1.0)],
    "time 12:30": [("time 12:30", 1.0)],
    "(ratio:1:2)": [("ratio:1", 2.0)],
    "(mixed]": [("mixed]", 1.1)],
    "(x:999)": [("x", 10.0)],
    "": [],
    "()": [],
}


@pytest.mark.parametrize("prompt", CASES)
def test_weights(prompt: str) -> None:
    found = pieces_of(prompt)
    assert [p.text for p in found] == [text for text, _ in CASES[prompt]]
    assert [p.weight for p in found] == pytest.approx([weight for _, weight in CASES[prompt]])


def test_break_parts_a_prompt() -> None:
    assert parts_of("red BREAK (chair BREAK x:2)") == [[("red", 1.0)], [("chair", 2.0)], [("x", 2.0)]]
    assert parts_of("") == [[]] and parts_of("BREAKFAST") == [[("BREAKFAST", 1.0)]]
    assert parts_of("a BREAK") == [[("a", 1.0)], []]


@given(st.text(alphabet="ab ():[]\\.:12", max_size=40))
def test_anything_is_read_and_words_are_kept(prompt: str) -> None:
    text = "".join(p.text for p in pieces_of(prompt))
    assert all(-1e6 < p.weight < 1e6 for p in pieces_of(prompt))
    letters = [c for c in prompt if c in "ab"]
    assert [c for c in text if c in "ab"] == letters


@given(st.text(alphabet="abc ,.-'", max_size=60))
def test_a_prompt_without_brackets_is_itself(prompt: str) -> None:
    assert pieces_of(prompt) == ([(prompt, 1.0)] if prompt else [])
