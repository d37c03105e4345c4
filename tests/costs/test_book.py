"""What processes together reserve and spend never passes a cap, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from mezzotint.costs import book, purse
from mezzotint.costs.book import money, opened, per_picture, place, units
from mezzotint.costs.caps import Caps, declared
from mezzotint.costs.purse import Heeding
from mezzotint.errors import BudgetError, StorageError, UsageError
from mezzotint.governance.licence.money import Money

HOUR = Money(Decimal(3600), "USD")
"""A dollar a second."""


def usd(amount: float) -> Money:
    return Money(Decimal(str(amount)), "USD")


def capped(**said: float) -> Caps:
    return Caps("autumn", HOUR, *(usd(said[k]) if k in said else None for k in ("command", "project", "month")))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4_000_000), st.booleans()), max_size=30))
@tried(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_no_order_of_reservations_passes_the_cap(home: Path, said: list[tuple[int, int, bool]]) -> None:
    place().unlink(missing_ok=True)
    caps, spent = capped(month=5, project=4), dict.fromkeys(range(10), 0)
    with opened() as found:
        lines = [found.begin("generate", caps, "USD") for _ in range(10)]
        ended = set[int]()
        for which, wanted, ends in said:
            if which in ended:
                continue
            granted = found.reserve(lines[which], wanted, spent[which], 0, caps)
            assert granted <= 4_000_000
            spent[which] = granted
            if ends:
                found.settle(lines[which], granted, 1)
                ended.add(which)
        (line, *_) = found.lines()
        assert line.spent.amount + line.reserved.amount <= 4


def test_what_is_settled_stays_and_the_rest_returns(home: Path) -> None:
    caps = capped(project=1)
    with opened() as found:
        first, second = (found.begin("generate", caps, "USD") for _ in range(2))
        assert found.reserve(first, 800_000, 0, 0, caps) == 800_000
        assert found.reserve(second, 800_000, 0, 0, caps) == 200_000
        found.settle(first, 100_000, 2)
        assert found.reserve(second, 950_000, 0, 0, caps) == 900_000
        (line,) = found.lines()
        assert (line.spent, line.reserved, line.pictures) == (usd(0.1), usd(0.9), 2)
        found.settle(second, 300_000, 2)
        assert per_picture(found.lines()) == usd(0.1)


def test_a_cap_of_a_project_counts_no_other_and_one_of_a_month_counts_all(home: Path) -> None:
    with opened() as found:
        other = Caps("winter", HOUR, None, None, None)
        line = found.begin("generate", other, "USD")
        found.settle(line, 900_000, 0)
        own = found.begin("generate", capped(project=1), "USD")
        assert found.reserve(own, 2_000_000, 0, 0, capped(project=1)) == 1_000_000
        assert found.reserve(found.begin("tune", capped(month=3), "USD"), 5_000_000, 0, 0, capped(month=3)) == 1_100_000
        assert (
            found.reserve(found.begin("tune", capped(command=2), "USD"), 5_000_000, 0, 0, capped(command=2))
            == 2_000_000
        )


PROCESS = """
import sys, time
from decimal import Decimal
from mezzotint.costs.book import opened
from mezzotint.costs.caps import Caps
from mezzotint.governance.licence.money import Money
usd = lambda v: Money(Decimal(v), "USD")
caps = Caps("autumn", usd(3600), None, usd(1), None)
with opened() as book:
    line, got = book.begin("generate", caps, "USD"), 0
    for k in range(60):
        got = book.reserve(line, got + 10_000, got, 0, caps)
    print(got, flush=True)
    if sys.argv[1] == "wait":
        time.sleep(60)
    book.settle(line, got, 1)
"""


def test_processes_at_once_never_pass_it(home: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", PROCESS, "end"], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [int(one.communicate(timeout=60)[0]) for one in runs]
    assert sum(said) == 1_000_000 and max(said) <= 600_000
    with opened() as found:
        assert found.lines()[0].spent == usd(1)


def test_a_killed_process_keeps_what_it_noted_and_the_rest_returns(home: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", PROCESS, "wait"], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None and int(run.stdout.readline()) == 600_000
    with opened() as found:
        caps = capped(project=1)
        line = found.begin("generate", caps, "USD")
        assert found.reserve(line, 1_000_000, 0, 0, caps) == 400_000
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert found.reserve(line, 1_000_000, 0, 0, caps) == 410_000, "it had noted 590,000"


def test_a_process_of_another_machine_is_waited_for_an_hour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caps = capped(project=1)
    with opened() as found:
        line = found.begin("generate", caps, "USD")
        found.reserve(line, 1_000_000, 0, 0, caps)
        found.connection.execute("UPDATE spending SET host = 'elsewhere'")
        own = found.begin("generate", caps, "USD")
        assert found.reserve(own, 1_000_000, 0, 0, caps) == 0
        now = time.time()
        monkeypatch.setattr(book.time, "time", lambda: now + 3601)
        assert found.reserve(own, 1_000_000, 0, 0, caps) == 1_000_000


def silent(found: book.Book, line: int) -> None:
    """As a line on another machine that nobody has heard of for more than an hour."""
    found.connection.execute("UPDATE spending SET host = 'elsewhere', seen = 0 WHERE id = ?", (line,))


@pytest.mark.parametrize("kept", [False, True])
def test_a_line_that_was_taken_for_lost_is_counted_again(home: Path, kept: bool) -> None:
    caps = capped(project=1)
    with opened() as found:
        first, second, third = (found.begin("generate", caps, "USD") for _ in range(3))
        assert found.reserve(first, 1_000_000, 0, 0, caps) == 1_000_000
        silent(found, first)
        assert found.reserve(second, 850_000, 0, 0, caps) == 850_000
        if kept:
            found.keep(first, 0, 0)
        assert found.reserve(first, 1_000_000, 0, 0, caps) == 150_000, "what it had went to the second"
        assert found.reserve(third, 1_000_000, 0, 0, caps) == 0, "the first is counted again"
        (line,) = found.lines()
        assert line.reserved == usd(1)


STEP = st.tuples(st.integers(0, 1), st.sampled_from([600_000, 1_000_000]), st.sampled_from(["", "silent", "keep"]))


@given(st.lists(STEP, min_size=3, max_size=9))
@tried(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_silent_lines_that_go_on_never_pass_the_cap(home: Path, said: list[tuple[int, int, str]]) -> None:
    place().unlink(missing_ok=True)
    caps = capped(project=1)
    with opened() as found:
        lines = [found.begin("generate", caps, "USD") for _ in range(2)]
        held = dict.fromkeys(lines, 0)
        for which, wanted, what in said:
            line = lines[which]
            if what == "silent":
                silent(found, line)
                held[line] = 0
            elif what == "keep":
                found.keep(line, 0, 0)
                held[line] = 0
            else:
                held[line] = found.reserve(line, wanted, 0, 0, caps)
            assert sum(held.values()) <= 1_000_000


def test_a_number_that_another_process_took_over_is_gone() -> None:
    assert not book._gone(book.socket.gethostname(), os.getpid(), book._born(os.getpid()), 0)
    assert book._gone(book.socket.gethostname(), os.getpid(), 12345.0, time.time())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Time that passes when it is told to."""
    now = [0.0]
    monkeypatch.setattr(purse.time, "perf_counter", lambda: now[0])

    def passes(seconds: float) -> None:
        now[0] += seconds

    return passes


def test_a_purse_stops_before_a_step_that_is_not_covered(home: Path, clock: Callable[[float], None]) -> None:
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "3600 USD"\ncap_command = "100 USD"\n')
    steps = 0
    with pytest.raises(BudgetError, match="cap of a command, 100 USD"), purse.purse("generate") as found:
        assert found is not None and found.reserved == 60_000_000
        while True:
            clock(9)
            steps += 1
            found.heed()
    assert steps == 11, "99 seconds at a dollar each: one more step of nine would pass it"
    with opened() as made:
        assert made.lines()[0].spent == usd(99) and made.lines()[0].reserved == usd(0)


def test_without_money_nothing_begins(home: Path) -> None:
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "1 USD"\ncap_month = "0 USD"\n')
    with pytest.raises(BudgetError, match="this month"), purse.purse("generate"):
        pytest.fail("it began")
    Path("mezzotint.toml").write_text("")
    with purse.purse("generate") as none:
        assert none is None


def test_a_run_with_checkpoints_is_stopped(home: Path, clock: Callable[[float], None]) -> None:
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "3600 USD"\ncap_month = "20 USD"\n')
    with purse.purse("train") as found:
        heeding = Heeding(lambda: False, found)
        assert not heeding()
        clock(15)
        assert heeding() and heeding.refused is not None and "this month" in str(heeding.refused)
        assert heeding()
    assert Heeding(lambda: True, None)() and not Heeding(lambda: False, None)()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('cap_month = "5 USD"', "cap_month needs per_hour"),
        ('per_hour = "1 EUR"\ncap_command = "5 USD"', "cap_command is in USD, per_hour in EUR"),
        ('per_hour = "1 EUR"\ncap_project = 5', "cap_project is 5"),
        ("project = 7", "project is 7"),
    ],
)
def test_wrong_caps_are_one_line(home: Path, text: str, said: str) -> None:
    Path("mezzotint.toml").write_text(f"[cost]\n{text}\n")
    with pytest.raises(UsageError, match=said):
        declared()


def test_another_file_is_no_book(home: Path) -> None:
    place().parent.mkdir(parents=True)
    place().write_text("no database" * 100)
    with pytest.raises(StorageError, match="cannot write"), opened():
        pytest.fail("it opened")
    assert sqlite3.sqlite_version


def test_units_are_rounded_up() -> None:
    assert units(Money(Decimal("0.0000001"), "USD")) == 1 and money(1_500_000, "USD") == usd(1.5)
