"""The script that fetches photographs: what comes is laid out by product and name, and other bytes are refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
import fetch_photos
from fetch_photos import Package

from mezzotint.catalog.imports import imported, vendure

TABLE = """name ,slug,description,assets,facets
Wooden Stool ,stool,"It is round, and
has three legs.",a.jpg|b.jpg,x
,,,,
Lamp,lamp,Light.,c.jpg,y
"""


def packed(path: Path, files: Mapping[str, bytes]) -> Package:
    """A package of files that is fetched by copying it."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            (entry := tarfile.TarInfo(f"package/{name}")).size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return Package(("cp", str(path), "."), hashlib.sha256(path.read_bytes()).hexdigest())


def shop(tmp_path: Path, table: str = TABLE) -> Package:
    pictures = {f"assets/images/{name}.jpg": name.encode() for name in "abc"}
    return packed(tmp_path / "shop.tgz", {"assets/products.csv": table.encode(), **pictures, "src/index.js": b"no"})


def test_photographs_are_laid_out_by_product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_photos, "SHOP", shop(tmp_path))
    assert fetch_photos.main([str(tmp_path / "photos"), "shop"]) == 0
    found = {str(p.relative_to(tmp_path / "photos")): p.read_bytes() for p in (tmp_path / "photos").rglob("*.jpg")}
    assert found == {"shop/stool/a.jpg": b"a", "shop/stool/b.jpg": b"b", "shop/lamp/c.jpg": b"c"}
    table = tmp_path / "photos/shop/products.csv"
    assert table.read_text() == TABLE
    assert {p for p in (tmp_path / "photos").rglob("*") if p.is_file() and p.suffix != ".jpg"} == {table}


def test_the_shop_is_one_that_a_catalog_is_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = TABLE.replace("facets", "facets,sku,price").replace(",x\n,,,,\n", ",x,ST-1,10\n,,,,,ST-2,11\n")
    monkeypatch.setattr(fetch_photos, "SHOP", shop(tmp_path, table.replace(",y\n", ",y,LA-1,9\n")))
    assert fetch_photos.main([str(tmp_path / "photos"), "shop"]) == 0
    made = imported(vendure(tmp_path / "photos/shop"), tmp_path / "photos/shop", "vendure", "yes", tmp_path / "photos")
    assert (made.rows, made.pictures, made.notes) == (3, 3, ())


def test_icons_have_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [{"hexcode": "1FA91", "group": "objects", "annotation": "chair (wooden)"}]
    kept = packed(tmp_path / "names.tgz", {"data/openmoji.json": json.dumps(names).encode()})
    icons = packed(tmp_path / "icons.tgz", {"assets/1fa91.webp": b"chair", "assets/0000.webp": b"?", "a.json": b"{}"})
    monkeypatch.setattr(fetch_photos, "NAMES", kept)
    monkeypatch.setattr(fetch_photos, "ICONS", icons)
    assert fetch_photos.main([str(tmp_path / "photos"), "icons"]) == 0
    (only,) = (tmp_path / "photos/icons").rglob("*.*")
    assert only.relative_to(tmp_path / "photos/icons") == Path("objects/chair-wooden-1fa91.webp")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda p: Package(p.fetch, "0" * 64), "has SHA-256 .*; expected 0000.*: nothing of it is used"),
        (lambda p: Package(("cp", "/nowhere.tgz", "."), p.sha256), "cp /nowhere.tgz . failed: "),
        (lambda p: Package(("no-such-client",), p.sha256), "no-such-client is not installed"),
    ],
)
def test_what_is_not_the_package_is_refused(tmp_path, monkeypatch, capsys, broken, said) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(fetch_photos, "SHOP", broken(shop(tmp_path)))
    assert fetch_photos.main([str(tmp_path / "photos"), "shop"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("shop: ") and re.search(said, line)
    assert not (tmp_path / "photos").exists() and {p.name for p in tmp_path.iterdir()} == {"shop.tgz"}


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos/shop").mkdir(parents=True)
    assert fetch_photos.main([str(tmp_path / "photos"), "shop"]) == 0  # without fetching
    assert "stays as it is" in capsys.readouterr().out


def test_the_real_packages_are_one_version_each() -> None:
    for package in (fetch_photos.SHOP, fetch_photos.ICONS, fetch_photos.NAMES, fetch_photos.STAMPS):
        assert len(package.sha256) == 64 and any(c.isdigit() for c in package.fetch[-1])
