"""Manifests of what shops export: Vendure's sample products, Shopify's products, feeds of Google's Merchant Center."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from mezzotint.catalog.manifest.columns import sku_of
from mezzotint.catalog.manifest.decoded import decoded
from mezzotint.catalog.manifest.problem import WrongError
from mezzotint.catalog.sheet import csv_text
from mezzotint.errors import InputError
from mezzotint.files import read_bytes

MAX_BYTES = 1 << 28
PROMPT = "{name} on a {background} background"
BACKDROP = "{background}"
BRIEF = """# What is varied; `mezzotint catalog check` says what does not fit.
# Locked products are laid on these colours, without a network; where the cell of the column backdrop is empty, the
# model paints a background by the prompt.
[factors]
background = ["white", "light grey", "beige"]
"""
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Item:
    """A product, or a variant of one.   image: a file's name, "" where there is none.   more: free columns."""

    sku: str
    name: str
    image: str
    more: Mapping[str, str]


@dataclass(frozen=True)
class Imported:
    """text: the manifest as CSV.   brief: beside it.   rows, pictures: how many, and how many have a photograph here.
    notes: what was left out."""

    text: str
    brief: str
    rows: int
    pictures: int
    notes: tuple[str, ...]


def vendure(folder: Path) -> list[Item]:
    """``products.csv`` of Vendure's importer, in a folder: a row without a name is a variant of the product before."""
    found, product = list[Item](), dict[str, str]()
    for row in _rows(_one(folder, "products.csv")):
        product = {**row} if row.get("name") else product
        options = row.get("optionValues", "").replace("|", " ")
        name = " ".join(filter(None, (product.get("name", ""), options)))
        assets = row.get("variantAssets") or product.get("assets", "")
        facets = [facet.partition(":")[::2] for facet in product.get("facets", "").split("|") if ":" in facet]
        first = {f"facet {k}": v for k, v in reversed(facets)}
        more = {"product": product.get("name", ""), "price": row.get("price", ""), **first}
        found.append(Item(row.get("sku", ""), name, assets.partition("|")[0], more))
    return found


def shopify(file: Path) -> list[Item]:
    """Shopify's product export: rows of one handle are its variants and its further pictures."""
    found, title, picture = list[Item](), dict[str, str](), dict[str, str]()
    for row in _rows(file):
        handle = row.get("Handle", "")
        title[handle] = row.get("Title") or title.get(handle, "")
        picture.setdefault(handle, row.get("Image Src", ""))
        if not row.get("Variant SKU"):
            continue
        options = [row.get(f"Option{k} Value", "") for k in (1, 2, 3)]
        said = " ".join(value for value in options if value and value != "Default Title")
        image = row.get("Variant Image") or picture[handle]
        more = {"product": title[handle], "vendor": row.get("Vendor", ""), "type": row.get("Type", "")}
        name = " ".join(filter(None, (title[handle], said)))
        found.append(Item(row["Variant SKU"], name, _name_of(image), {**more, "price": row.get("Variant Price", "")}))
    return found


def google(file: Path) -> list[Item]:
    """A product feed of Google's Merchant Center, tabs or XML."""
    rows = _feed(file) if file.suffix.lower() == ".xml" else _rows(file)
    named = ("brand", "color", "material", "price", "product_type")
    return [
        Item(
            row.get("id", ""),
            row.get("title", ""),
            _name_of(row.get("image_link", "")),
            {n: row.get(n, "") for n in named},
        )
        for row in ({name.replace(" ", "_").lower(): value for name, value in row.items()} for row in rows)
    ]


SHOPS: Mapping[str, Callable[[Path], list[Item]]] = {"vendure": vendure, "shopify": shopify, "google": google}


def imported(items: Sequence[Item], pictures: Path, source: str, lock: str, folder: Path) -> Imported:
    """The manifest of some products.

    pictures: the folder in which photographs are looked for, by name, however deep.
    lock: yes | no, for rows with one.
    folder: of the manifest, from which photographs in it are named; those elsewhere are from ``pictures``, with a note.
    Raises InputError where there are no products.
    """
    root, top = pictures.resolve(), folder.resolve()
    inside = root.is_relative_to(top)
    named_from = root.relative_to(top) if inside else Path()
    there = {
        path.name: named_from / path.relative_to(pictures)
        for path in sorted(pictures.rglob("*"))
        if path.suffix.lower() in PICTURES
    }
    rows, notes, seen, missing = list[tuple[str, ...]](), list[str](), set[str](), 0
    extra = tuple(dict.fromkeys(name for item in items for name in item.more))
    for item in items:
        sku, why = _named(item, seen)
        notes += [f"{item.sku or item.name or 'a row'}: {why}"] if why else []
        if not sku:
            continue
        seen.add(sku)
        image = _literal(there[item.image]) if item.image in there else ""
        missing += bool(item.image) and not image
        free = (_plain(item.more.get(name, "")) for name in extra)
        laid = BACKDROP if image and lock == "yes" else ""
        rows.append((sku, PROMPT, _plain(item.name), image, lock if image else "", laid, *free))
    if not rows:
        raise InputError(f"{source} has no products; expected an export of products with SKUs")
    notes += [f"{missing} photographs are not in {pictures}"] if missing else []
    if not inside and any(row[3] for row in rows):
        notes.append(f"photographs lie outside the manifest's folder; check and run it with --pictures {pictures}")
    text = csv_text(("sku", "prompt", "name", "image", "lock", "backdrop", *extra), rows)
    return Imported(text, BRIEF, len(rows), sum(bool(row[3]) for row in rows), tuple(notes))


def _named(item: Item, seen: set[str]) -> tuple[str, str]:
    """(the SKU, what has to be said of it): one that cannot name a folder is changed; "" leaves the item out."""
    sku, said = item.sku, ""
    try:
        sku_of(sku)
    except WrongError as wrong:
        sku, said = wrong.nearest or "", f"written as {wrong.nearest}, which can name a folder"
    if not sku or not item.name:
        return "", f"left out: it has no {'name' if sku else 'SKU'}"
    return ("", "left out: the SKU is there already") if sku in seen else (sku, said)


def _plain(text: str) -> str:
    """Without markup, in one line; braces would be templates."""
    return " ".join(_TAG.sub(" ", text).replace("{", "(").replace("}", ")").split())


def _literal(path: Path) -> str:
    """A path as a template that says just it."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _name_of(address: str) -> str:
    """The file's name of an address: photographs are never fetched."""
    return Path(urlsplit(address).path).name


def _one(folder: Path, name: str) -> Path:
    """A file of a folder, however deep.  Raises InputError unless there is just one."""
    found = [folder] if folder.is_file() else sorted(folder.rglob(name))
    if len(found) != 1:
        raise InputError(f"{folder} holds {len(found)} files {name}; expected one")
    return found[0]


def _rows(file: Path) -> list[dict[str, str]]:
    """Of a CSV, or of one with tabs.  Raises InputError."""
    text, problems = decoded(read_bytes(file, MAX_BYTES))
    if problems:
        raise InputError(f"{file}: {problems[0]}")
    first = text.partition("\n")[0]
    try:
        head, *lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",")
    except (csv.Error, ValueError) as error:
        raise InputError(f"{file}: {error}; expected CSV with a header") from error
    names = [name.strip() for name in head]
    return [dict(zip(names, map(str.strip, line), strict=False)) for line in lines if any(map(str.strip, line))]


def _feed(file: Path) -> Iterator[dict[str, str]]:
    """Of an RSS or Atom feed.  Raises InputError."""
    data = read_bytes(file, MAX_BYTES)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InputError(f"{file} declares entities; expected a plain feed")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise InputError(f"{file} is no sound XML ({error}); expected a product feed") from error
    for node in root.iter():
        if node.tag.rpartition("}")[2] in ("item", "entry"):
            yield {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in node}
