"""Plans: what holds of any probe and any price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzotint.costs.plan import Probe, plan, worth
from mezzotint.costs.prices import Prices, declared
from mezzotint.errors import UsageError
from mezzotint.governance.licence.money import Money

HOUR = Money(Decimal("0.40"), "USD")
times = st.floats(0.001, 1e4)
probes = st.builds(Probe, times, st.lists(times, max_size=5).map(tuple), st.integers(1, 64))


@given(probes, st.integers(1, 10_000))
def test_what_is_expected_lies_between_what_is_possible(probe: Probe, batches: int) -> None:
    seconds = plan(batches * probe.rows, batches, 8, probe, Prices()).seconds
    assert 0 < seconds.low <= seconds.value <= seconds.high
    assert seconds.low <= 0.85 * seconds.value * (1 + 1e-12) and seconds.high >= 1.15 * seconds.value * (1 - 1e-12)


@given(probes, st.integers(1, 1000))
def test_the_first_batch_counts_once_and_every_other_as_those_after_it(probe: Probe, batches: int) -> None:
    one, more = (plan(9, n, 8, probe, Prices()).seconds.value for n in (batches, batches + 1))
    each = sum(probe.more) / len(probe.more) if probe.more else probe.first
    assert more - one == pytest.approx(each, rel=1e-6, abs=1e-6)
    assert plan(9, 1, 8, probe, Prices()).seconds.value == probe.first


def test_money_and_energy_are_those_of_the_time() -> None:
    made = plan(100, 10, 8, Probe(7200.0, (3600.0,), 10), Prices(HOUR, 65.0))
    assert made.seconds.value == 39_600 and made.watt_hours == pytest.approx(65 * 11)
    assert made.money == (Money(Decimal("4.400000"), "USD"), Money(Decimal("5.060000"), "USD"))
    assert worth(HOUR, 0.0) == Money(Decimal(0), "USD")


def test_nothing_stated_is_nothing_said() -> None:
    made = plan(1, 1, 8, Probe(1.0, (), 1), Prices())
    assert made.money is None and made.watt_hours is None


def test_a_plan_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no pictures"):
        plan(0, 0, 8, Probe(1.0, (), 1), Prices())


def said(text: str) -> None:
    Path("mezzotint.toml").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_prices_are_the_settings_and_the_list_that_ships() -> None:
    said('[cost]\nper_hour = "0.40 USD"\nwatts = 65\nphotograph = "35 EUR"\n')
    found = declared()
    assert (found.per_hour, found.watts, found.photograph) == (HOUR, 65.0, Money(Decimal(35), "EUR"))
    assert len(found.elsewhere) == 4 and all(one.source and one.date for one in found.elsewhere)


def test_a_list_of_ones_own_takes_the_place_of_the_one_that_ships() -> None:
    said('[[cost.elsewhere]]\nname = "us"\nlow = "1 SGD"\nhigh = "2 SGD"\nsource = "offer 12"\ndate = "2026-11-01"\n')
    (one,) = declared().elsewhere
    assert (one.name, one.low.currency, one.date) == ("us", "SGD", "2026-11-01")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("per_hour = 0.4", "per_hour is 0.4; expected an amount and a currency"),
        ('per_hour = "cheap"', "'cheap' is no amount"),
        ('per_hour = "-1 USD"', "is negative"),
        ('per_hour = "1 USX"', "unknown currency 'USX'"),
        ("watts = 0", "watts is 0; expected a number above 0"),
        ("watts = true", "watts is True"),
        ("per_day = 1", "per_day"),
        ("elsewhere = 3", "elsewhere is 3"),
        ('elsewhere = [{name = "us"}]', "a table of elsewhere has"),
        ('elsewhere = [{name="a", low="2 USD", high="1 USD", source="s", date="d"}]', "low first"),
        ('elsewhere = [{name="a", low="2 USD", high="3 EUR", source="s", date="d"}]', "one currency"),
    ],
)
def test_wrong_prices_are_named(text: str, why: str) -> None:
    said(f"[cost]\n{text}\n")
    with pytest.raises(UsageError, match=r"mezzotint\.toml") as caught:
        declared()
    assert why in str(caught.value)
