"""Captions say what is there and nothing else; splits keep apart what they promise."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from mezzotint.products.captions import VIEWS, Facts, article, caption, plain_caption
from mezzotint.products.colours import NAMES, SYNONYMS
from mezzotint.products.split import held_background, held_colour, subjects
from mezzotint.products.vocabulary import vocabulary

CHAIR = Facts("armchair", "Armchair", "red", "beige", "side")


def many(facts: Facts, n: int = 300) -> list[str]:
    return [caption(facts, np.random.default_rng(seed)) for seed in range(n)]


def test_the_plain_form() -> None:
    assert plain_caption(CHAIR) == "a red armchair on a beige background, side view"
    assert plain_caption(Facts("oven", "Oven", "", "orange gradient", "front")) == (
        "an oven on an orange gradient background, front view"
    )


@pytest.mark.parametrize("facts", [CHAIR, Facts("sofa", "Burlap sofa", "", "dark wood", "back")])
def test_nothing_is_said_that_is_not_there(facts: Facts) -> None:
    colours = {word: name for name in NAMES for word in (name, *SYNONYMS.get(name, ()))}
    views = {form: view for view, forms in VIEWS.items() for form in forms}
    true = {facts.colour, facts.background.split()[0]}
    for text in many(facts):
        said = {name for word, name in colours.items() if re.search(rf"\b{word}\b", text)}
        assert said <= true, text
        assert {view for form, view in views.items() if form in text} <= {facts.view}, text
        assert any(word in text for word in (*vocabulary().words[facts.kind], facts.name.lower())), text


def test_words_and_order_vary() -> None:
    texts = many(CHAIR)
    assert len(set(texts)) > 120
    assert any(t.startswith(("side view of", "rear view of")) for t in texts) and any("crimson" in t for t in texts)
    assert any("easy chair" in t for t in texts) and any(len(t.split()) <= 4 for t in texts)
    assert not any(re.search(r"  |,,| ,|^,|,$", t) for t in texts)


def test_marks_are_not_repeated() -> None:
    texts = many(Facts("car", "Ford Focus", "blue", "white", "front")) + many(
        Facts("motorcycle", "Yamaha YZR R6", "blue", "white", "front")
    )
    assert not any(re.search("ford|yamaha", t, re.I) for t in texts)


def test_names_that_are_a_kind_are_said() -> None:
    assert any("oak table" in t for t in many(Facts("table", "Oak table", "brown", "white", "front")))


def test_articles() -> None:
    assert article("oven") == "an oven" and article("red oven") == "a red oven"


def test_about_a_tenth_of_the_pairs_is_held_out() -> None:
    kinds = vocabulary().words
    colours = [held_colour(kind, name) for kind in kinds for name in NAMES]
    grounds = [held_background(kind, name) for kind in kinds for name in NAMES]
    assert np.mean(colours) == pytest.approx(0.1, abs=0.02) and np.mean(grounds) == pytest.approx(0.1, abs=0.02)
    assert colours != grounds


def test_subjects_leave_enough_of_their_kind() -> None:
    pairs = [
        (f"{kind}-{i}", kind) for kind, n in {"chair": 20, "table": 6, "oven": 2, "sofa": 4}.items() for i in range(n)
    ]
    chosen = subjects(pairs, 10)
    of_kind = Counter(name.rpartition("-")[0] for name in chosen)
    assert of_kind == {"chair": 2, "table": 2, "sofa": 1}, "at most two of a kind, three stay"
    assert subjects(reversed(pairs), 10) == chosen
