"""The meter: shares add up, calls are those that are made, money and energy are those of the time."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path

import pytest
import torch
from asking import request_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from mezzotint.costs.comparison import Row, page, rows
from mezzotint.costs.meter import Used, cost_of, started, used_in
from mezzotint.costs.prices import Prices, declared
from mezzotint.costs.runs import NOTHING, note, noted
from mezzotint.files import pretty_json
from mezzotint.governance.licence.money import Money
from mezzotint.making.calls import calls, run_calls
from mezzotint.making.image import Image
from mezzotint.making.prepare import prepare
from mezzotint.making.run import stream

amounts = st.floats(0, 1e6)


@given(st.builds(Used, amounts, amounts, amounts, amounts), st.integers(1, 64))
def test_shares_add_up(used: Used, n: int) -> None:
    total = used.share(n)
    for _ in range(n - 1):
        total += used.share(n)
    assert list(asdict(total).values()) == pytest.approx(list(asdict(used).values()))


def test_money_and_energy_are_those_of_wall_time() -> None:
    used = Used(8, 3600, 7000, 0)
    said = cost_of(used, Prices(Money(Decimal("0.40"), "USD"), 65.0))
    assert said["money"] == "0.400000 USD" and said["energy_wh_estimate"] == 65 and used_in(said) == used
    assert set(cost_of(used, Prices())) == {"calls", "seconds", "cpu_seconds", "gpu_seconds"}


def test_an_accelerator_is_counted_where_there_is_one() -> None:
    assert started().used(1, "cpu").gpu_seconds == 0
    used = started().used(1, "cuda")
    assert used.gpu_seconds == used.seconds > 0


@pytest.mark.parametrize(
    "words",
    [
        {"steps": 5, "scale": 1.0},
        {"steps": 4, "scale": 2.0},
        {"steps": 3, "scale": 0.0},
        {"steps": 6, "scale": 2.0, "image": "begin.png", "strength": 0.5},
    ],
)
def test_calls_are_those_that_the_network_gets(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)
    Pillow.new("L", (8, 8), 99).save("begin.png")
    job = prepare(request_of("sneaker", model=tiny, n=3, batch=2, **words))  # type: ignore[arg-type]
    asked: list[int] = []
    net = job.main.model.network
    assert isinstance(net, torch.nn.Module)
    kept = net.register_forward_hook(lambda _, given, made: asked.append(len(given[0])))
    images = [event for event in stream(job) if isinstance(event, Image)]
    kept.remove()
    per_row = sum(asked) / (2 * 2)  # two batches of two rows, one of them padded
    costs = [image.receipt.cost for image in images]
    assert all(cost is not None and cost["calls"] == per_row == run_calls(job) for cost in costs)
    assert all(cost["seconds"] > 0 and cost["cpu_seconds"] > 0 for cost in costs if cost)


def test_steps_that_are_taken_over_count_once(tiny: Path) -> None:
    job = prepare(request_of("sneaker", model=tiny, steps=6, scale=2.0))
    (stage,) = job.stages
    shared = replace(job, stages=(replace(stage, part=range(4)), replace(stage, part=range(4, 6))))
    assert run_calls(shared) == calls(shared) == calls(job) == 12


def test_a_run_notes_what_all_its_parts_used(tmp_path: Path) -> None:
    assert noted(tmp_path) == NOTHING
    (tmp_path / "run.json").write_text(pretty_json({"schema": "mezzotint/training-run/1", "recipe": "r"}))
    assert noted(tmp_path) == NOTHING
    note(tmp_path, Used(10, 2.5, 4, 0), Prices())
    assert noted(tmp_path) == Used(10, 2.5, 4, 0)
    (tmp_path / "run.json").write_text('{"cost": {"calls": "many"}}')
    assert noted(tmp_path) == NOTHING


def test_every_price_of_the_page_is_dated_and_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    prices = declared()
    assert (
        prices.shoot and prices.elsewhere and all(one.date and one.source for one in (*prices.shoot, *prices.elsewhere))
    )
    ours = Row("ours", "<script>alert(1)</script>", Decimal("0.001"), Decimal("0.001"), "USD", "here", "2026-11-27")
    found = rows(replace(prices, photograph=Money(Decimal(35), "EUR")), ours)
    assert [row.kind for row in found][:2] == ["ours", "photographed"] and found[1].low == 35
    text = page(found, 1000, "2026-11-27")
    assert "<script>alert" not in text and text.count("<tr>") == len(found) + 1
    assert (
        "http://" not in text
        and "https://" not in text
        and "@" not in text.partition("<script>")[0].partition("</style>")[2]
    )
