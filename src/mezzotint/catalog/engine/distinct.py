"""Siblings that came out too alike: the later one is replaced by another, of another seed, three times at most.

Alike is by features: one minus the cosine of EfficientNet's, of the two pictures.  Which are replaced, and by which
seeds, follows from the pictures alone, so a run that is killed here comes to the same catalog.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.runs import recipes_of
from mezzotint.catalog.plan.batches import batched
from mezzotint.catalog.plan.prepared import asset_id
from mezzotint.catalog.store import Store
from mezzotint.catalog.variants.identity import SEEDS, digest

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST = 3
Look = Callable[[bytes], NDArray[np.float32]]
"""A picture's file -> its features, of length 1."""


@dataclass(frozen=True)
class Alike:
    """An asset that is too like an earlier sibling.   row: of the ledger."""

    row: Mapping[str, Any]
    sibling: str


def _recipe(one: Alike) -> int:
    return int(one.row["recipe"])


def replace_alike(db: Database, run: str, store: Store, least: float, look: Look) -> int:
    """Plans another for each asset that is nearer than ``least`` to a sibling before it.   Returns: how many.

    What is replaced leaves the catalog, unless another asset is the same picture.  One that was replaced three times
    stays, for a person to look at.
    """
    found = [one for group in _siblings(db, run) for one in _alike(group, store, least, look)]
    fresh = [one for one in found if one.row["again"] < MOST]
    recipes = recipes_of(db, run)

    def change(c: Connection) -> list[str]:
        for one in found:
            if one.row["again"] >= MOST:
                _note(c, one)
        for number, group in groupby(sorted(fresh, key=_recipe), key=_recipe):
            for some in batched(list(group), recipes[number][2]):
                _plan(c, run, number, recipes[number][0], some)
        return _forgotten(c, fresh)

    for name in db.write(change):
        store.drop(name)
    return len(fresh)


def _forgotten(c: Connection, fresh: Sequence[Alike]) -> list[str]:
    """The files of pictures that no asset is any more; the ledger forgets that they were made."""
    from sqlalchemy import delete, select

    from mezzotint.catalog.ledger import tables as t

    ids = {one.row["id"] for one in fresh}
    used = set(c.execute(select(t.asset.c.id).where(t.asset.c.id.in_(ids))).scalars())
    gone = t.made.c.id.in_(ids - used)
    rows = c.execute(select(t.made.c.file, t.made.c.receipt).where(gone)).all()
    c.execute(delete(t.made).where(gone))
    return [name for file, receipt in rows for name in (file, f"receipts/{receipt}.json")]


def _siblings(db: Database, run: str) -> list[list[Mapping[str, Any]]]:
    """Assets that are there, by product, in the plan's order."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    joined = t.asset.join(t.made, t.made.c.id == t.asset.c.id)
    query = select(t.asset, t.made.c.file).select_from(joined).where(t.asset.c.run == run, t.asset.c.state == "done")
    rows = db.read(lambda c: c.execute(query.order_by(t.asset.c.number)).mappings().all())
    by_sku: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_sku.setdefault(row["sku"], []).append({str(name): value for name, value in row.items()})
    return list(by_sku.values())


def _alike(group: Sequence[Mapping[str, Any]], store: Store, least: float, look: Look) -> list[Alike]:
    kept, found = list[tuple[str, NDArray[np.float32]]](), list[Alike]()
    for row in group if len(group) > 1 else ():
        data = store.get(row["file"])
        if data is None:
            continue
        own = look(data)
        near = next((name for name, other in kept if 1 - float(own @ other) < least), None)
        if near is None:
            kept.append((row["variant"], own))
        else:
            found.append(Alike(row, near))
    return found


def _plan(c: Connection, run: str, number: int, recipe: str, some: Sequence[Alike]) -> None:
    """A batch of others in their places, unless another worker planned it."""
    from sqlalchemy import func, insert, select, update

    from mezzotint.catalog.ledger import tables as t

    batch = c.execute(select(func.max(t.batch.c.number)).where(t.batch.c.run == run)).scalar_one() + 1
    changed = 0
    for one in some:
        seed = digest("again", one.row["seed"]) % SEEDS
        here = (t.asset.c.run == run) & (t.asset.c.number == one.row["number"]) & (t.asset.c.id == one.row["id"])
        values = {"id": asset_id(recipe, one.row["prompt"], seed), "seed": seed, "batch": batch, "state": "waiting"}
        change = update(t.asset).where(here).values(**values, detail=None, again=one.row["again"] + 1)
        changed += c.execute(change).rowcount
    if changed:
        fresh = {"state": "waiting", "begin_after": 0.0, "tries": 0, "used": 0.0}
        c.execute(insert(t.batch).values(run=run, number=batch, recipe=number, **fresh))


def _note(c: Connection, one: Alike) -> None:
    from sqlalchemy import update

    from mezzotint.catalog.ledger import tables as t

    detail = {**json.loads(one.row["detail"] or "{}"), "review": f"it is much like {one.sibling}"}
    here = (t.asset.c.run == one.row["run"]) & (t.asset.c.number == one.row["number"]) & (t.asset.c.id == one.row["id"])
    c.execute(update(t.asset).where(here).values(detail=json.dumps(detail)))


def features() -> Look:
    """EfficientNet's, that ship.  Raises ModelError where they are not installed."""
    import torch
    from PIL import Image as Pillow

    from mezzotint.evaluation.features import extractor

    extract = extractor()

    def look(data: bytes) -> NDArray[np.float32]:
        with Pillow.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.asarray(image.convert("RGB"), np.uint8).transpose(2, 0, 1)[None]
        found = np.asarray(extract(torch.from_numpy(pixels.copy()))[0], np.float32)
        return np.asarray(found / (np.linalg.norm(found) + 1e-12), np.float32)

    return look
