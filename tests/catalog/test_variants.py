"""Variants: balanced plans, ids and seeds that no other row changes, sizes of samples, sheets without formulas."""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzotint.catalog.brief import Brief, Factor, Trial
from mezzotint.catalog.manifest.row import Row
from mezzotint.catalog.manifest.template import template
from mezzotint.catalog.sheet import csv_text, plain
from mezzotint.catalog.variants.design import balance, design
from mezzotint.catalog.variants.expand import Asset, assets_of
from mezzotint.catalog.variants.identity import bucket_of, digest, seed_of, variant_name
from mezzotint.catalog.variants.sample import views_needed
from mezzotint.errors import UsageError

BRIEF = Brief(
    (Factor("background", ("white", "grey", "wood")), Factor("view", ("front view", "side view"))), variants=4
)
PROMPT = template("a chair on a {background} background, {view}")


def row(sku: str, variants: int | None = None, seed: int | None = None) -> Row:
    cells = {"sku": sku, "prompt": "", "background": "", "view": ""}
    return Row(2, sku, cells, PROMPT, template(""), None, None, False, "", None, None, seed, variants)


ROWS = [row(f"S-{k}") for k in range(23)]


@given(levels=st.lists(st.integers(2, 5), min_size=1, max_size=4), share=st.floats(0.01, 2.5), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_design_is_balanced_and_repeats_nothing_that_it_need_not(
    levels: list[int], share: float, seed: int
) -> None:
    whole = len(list(product(*map(range, levels))))
    runs = max(1, min(200, round(share * whole)))
    found = design(levels, runs, seed)
    assert len(found) == len(set(found)) == runs, "no combination has two copies of one number"
    assert max(balance(list(zip(*(run for run, _ in found), strict=True)), levels)) <= 1
    if runs % whole == 0:
        assert set(Counter(run for run, _ in found).values()) == {runs // whole}
    assert found == design(levels, runs, seed)


def test_all_combinations_are_the_full_plan() -> None:
    assert [run for run, _ in design([2, 3], None, 0)] == list(product(range(2), range(3)))


@pytest.mark.parametrize(("levels", "runs"), [([2, 2, 2], 4), ([3, 3, 3], 9), ([2, 2, 2, 2], 8)])
def test_a_part_confounds_no_two_factors(levels: list[int], runs: int) -> None:
    """The classical half and third fractions: every pair of levels of two factors equally often."""
    found = [run for run, _ in design(levels, runs, 7)]
    for a, b in combinations(range(len(levels)), 2):
        assert set(Counter((run[a], run[b]) for run in found).values()) == {runs // (levels[a] * levels[b])}


def level_counts(assets: Sequence[Asset], factor: int) -> Counter[str]:
    return Counter(asset.levels[factor] for asset in assets)


@pytest.mark.parametrize("how", ["sku", "catalog"])
def test_level_counts_of_a_sku_differ_by_one_at_most(how: str) -> None:
    assets = assets_of(ROWS, replace(BRIEF, balance=how), 5)
    for sku in {asset.row.sku for asset in assets}:
        own = [asset for asset in assets if asset.row.sku == sku]
        counts = [level_counts(own, k) for k in range(2)]
        assert all(
            max(c.values()) - min(c[v] for v in f.levels) <= 1 for c, f in zip(counts, BRIEF.factors, strict=True)
        )
        assert len({(asset.levels) for asset in own}) == 4


def test_level_counts_of_the_catalog_differ_by_one_at_most() -> None:
    rows = [replace(one, variants=k % 6 + 1) for k, one in enumerate(ROWS)]
    assets = assets_of(rows, replace(BRIEF, balance="catalog"), 5)
    for k, factor in enumerate(BRIEF.factors):
        counts = level_counts(assets, k)
        assert max(counts.values()) - min(counts[level] for level in factor.levels) <= 1


def key(asset: Asset) -> tuple[str, str, str, int, int]:
    return asset.row.sku, asset.variant, asset.prompt, asset.seed, asset.bucket


def test_no_row_changes_another() -> None:
    whole = {key(asset) for asset in assets_of(ROWS, BRIEF, 5)}
    mixed = list(ROWS)
    random.Random(0).shuffle(mixed)
    assert {key(asset) for asset in assets_of(mixed, BRIEF, 5)} == whole
    edited = [replace(ROWS[0], variants=6), *ROWS[1:11], *ROWS[12:]]
    others = {one for one in whole if one[0] not in ("S-0", "S-11")}
    assert others == {k for asset in assets_of(edited, BRIEF, 5) if (k := key(asset))[0] != "S-0"}


def test_prompts_are_filled_with_single_spaces() -> None:
    prompts = {
        asset.prompt for asset in assets_of([replace(row("a"), variants=None)], replace(BRIEF, variants=None), 0)
    }
    assert prompts == {f"a chair on a {b} background, {v}" for b, v in product(*(f.levels for f in BRIEF.factors))}


def test_seeds_are_the_columns_or_hashes() -> None:
    assert {asset.seed for asset in assets_of([row("a", seed=9)], BRIEF, 5)} == {9}
    copies = assets_of([row("a", variants=3, seed=2**63 - 2)], Brief(), 5)
    assert [asset.seed for asset in copies] == [2**63 - 2, 2**63 - 1, 0] and [a.variant for a in copies] == [
        "#1",
        "#2",
        "#3",
    ]
    own = {asset.seed for asset in assets_of([row("a")], BRIEF, 5)}
    assert len(own) == 4 and all(0 <= seed < 2**63 for seed in own)
    assert len({asset.seed for asset in assets_of([row("a")], replace(BRIEF, seeds="shared"), 5)}) == 1
    assert own.isdisjoint(asset.seed for asset in assets_of([row("b")], BRIEF, 5))
    assert own.isdisjoint(asset.seed for asset in assets_of([row("a")], BRIEF, 6))


def test_hashes_keep_their_parts_apart_and_stay_what_they_are() -> None:
    assert digest("ab", "c") != digest("a", "bc") and seed_of(1, "a", "b") != seed_of(1, "b", "a")
    said = hashlib.sha256(b'["seed",0,"S-1","background=white"]').digest()
    assert seed_of(0, "S-1", "background=white") == int.from_bytes(said[:8], "big") % 2**63, (
        "as the documentation has it"
    )
    assert variant_name({"view": "side", "background": "grey"}, 0) == "background=grey; view=side"
    assert variant_name({"view": "side"}, 1) == "view=side; #2"


def test_buckets_are_even() -> None:
    """Chi-squared of 20,000 assets in 20 buckets: below 43.8 but once in a thousand (19 degrees of freedom)."""
    counts = Counter(bucket_of("s", f"S-{k}", "v", 20) for k in range(20_000))
    assert set(counts) == set(range(20)) and sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 43.8


def test_a_budget_leaves_fewer_variants() -> None:
    assert len(assets_of([row("a"), row("b", variants=1)], BRIEF, 5, most=2)) == 3


def test_more_than_a_million_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 1,000,000 assets"):
        assets_of([row(f"S-{k}", variants=1000) for k in range(1001)], Brief(), 0)


def test_views_that_are_needed() -> None:
    """Cohen (1988), h = 0.2, two-sided at 0.05, power 0.8: n = 2 ((z_0.975 + z_0.8) / h)^2 = 392.4."""
    pytest.importorskip("statsmodels")
    from math import asin, sin, sqrt

    raised = sin(asin(sqrt(0.5)) + 0.1) ** 2
    assert views_needed(Trial(0.5, raised / 0.5 - 1)) == 393
    assert views_needed(Trial(0.03, 0.1)) > views_needed(Trial(0.03, 0.2)) > 10_000


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


@given(cells=st.lists(st.one_of(TEXTS, TEXTS.map(lambda t: "=" + t), TEXTS.map(lambda t: " @" + t)), min_size=1))
@settings(deadline=None)
def test_no_cell_of_a_sheet_is_a_formula_and_all_come_back(cells: list[str]) -> None:
    text = csv_text(["a"] * len(cells), [cells])
    (_, read) = list(csv.reader(io.StringIO(text, newline="")))
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t")) for cell in read)
    assert [plain(cell) for cell in read] == cells


def test_numbers_are_no_formulas() -> None:
    assert csv_text(["a", "=b"], [(-1, "-1"), (None, "x")]) == "a,'=b\n-1,'-1\n,x\n"
