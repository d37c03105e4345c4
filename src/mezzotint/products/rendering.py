"""``render``: a catalog of 3-D products to a folder of pictures, with credits and a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mezzotint.errors import UsageError, unknown
from mezzotint.files import write_atomic
from mezzotint.products import textures
from mezzotint.products.catalog import DEFAULT, Product, products
from mezzotint.products.session import Order, records, session

Report = Callable[[int, int, str], None]
"""(products done, of how many, the last one's id)."""


@dataclass(frozen=True)
class Rendered:
    """What a folder holds: pictures, of so many products; and those skipped, id -> why."""

    pictures: int
    products: int
    skipped: Mapping[str, str]


def silent(done: int, total: int, name: str) -> None:
    """Reports nothing."""


def render(
    out: Path,
    *,
    catalog: Path | None = None,
    n: int = 24,
    size: int = 256,
    seed: int = 0,
    workers: int = 2,
    only: Sequence[str] = (),
    report: Report = silent,
) -> Rendered:
    """Photographs the products of a catalog into ``out``, going on from what is there.

    Args: catalog: folder of .sh3f files.  n: pictures a product.  size: their side, 32 … 2048 px.
        only: ids; () is all.   Raises UsageError, InputError, StorageError.
    """
    if not 32 <= size <= 2048 or not 1 <= workers <= 64:
        raise UsageError(f"size {size}, workers {workers}; expected 32 to 2048 px and 1 to 64 processes")
    folder = catalog or DEFAULT
    wanted = _chosen(products(folder), only)
    textures.export(folder, out)
    order = Order(folder, out, n, size, seed)
    done = {name for name in records(out) if name in {p.id for p in wanted}}
    for finished in session(order, wanted, workers):
        done.add(finished.id)
        report(len(done), len(wanted), finished.id)
    made = records(out)
    write_atomic(out / "CREDITS.md", credits(made.values()))
    return Rendered(
        pictures=sum(len(r.get("shots", ())) for r in made.values()),
        products=sum("skipped" not in r for r in made.values()),
        skipped={name: r["skipped"] for name, r in made.items() if "skipped" in r},
    )


def _chosen(known: Sequence[Product], only: Sequence[str]) -> list[Product]:
    by_id = {p.id: p for p in known}
    for name in only:
        if name not in by_id:
            raise unknown("product", name, by_id)
    return [by_id[name] for name in only] if only else list(known)


def credits(made: Sequence[Mapping[str, Any]] | Any) -> str:
    """Who made the models, under which licence: Markdown, one line a product, as CC-BY asks."""
    lines = sorted(
        f"| {r['name']} | {r['id']} | {r['creator'] or 'see the catalog'} | {r['licence']} |"
        for r in made
        if "skipped" not in r
    )
    head = "# Credits of the 3-D models\n\n| product | id | author | licence |\n|---|---|---|---|\n"
    return head + "\n".join(lines) + "\n"


def contact_sheet(out: Path, number: int, side: int, columns: int) -> Image.Image:
    """Picture ``number`` of every product on white, ``side`` px each, to look through."""
    paths = [out / name / f"{number:02d}.png" for name, r in records(out).items() if "skipped" not in r]
    rows = -(-len(paths) // columns)
    sheet = Image.new("RGB", (columns * side, max(1, rows) * side), "white")
    for i, path in enumerate(paths):
        with Image.open(path) as image:
            shadow = Image.open(path.with_name(f"{path.stem}-shadow.png"))
            ground = np.full((*image.size, 3), 255, np.float32) * (1 - np.asarray(shadow, np.float32)[..., None] / 340)
            scene = Image.fromarray(ground.astype(np.uint8))
            scene.paste(image, (0, 0), image)
            sheet.paste(scene.resize((side, side), Image.Resampling.BOX), (i % columns * side, i // columns * side))
    return sheet
