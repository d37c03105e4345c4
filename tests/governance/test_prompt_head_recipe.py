"""The recipe of the prompt gate's head says nothing sexual of anybody who could be a minor."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from mezzotint.governance.safety.prompt.match import hits
from mezzotint.governance.safety.prompt.shipped import lexicon
from mezzotint.governance.safety.prompt.views import views
from recipes.gates import prompt_head as recipe


def young(text: str) -> set[str]:
    """What the gate's own lists take for a minor, or for somebody young."""
    return {hit.mark for hit in hits(views(text), lexicon(), "prompt", date(2026, 11, 30))} & {"minor", "young"}


def test_sexual_texts_are_of_adults_alone() -> None:
    who = recipe.company("sexual")
    assert set(who.people) <= set(recipe.FIRST["ADULTS"])
    phrases = [phrase.replace("{who2}", "x").replace("{who}", "x") for phrase in recipe.HARMS["sexual"]]
    words = recipe.texts.HARM_WORDS["sexual"]
    said = {*who.people, *who.things, *who.well, *who.styles, *recipe.PLACES, *recipe.FIRST["SCENES"], *phrases, *words}
    assert {text: found for text in said if (found := young(text))} == {}
    assert young("a girl") and young("children's book illustration") and young("a school girl"), "they can be found"


@pytest.mark.slow
def test_no_text_is_one_that_the_gate_takes_for_a_harm_to_minors() -> None:
    draw = Random(7)
    texts = [one.text for one in draw.sample([e for e in recipe.examples() if e.label == "sexual"], 150)]
    assert [text for text in texts if young(text)] == []
