"""The budget: one more cap of the book; set aside before, settled after, never above any cap, whatever fails."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogs import asked, begun, manifest, rows, states, worker
from PIL import Image
from tiny_systems import with_presets

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.ledger.leases import Lease, beat, fail, finish, lease
from mezzotint.catalog.ledger.runs import counts, the_run
from mezzotint.catalog.money import book_here, paid, spent_by
from mezzotint.catalog.plan.estimate import Pace
from mezzotint.catalog.plan.plan import plain
from mezzotint.cli import run
from mezzotint.costs.book import opened
from mezzotint.errors import BudgetError, UsageError
from mezzotint.making.calls import calls
from mezzotint.making.image import image_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


class Virtual:
    """An engine whose batches take virtual seconds, and fail now and then."""

    def __init__(self, generator: random.Random) -> None:
        self.now, self.generator = 0.0, generator

    def idle(self, seconds: float) -> None:
        """Time goes on while a worker waits; else a batch that is to be tried again later never would be."""
        self.now += seconds
        threading.Event().wait(0.001)

    def make(self, ready: Any, wanted: Any, checks: Any) -> Iterator[Any]:
        for _ in range(2):
            self.now += self.generator.uniform(0.5, 1.0)
            if self.generator.random() < 0.1:
                raise ConnectionError("lost")
            yield None
        for one in wanted:
            noise = np.random.default_rng(one.seed).integers(0, 256, (8, 8, 1), np.uint8)
            yield image_of(ready.job.made(one), noise, 1.0)


def priced(run: Any, where: Any, cap: int, per_hour: int = 3600, rate: float = 1e-6) -> Any:
    """The run with a price of a millionth a second, and a cap."""
    values = {"cap": cap, "book": book_here(), "per_hour": per_hour, "currency": "USD", "rate": rate}
    where.db.write(lambda c: c.execute(t.run.update().values(**values)))
    return the_run(where.db, run.id)


def held(run: Any) -> int:
    """What a run has spent and reserved, in millionths."""
    line = spent_by(run)
    return int((line.spent.amount + line.reserved.amount) * 1_000_000)


LONG = (pytest.mark.slow, pytest.mark.timeout(1200))
SLICES = [
    range(6),
    *(pytest.param(range(k, k + 40), marks=LONG) for k in range(0, 200, 40)),
]


@pytest.mark.parametrize("runs", SLICES, ids=str)
def test_eight_workers_with_failures_never_spend_more(tmp_path: Path, tiny: Path, runs: range) -> None:
    path, ends, made = manifest(tmp_path, rows=8, variants=4), set(), 0
    for k in runs:
        generator = random.Random(k)
        run, where, model = begun(asked(path, tiny), tmp_path / f"out-{k}")
        cap = generator.randrange(2, 40)
        run = priced(run, where, cap)
        over: list[int] = []

        def spend(run=run, where=where, model=model, over=over, cap=cap, seed=k) -> None:
            engine = Virtual(random.Random(seed * 100 + threading.get_ident() % 97))
            with paid(run) as money:
                clocks = {"clock": lambda: engine.now, "wall": lambda: 1e12 + engine.now}
                mine = worker(run, where, model, money=money, make=engine.make, **clocks)
                mine.pause = engine.idle
                mine.work()
                over.append(held(run) - cap)

        threads = [threading.Thread(target=spend) for _ in range(8)]
        [one.start() for one in threads]
        [one.join() for one in threads]
        assert len(over) == 8 and max(over) <= 0, f"run {k}: {held(run)} of {cap}"
        assert spent_by(run).reserved.amount == 0 and held(run) <= cap
        here = counts(where.db, run.id)
        ends.add(here["waiting"] == 0)
        assert here["done"] == len(rows(where.db, t.made)) and here["parked"] == 0
        where.db.engine.dispose()
        made += here["done"]
    assert ends == {True, False} or len(runs) < 10, "some could be paid and some not"
    assert made, "they make something"


def test_money_is_set_aside_once_and_settled_once(tmp_path: Path, tiny: Path) -> None:
    run, where, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    run = priced(run, where, 100, rate=1.0)
    where.db.write(lambda c: c.execute(t.run.update().values(rate=10 / rows_work(where))))
    with paid(run) as money:
        assert money is not None
        first = lease(where.db, run.id, "here|1|1|a", 0.0, money.covers)
        assert isinstance(first, Lease) and held(run) == 10
        assert money.covers(95.0, 5.0) and held(run) == 95 and spent_by(run).spent.amount * 1_000_000 == 5
        assert not money.covers(101.0, 5.0) and held(run) == 95, "the cap"
        assert beat(where.db, first, 5.0, 0.0)
        money.settle(7.0, 4)
        assert finish(where.db, first, [], 7.0) and finish(where.db, first, [], 7.0), "after a lost connection"
        assert held(run) == 7 and rows(where.db, t.run)[0]["seconds"] == 7.0
        other = lease(where.db, run.id, "here|1|1|b", 0.0, money.covers)
        assert isinstance(other, Lease)
        money.settle(3.0, 0)
        assert fail(where.db, other, "x", 3.0, 1.0) and not fail(where.db, other, "x", 3.0, 1.0)
        assert held(run) == 10
    with paid(run) as again:
        assert again is not None and again.covers(90.0) and not again.covers(90.5), "of all times that it goes on"
    assert spent_by(run).pictures == 4


def test_what_a_dead_worker_held_comes_back(tmp_path: Path, tiny: Path) -> None:
    import socket

    run, where, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    run = priced(run, where, 1000)
    where.db.write(lambda c: c.execute(t.run.update().values(rate=10 / rows_work(where))))
    with paid(run) as money, paid(run) as own:
        assert money is not None and own is not None
        far = lease(where.db, run.id, "elsewhere|7|5|a", 0.0)
        gone = lease(where.db, run.id, f"{socket.gethostname()}|{2**22 + 1}|5|a", 0.0, money.covers)
        assert isinstance(gone, Lease) and isinstance(far, Lease) and far.number != gone.number
        money.note(3.0)
        beat(where.db, gone, 3.0, 0.0)
        with opened() as book:
            book.connection.execute("UPDATE spending SET pid = ? WHERE id = ?", (2**22 + 1, money.number))
        again = lease(where.db, run.id, "here|1|1|c", 1.0, own.covers)
        assert isinstance(again, Lease) and again.number == gone.number, "its process is gone"
        assert held(run) == 3 + 10, "what it had noted, and what the one that lives set aside"
        assert not finish(where.db, gone, [], 9.0), "it comes too late"
        third = lease(where.db, run.id, "here|1|1|d", 700.0)
        assert isinstance(third, Lease) and third.number == far.number, "silent for too long"


def rows_work(where: Any) -> int:
    work: int = rows(where.db, t.recipe)[0]["work"]
    return work


def steady(seconds: float) -> Virtual:
    """An engine whose steps all take as long, and never fail."""
    engine = Virtual(random.Random(0))
    engine.generator.uniform = lambda a, b: seconds  # type: ignore[method-assign]
    engine.generator.random = lambda: 1.0  # type: ignore[method-assign]
    return engine


def test_a_batch_that_takes_longer_than_was_thought_is_left_before_the_cap(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    run = priced(run, where, 5, rate=0.5 / rows_work(where))
    engine = steady(2.0)
    with paid(run) as money:
        mine = worker(run, where, model, money=money, make=engine.make, clock=lambda: engine.now)
        assert mine.work() == "over_budget"
    assert held(run) <= 5 and spent_by(run).reserved.amount == 0 and set(states(where.db)) == {"waiting"}


def test_the_cap_of_a_month_holds_for_catalogs(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs and another command: all together never spend more, and the run says which cap it was."""
    from mezzotint.catalog.running import end
    from mezzotint.costs.caps import declared

    monkeypatch.chdir(tmp_path)
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "3600 USD"\ncap_month = "14 USD"\n')
    with opened() as book:
        book.settle(book.begin("generate", declared(), "USD"), 3_000_000, 0)
    states = []
    for name in ("one", "two"):
        run, where, model = begun(asked(manifest(tmp_path), tiny), name)
        values = {"per_hour": 3_600_000_000, "currency": "USD", "rate": 2.0 / rows_work(where)}
        where.db.write(lambda c, v=values: c.execute(t.run.update().values(**v)))
        run, engine = the_run(where.db, run.id), steady(1.0)
        with paid(run) as money:
            clock = {"clock": lambda e=engine: e.now}
            mine = worker(run, where, model, money=money, make=engine.make, look=lambda image: image, **clock)
            states.append(mine.work())
    assert states == ["done", "over_budget"], "the same manifest in another folder is another run"
    assert "the cap of this month" in end(run, where, "over_budget").refused
    with opened() as book:
        (line,) = book.lines()
    assert 12 <= line.spent.amount + line.reserved.amount <= 14 and line.pictures >= 12


def test_the_cap_of_a_command_is_one_of_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mezzotint.catalog.brief import Brief
    from mezzotint.catalog.planning import Asked, price

    monkeypatch.chdir(tmp_path)
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "1 USD"\ncap_command = "0.30 USD"\n')
    said = {budget: str(price(Asked("m.csv", budget=budget), Brief())[1]) for budget in (None, "0.20", "0.50")}
    assert said == {None: "0.30 USD", "0.20": "0.20 USD", "0.50": "0.30 USD"}


def test_a_budget_of_another_book_is_not_spent(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, where, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    run = priced(run, where, 5)
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(BudgetError, match="is counted in another book"), paid(run):
        pytest.fail("it was opened")


LADDER = """[factors]
kind = ["sneaker", "ankle boot", "t-shirt"]
[degrade]
ladder = ["variants 2", "steps 1", "variants 1"]
"""


@pytest.mark.parametrize(
    ("budget", "rungs", "assets"), [("1000", [], 12), ("6", ["variants 2"], 8), ("4", ["variants 2", "steps 1"], 8)]
)
def test_a_budget_goes_down_the_ladder(tmp_path: Path, tiny: Path, budget: str, rungs: list[str], assets: int) -> None:
    """Three variants of four products: batches of four rows and two calls; one unit of work is a second here."""
    from mezzotint.catalog.planning import plan, read
    from mezzotint.pretrained.model import load

    (tmp_path / "m.csv").write_text("sku,prompt\n" + "".join(f"S-{k},{{kind}}\n" for k in range(4)))
    (tmp_path / "m.toml").write_text(LADDER)
    said = asked(tmp_path / "m.csv", tiny, budget=budget, per_hour="3600 USD")
    model, unit = load(str(tiny)), 4 * 2 * 8 * 8
    found = plan(said, read(said), model, known=Pace(2 / unit, 2 / unit))
    assert list(map(str, found.plan.rungs)) == rungs and len(found.plan.assets) == assets
    assert found.money is not None and found.money[1].amount <= int(budget)
    assert found == plan(said, read(said), model, known=Pace(2 / unit, 2 / unit)), "the same choices each time"
    with pytest.raises(BudgetError, match="the least on the ladder may take"):
        plan(
            asked(tmp_path / "m.csv", tiny, budget="0.5", per_hour="3600 USD"),
            read(said),
            model,
            known=Pace(2 / unit, 2 / unit),
        )


@pytest.mark.parametrize(("said", "share", "rungs", "drawn"), [
    (None, 1.0, [], [3, 1]), (None, 0.9, ["candidates 2"], [2, 1]),
    (None, 0.6, ["candidates 2", "candidates 1"], [1, 1]),
    (4, 1.0, [], [4, 4]), (4, 0.7, ["candidates 2"], [2, 2]),
])  # fmt: skip
def test_candidates_are_given_up_and_a_photograph_has_none_by_preset(
    tmp_path: Path, said: int | None, share: float, rungs: list[str], drawn: list[int]
) -> None:
    from mezzotint.catalog.plan.prepared import prepared
    from mezzotint.catalog.planning import plan, read
    from mezzotint.pretrained.model import load

    usual = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 4, "scale": 2.0}
    model = load(str(with_presets(tmp_path / "usual", standard={**usual, "candidates": 3})))
    Image.new("RGB", (16, 16), "grey").save(tmp_path / "b.png")
    (tmp_path / "m.csv").write_text("sku,prompt,image\nA,a red chair,\nB,a desk lamp,b.png\n")
    (tmp_path / "m.toml").write_text("[degrade]\nladder = ['candidates 2', 'candidates 1']\n")
    asks = asked(tmp_path / "m.csv", tmp_path / "usual", per_hour="3600 USD")
    asks = replace(asks, words=replace(asks.words, sampling=replace(asks.words.sampling, candidates=said, steps=4)))
    dear = plan(asks, read(asks), model, known=Pace(1.0, 1.0)).seconds.high
    asks = replace(asks, budget=f"{share * dear:.0f}")
    whole = plan(asks, read(asks), model, known=Pace(1.0, 1.0))
    assert list(map(str, whole.plan.rungs)) == rungs
    cooked = [whole.plan.recipes[one.recipe] for one in whole.plan.assets]
    assert [prepared(one.recipe, asks.words, model, 1).job.main.plan.candidates for one in cooked] == drawn
    alone = [prepared(plain(one.recipe), asks.words, model, 1).job for one in cooked]
    assert [one.calls for one in cooked] == list(map(calls, alone))


@pytest.mark.parametrize(
    ("budget", "per_hour", "message"),
    [
        ("-1", "1 USD", "is negative"),
        ("x", "1 USD", "is no amount"),
        ("1 EUR", "1 USD", "--budget is in EUR and the price in USD"),
        ("1", None, "--budget needs a price"),
        (None, "1", "is no amount"),
    ],
)
def test_bad_budgets_are_one_line(tmp_path: Path, tiny: Path, budget: str, per_hour: str, message: str) -> None:
    from mezzotint.catalog.brief import Brief
    from mezzotint.catalog.planning import price

    with pytest.raises(UsageError, match=message):
        price(asked(tmp_path / "m.csv", tiny, budget=budget, per_hour=per_hour), Brief())


@pytest.mark.parametrize(("said", "n"), [([], 2), (["--candidates", "4"], 4)])
def test_a_brief_says_how_many_candidates(
    tmp_path: Path, said: list[str], n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 4, "scale": 2.0}
    model = with_presets(tmp_path / "usual", standard={**usual, "candidates": 3})
    (tmp_path / "m.csv").write_text("sku,prompt\nA,a red chair\n")
    words = ["catalog", "plan", str(tmp_path / "m.csv"), "--model", str(model), "--probe", "0", "--json", *said]
    (tmp_path / "m.toml").write_text("[plan]\ncandidates = 2\n")
    assert run(words) == 0
    calls = json.loads(capsys.readouterr().out)["calls"]
    assert calls == 2 * (n * 2 + 4)
    (tmp_path / "m.toml").write_text("[plan]\ncandidates = 65\n")
    assert run(words) == 2
    assert "candidates is 65; expected" in capsys.readouterr().err.replace("\n", " ")
