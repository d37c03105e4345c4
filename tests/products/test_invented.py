"""What is invented is of the kind that is named, of no held-out pair, and said as captions say it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from mezzotint.products.asked import UNNAMED, asked
from mezzotint.products.colours import NAMES
from mezzotint.products.invented import COLOURED, captions, invented
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.split import held_background, held_colour


def test_no_pair_that_is_held_out_is_invented_and_all_others_are() -> None:
    kind = next(k for k in kinds() if sum(held_colour(k, c) for c in NAMES) > 1)
    found = [invented(kind, np.random.default_rng(seed)) for seed in range(1500)]
    assert {facts.kind for facts in found} == {kind}
    assert not any(held_colour(kind, facts.colour) for facts in found if facts.colour)
    assert not any(held_background(kind, facts.background) for facts in found)
    assert not any(facts.colour == facts.background.split()[0] for facts in found)
    assert {facts.colour for facts in found} - {""} == {c for c in NAMES if not held_colour(kind, c)}
    assert {facts.view for facts in found} == set(VIEW_NAMES)
    assert {"marble", "dark wood"} & {facts.background for facts in found}
    assert abs(np.mean([facts.colour != "" for facts in found]) - COLOURED) < 0.05


def test_captions_name_the_kind_of_their_row_and_are_of_the_chance_alone() -> None:
    drawn = torch.rand(200, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    named = [k % len(kinds()) for k in range(200)]
    said = captions(named, drawn)
    assert said == captions(named, drawn) and len(set(said)) > 195
    right = [asked(text).kind == kind for text, kind in zip(said, named, strict=True)]
    assert np.mean(right) > 0.97, "a few words mean several kinds"
    assert said[0] != captions(named[:1], 1 - drawn[:1])[0]


def test_a_row_that_names_no_kind_is_asked_any() -> None:
    drawn = torch.rand(300, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = Counter(asked(text).kind for text in captions([UNNAMED] * 300, drawn))
    assert len(found) > 100 and max(found.values()) < 15
