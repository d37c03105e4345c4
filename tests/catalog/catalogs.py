"""Small real catalogs for tests: a manifest, the tiny model, a place; and how two places are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from sqlalchemy import select

from mezzotint.catalog.engine.gates import Pictures, Prompts
from mezzotint.catalog.engine.recipes import Recipes
from mezzotint.catalog.engine.worker import Worker
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.runs import Run, recipes_of
from mezzotint.catalog.plan.words import Words
from mezzotint.catalog.planning import Asked
from mezzotint.catalog.running import Place, begin, open_place
from mezzotint.governance.provenance.release import Release
from mezzotint.making.heeded import gates
from mezzotint.making.request import Sampling
from mezzotint.pretrained.model import Model, load

KINDS = ("sneaker", "ankle boot", "t-shirt")


def manifest(folder: Path, rows: int = 4, variants: int = 3) -> Path:
    """A row a product; three kinds as a factor in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"S-{k},{KINDS[k % 3]},{variants}" for k in range(rows)]
    (folder / "m.csv").write_text("\n".join(["sku,prompt,variants", *lines]) + "\n")
    return folder / "m.csv"


def asked(path: Path, model: Path, seed: int = 0, **more: Any) -> Asked:
    """Four rows a batch, one thread, no probe."""
    return Asked(
        str(path),
        Words(model=str(model), batch=4, seed=seed, sampling=Sampling(steps=2, scale=1.0, threads=1)),
        probe=0,
        **more,
    )


def begun(said: Asked, out: Path | str, ledger: str | None = None) -> tuple[Run, Place, Model]:
    """A run that is planned."""
    where, model = open_place(str(out), ledger), load(said.words.model)
    return begin(said, where, model)[0], where, model


def worker(run: Run, where: Place, model: Model, **more: Any) -> Worker:
    """One that signs nothing."""
    recipes = Recipes(run.words, model, recipes_of(where.db, run.id))
    sides = gates()
    usual = {"look": Pictures(sides.pictures), "pause": lambda _: None}
    return Worker(where.db, run, recipes, where.store, Release(), Prompts(sides.texts), **{**usual, **more})


def rows(db: Database, table: Any) -> list[dict[str, Any]]:
    """All of a table."""
    with db.reading() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def states(db: Database) -> list[str]:
    """Of the assets, in their order."""
    found = sorted(rows(db, t.asset), key=lambda row: (row["run"], row["number"]))
    return [row["state"] for row in found]


def pixels(out: Path) -> dict[str, bytes]:
    """The decoded pixels of every asset, by its name."""
    return {str(p.relative_to(out)): Pillow.open(p).tobytes() for p in sorted((out / "assets").rglob("*.png"))}


def receipts(out: Path) -> dict[str, Any]:
    """Every receipt but for its times and its cost."""
    own = {"times": None, "cost": None}
    return {p.stem: {**json.loads(p.read_text()), **own} for p in sorted((out / "receipts").glob("*.json"))}
