"""Pictures of rare kinds come more often, those of common ones once, and each is its own."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

from test_latents import latents

from mezzotint.products.evened import Evened, evened, repeated
from mezzotint.training.data.source import Data

KINDS = ["chair"] * 300 + ["ring"] * 12 + ["vase"] * 60 + ["stool"]


def test_a_kind_comes_as_often_as_the_root_of_what_it_lacks() -> None:
    chosen = repeated(KINDS, 240)
    counts, came = Counter(KINDS), Counter(KINDS[i] for i in chosen)
    assert came["chair"] == 300 and came["vase"] == 120
    for kind, n in counts.items():
        assert abs(came[kind] - n * max(1, math.sqrt(240 / n))) < 2
    assert sorted(set(chosen)) == list(range(len(KINDS))), "none is left out"
    rings = [chosen.count(i) for i in range(300, 312)]
    assert set(rings) == {4, 5} and sum(rings) in (53, 54, 55), "of 4.47 times, some come four times and some five"


def test_nothing_changes_where_there_is_enough() -> None:
    assert repeated(KINDS, 1) == tuple(range(len(KINDS)))


def test_its_items_are_those_of_the_latents(rendered: Path) -> None:
    base = latents(rendered)
    n = len(base.scenes.pictures)
    source = Evened(base, 7 * n)
    shard, plain = source.open(1, lambda error: None), base.open(1, lambda error: None)
    assert source.shards == base.shards and len(shard) == len(source.chosen) > n
    for k in (0, 1, len(shard) - 1):
        one, other = shard[k], plain[source.chosen[k]]
        assert one.id == other.id and one.text == other.text and (one.image == other.image).all()
    assert len({base.fingerprint, source.fingerprint, Evened(base).fingerprint}) == 3


def test_what_is_held_out_stays_as_it_is(rendered: Path) -> None:
    base = latents(rendered)
    held = replace(base)
    made = evened(lambda folder: Data(base, held))(None)
    assert isinstance(made.train, Evened) and made.train.latents is base and made.held_out is held
