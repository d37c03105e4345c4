"""Innocent sentences by one who had not read the rules; ``benchmarks/prompt_gate.py`` says what all layers flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.words import Decision

SENTENCES = Path(__file__).with_name("strangers.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def lists() -> Gate:
    return load(Policy(meaning="off", languages="off"))


@pytest.mark.parametrize("text", SENTENCES)
def test_no_list_blocks_a_strangers_innocent_sentence(text: str, lists: Gate) -> None:
    assert lists.check([Text("prompt", text)]).decision != Decision.BLOCK
