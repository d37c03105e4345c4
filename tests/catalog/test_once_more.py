"""A catalog's empty picture is made once more from its other seed, as ``generate`` makes it; twice none has failed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, receipts, rows, states, worker

import mezzotint as mz
from mezzotint.catalog.engine.make import Make, make
from mezzotint.catalog.ledger import tables as t
from mezzotint.errors import NonFiniteError
from mezzotint.making.again import other_seed
from mezzotint.making.image import Image


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def black(seeds: Collection[int], seen: list[int]) -> Make:
    """The engine's function, with nothing to see in pictures of some seeds."""

    def blackened(ready, wanted, checks) -> Iterator:
        for event in make(ready, wanted, checks):
            if isinstance(event, Image):
                seen.append(event.seed)
                event = event.showing(event.pixels * 0) if event.seed in seeds else event
            yield event

    return blackened


def broken(seeds: Collection[int]) -> Make:
    """The same, with no numbers in a batch that has one of them."""

    def breaking(ready, wanted, checks) -> Iterator:
        if any(one.seed in seeds for one in wanted):
            raise NonFiniteError("a state to decode is not finite")
        yield from make(ready, wanted, checks)

    return breaking


@pytest.mark.parametrize("kind", ["black", "broken"])
def test_it_is_the_picture_of_its_other_seed(tmp_path: Path, tiny: Path, kind: str) -> None:
    said, out = asked(manifest(tmp_path, rows=2, variants=2), tiny), tmp_path / "out"
    run, where, model = begun(said, out)
    seeds, seen = [row["seed"] for row in rows(where.db, t.asset)], list[int]()
    engine = black(seeds[:1], seen) if kind == "black" else broken(seeds[:1])
    assert worker(run, where, model, make=engine).work() == "done"
    assert states(where.db) == ["done"] * 4 and (kind == "broken" or len(seen) == 5)
    first = rows(where.db, t.asset)[0]
    (made,) = (row for row in rows(where.db, t.made) if row["id"] == first["id"])
    words = {"model": model, "steps": 2, "scale": 1.0, "threads": 1, "batch": 2}
    (alone,) = mz.generate(first["prompt"], seed=other_seed(seeds[0]), **words).images
    assert pixels(out)[made["file"]] == alone.pixels.tobytes()
    assert sorted(one["made"]["seed"] for one in receipts(out).values()) == sorted([other_seed(seeds[0]), *seeds[1:]])
    fresh, elsewhere, _ = begun(said, out, ledger=str(tmp_path / "new.sqlite"))
    seen.clear()
    assert worker(fresh, elsewhere, model, make=black((), seen)).work() == "done"
    assert seen == [], "it is found again under its own seed's name"


@pytest.mark.parametrize(("kind", "n"), [("black", 2), ("broken", 2), ("broken", 1)])
def test_twice_none_has_failed_and_is_not_called_blocked(tmp_path: Path, tiny: Path, kind: str, n: int) -> None:
    run, where, model = begun(asked(manifest(tmp_path, rows=n, variants=n), tiny), tmp_path / "out")
    seed, seen = rows(where.db, t.asset)[0]["seed"], list[int]()
    none = (seed, other_seed(seed))
    assert worker(run, where, model, make=black(none, seen) if kind == "black" else broken(none)).work() == "done"
    assert states(where.db) == ["parked", *["done"] * (n * n - 1)]
    error = json.loads(rows(where.db, t.asset)[0]["detail"])["error"]
    assert ("MZ-O-structure-black" if kind == "black" else f"with seeds {seed} and {none[1]}") in error
    assert len(pixels(tmp_path / "out")) == n * n - 1 and not (tmp_path / "out/quarantine").exists()
    assert seen.count(none[1]) <= 1, "once more, not for ever"
