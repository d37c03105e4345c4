"""``ab read``: lifts that are as sure as they say, winners, and the next round."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from catalogs import asked, begun, rows, worker
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzotint.catalog.ab.following import next_brief, next_manifest
from mezzotint.catalog.ab.lift import holm, lifts, ratio_of, winners
from mezzotint.catalog.ab.results import Shown, shown
from mezzotint.catalog.brief import Brief, Factor, Trial, brief_of
from mezzotint.catalog.ladder import Rung
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.manifest.columns import KNOWN
from mezzotint.catalog.manifest.table import Table, parse
from mezzotint.cli import run
from mezzotint.errors import InputError
from mezzotint.governance.licence.money import money
from mezzotint.schemas import schema


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def campaign(seed: int, lift: float, products: int = 40, spread: float = 0.3) -> list[Shown]:
    """Two factors of which the first lifts by one level; products sell differently, pictures of one too."""
    generator, found = np.random.default_rng(seed), list[Shown]()
    for k in range(products):
        base = 0.03 * math.exp(generator.normal(0, 0.7))
        for background in ("white", "wood", "grey"):
            for view in ("front", "side"):
                rate = base * (1 + lift if background == "wood" else 1) * math.exp(generator.normal(0, spread))
                views = int(generator.integers(500, 1500))
                found.append(Shown(f"S-{k}", (background, view), views, int(generator.binomial(views, min(rate, 0.9)))))
    return found


FACTORS = ("background", "view")


def test_the_ratio_is_that_of_a_table_by_hand() -> None:
    """Two strata: (10 of 100, 5 of 100) and (4 of 50, 8 of 150)."""
    ratio, error, _ = ratio_of(np.array([[10, 100, 5, 100], [4, 50, 8, 150]], float))
    assert ratio == pytest.approx((10 * 100 / 200 + 4 * 150 / 200) / (5 * 100 / 200 + 8 * 50 / 200)) and error is None


def test_a_product_that_sells_well_lifts_no_level() -> None:
    """Simpson's: white is shown for the product that sells, and is no better in either."""
    table = np.array([[300, 1000, 30, 100], [1, 100, 10, 1000]], float)
    assert ratio_of(table)[0] == pytest.approx(1.0)


def test_nothing_is_found_where_there_is_nothing() -> None:
    """200 campaigns without a lift: a winner in 5 % of them at most, but for chance (0.11 is passed once in 10,000)."""
    false = sum(any(winners(lifts(campaign(seed, 0.0), FACTORS)).values()) for seed in range(200))
    assert false / 200 < 0.11


def test_a_lift_is_found_and_its_interval_holds_it() -> None:
    """Against the mean of the other two levels the lift is 0.3; 95 % of the intervals have it, but for chance."""
    found = [next(one for one in lifts(campaign(seed, 0.3), FACTORS) if one.level == "wood") for seed in range(100)]
    inside = sum(one.low is not None and one.high is not None and one.low <= 0.3 <= one.high for one in found)
    assert inside >= 87
    named = [winners(lifts(campaign(seed, 0.3), FACTORS)) for seed in range(40)]
    assert sum(one["background"] == "wood" for one in named) > 30 and sum(one["view"] is not None for one in named) <= 6


def test_few_products_have_no_interval() -> None:
    assert {one.low for one in lifts(campaign(0, 0.5, products=4), FACTORS)} == {None}
    assert winners(lifts(campaign(0, 5.0, products=4), FACTORS)) == {"background": None, "view": None}


def test_holm_is_the_papers() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06]) and holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_next_round_settles_what_is_won() -> None:
    brief = Brief((Factor("background", ("white", 'a "b" \\ c')), Factor("view", ("front", "side"))), variants=4)
    again = brief_of(next_brief(brief, {"view": "side", "background": None}).encode(), "b")
    assert again.factors == brief.factors[:1] and again.variants == 4
    table = parse("m.csv", b"sku,prompt,view\na,x {view},\nb,y {view},\n")
    assert (
        next_manifest(table, {"view": "side", "background": None})
        == "sku,prompt,view\na,x {view},side\nb,y {view},side\n"
    )


NAMES = st.from_regex(r"\w[\w .-]{0,6}", fullmatch=True).filter(lambda name: name == name.strip() and name not in KNOWN)
LEVELS = st.lists(st.text(st.characters(codec="utf-8"), max_size=6).map(str.strip), min_size=2, max_size=4, unique=True)


@given(
    factors=st.dictionaries(NAMES, LEVELS, max_size=3),
    variants=st.none() | st.integers(1, 1000),
    candidates=st.none() | st.integers(1, 8),
    model=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
    distinct=st.floats(0, 2),
    ladder=st.lists(st.sampled_from([Rung("variants", "3"), Rung("size", "16x8"), Rung("steps", "4")]), max_size=3),
    test=st.none() | st.builds(Trial, *[st.floats(1e-9, 0.4, exclude_min=True)] * 4),
    cost=st.none() | st.sampled_from(["0.40 USD", "1,234.5 EUR", "1e-7 CHF"]),
)
@settings(max_examples=60, deadline=None)
def test_the_next_brief_says_all_that_the_last_one_did(
    factors: dict[str, list[str]],
    variants: int | None,
    candidates: int | None,
    model: str | None,
    distinct: float,
    ladder: list[Rung],
    test: Trial | None,
    cost: str | None,
) -> None:
    per_hour = None if cost is None else money(cost, "cost")
    brief = Brief(
        tuple(Factor(name, tuple(levels)) for name, levels in factors.items()),
        variants, "catalog", "shared", 7, distinct, model, candidates, tuple(ladder), test, per_hour,
    )  # fmt: skip
    again = brief_of(next_brief(brief, dict.fromkeys(factors)).encode(), "b")
    assert dataclasses.replace(again, sha256="") == brief


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ODD = st.tuples(st.sampled_from(["", " ", "'", "''", "' ", "=", "+", "-", "@", "\t=", " =", "'=", "\r", "a\rb"]), CELLS)


@given(cells=st.lists(st.one_of(CELLS, ODD.map("".join)), min_size=1, max_size=4))
@settings(deadline=None)
def test_any_cell_of_a_manifest_comes_back_in_the_next_round(cells: list[str]) -> None:
    """However often it is written and read, and never as a formula."""
    said = {"sku": "a", **{f"c{k}": cell.strip() for k, cell in enumerate(cells)}}
    table = Table("m.jsonl", "", tuple(said), ((2, said),))
    for _ in range(2):
        text = next_manifest(table, {})
        table = parse("m.csv", text.encode())
        assert table.problems == () and [cells for _, cells in table.rows] == [said]


def test_a_word_s_own_apostrophe_stays() -> None:
    table = parse("m.csv", b"sku,prompt,note\na,'tis a chair,'+A1\n")
    assert table.rows[0][1] == {"sku": "a", "prompt": "'tis a chair", "note": "+A1"}


def test_the_command(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text("sku,prompt\n" + "".join(f"S-{k},{{kind}}\n" for k in range(12)))
    (tmp_path / "m.toml").write_text('[factors]\nkind = ["sneaker", "t-shirt"]\n')
    made, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    worker(made, where, model).work()
    lines = [f"{row['id']},1000,{60 if 'sneaker' in row['variant'] else 30},x" for row in rows(where.db, t.asset)]
    (tmp_path / "r.csv").write_text("\n".join(["asset,views,clicks,sales", *lines, "unknown,5,1,0"]) + "\n")
    words = ["ab", "read", "r.csv", "--catalog", "out"]
    assert run([*words, "--next", "next.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/ab/1"))
    lift = {one["level"]: one["lift"] for one in found["levels"]}
    assert found["winners"] == {"kind": "sneaker"} and lift == {"sneaker": pytest.approx(1.0), "t-shirt": -0.5}
    assert (tmp_path / "next.csv").read_text().splitlines()[:2] == ["sku,prompt,kind", "S-0,{kind},sneaker"]
    assert run(["catalog", "check", "next.csv", "--model", str(tiny)]) == 0
    capsys.readouterr()
    assert run(words) == 0
    assert "kind: 'sneaker' wins" in capsys.readouterr().out
    assert run([*words, "--next", "next.csv"]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asset,view,clicks\na,1,1\n", "has no column 'views'; is it 'view'?"),
        ("asset,views,clicks\na,1,2\n", "row 2: 2 clicks of 1 views"),
        ("asset,views,clicks\na,-1,2\n", "row 2: views is '-1'"),
        ("asset,views,clicks\na,1,1\n", "has no asset of this catalog"),
    ],
)
def test_bad_results_are_one_line(text: str, message: str) -> None:
    import re

    with pytest.raises(InputError, match=re.escape(message)):
        shown(parse("r.csv", text.encode()), [], "clicks")
