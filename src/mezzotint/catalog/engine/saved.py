"""A picture's way out: receipt, credential and entry first; where the picture has its name, all of it is."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzotint.catalog.ledger.leases import Wish
from mezzotint.catalog.product.locked import Product
from mezzotint.catalog.store import Store
from mezzotint.errors import InputError, StorageError
from mezzotint.files import pretty_json, sha256
from mezzotint.governance.provenance.release import Release
from mezzotint.governance.receipt import Receipt, from_dict, to_dict
from mezzotint.governance.safety.output.sealed import SUFFIX
from mezzotint.making.again import other_seed
from mezzotint.making.image import Image
from mezzotint.pictures.png import Pixels, to_pixels

SLUG = 40


@dataclass(frozen=True)
class Saved:
    """Where an asset is, and what its pixels are."""

    file: str
    receipt: str
    pixels_sha256: str


def name_of(wish: Wish) -> str:
    """``assets/<sku>/<variant>-<id>.png``."""
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in wish.variant.lower())
    parts = [part for part in slug.split("-") if part]
    return f"assets/{wish.sku}/{'-'.join(parts)[:SLUG].strip('-') or 'picture'}-{wish.id[:12]}.png"


def save(store: Store, release: Release, wish: Wish, image: Image, product: Product | None) -> Saved:
    """Raises StorageError, ProvenanceError, LedgerError."""
    made = image.receipt.made.asset_id
    receipt = pretty_json(to_dict(image.receipt)).encode()
    store.put(f"receipts/{made}.json", receipt)
    data = release.file(image.png(), image.receipt, sha256(receipt))
    if product is not None and product.locked(decoded(data)) != product.said["locked"]:
        raise StorageError("the product's locked pixels are not in the file as they were photographed; nothing is kept")
    store.put(name_of(wish), data)
    return Saved(name_of(wish), made, image.receipt.pixels_sha256)


def decoded(data: bytes) -> Pixels:
    """A PNG's pixels."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data), formats=("PNG",)) as image:
        return to_pixels(image)


def found(store: Store, wish: Wish) -> Saved | None:
    """An asset that is there already, whole: a worker died after it was named and before it was noted.

    Its receipt is that of its pixels, and of this prompt and seed, or its other seed; else it counts as not there.
    """
    data = store.get(name_of(wish))
    if data is None:
        return None
    try:
        pixels, made = decoded(data), _asset_of(data)
        receipt = _receipt(store, made)
    except (OSError, SyntaxError, ValueError, InputError):
        return None
    seeds = (wish.seed, other_seed(wish.seed))
    same = receipt.made.seed in seeds and receipt.made.prompt == wish.prompt
    whole = receipt.pixels_sha256 == sha256(pixels.tobytes())
    return Saved(name_of(wish), made, receipt.pixels_sha256) if same and whole else None


def _asset_of(data: bytes) -> str:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data), formats=("PNG",)) as image:
        return Path(str(image.info.get("mezzotint:asset_id", ""))).name


def _receipt(store: Store, made: str) -> Receipt:
    data = store.get(f"receipts/{made}.json")
    if data is None:
        raise InputError(f"no receipt {made}")
    return from_dict(json.loads(data), made)


def quarantine(store: Store, wish: Wish, verdict: Mapping[str, Any], sealed: bytes | None = None) -> None:
    """Keeps what a gate said, apart from the catalog.  Its pixels never leave the process but in a sealed box."""
    if sealed is not None:
        store.put(f"quarantine/{wish.id}{SUFFIX}", sealed)
    said = {"sku": wish.sku, "variant": wish.variant, "seed": wish.seed, "verdict": dict(verdict)}
    store.put(f"quarantine/{wish.id}.json", pretty_json(said).encode())
