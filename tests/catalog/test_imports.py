"""Manifests of shops' exports: every row sound, photographs found by name, nothing fetched."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from mezzotint.catalog.brief import brief_of
from mezzotint.catalog.imports import google, imported, shopify, vendure
from mezzotint.catalog.manifest.check import check
from mezzotint.catalog.manifest.fitting import Fitting
from mezzotint.catalog.manifest.table import parse
from mezzotint.cli import run
from mezzotint.errors import InputError
from mezzotint.making.opened import described
from mezzotint.schemas import schema

VENDURE = """name   ,slug  ,assets        ,facets                       ,optionValues,sku,price,variantAssets
Laptop ,laptop,a.jpg|b.jpg   ,category:Electronics|brand:Ape,13 inch|8GB ,L1 ,1299 ,
       ,      ,              ,                             ,15 inch     ,L2 ,1399 ,c.jpg
"Rug {x}",rug ,none.jpg      ,                             ,            ,R1 ,9    ,
"""
SHOPIFY = """Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Variant Image
mug,<b>Mug</b>,Ape,Cups,Title,Default Title,M1,5,https://cdn.shop/x/m.png?v=1,
tee,Tee,Ape,Shirts,Size,S,T-S,9,https://cdn.shop/tee.png,
tee,,,,,M,T-M,9,,https://cdn.shop/x/tee-m.png
tee,,,,,,,,https://cdn.shop/tee-2.png,
"""
GOOGLE = """id\ttitle\timage link\tcolor\tprice
G1\tA lamp\thttps://x/lamp.webp\tred\t5 USD
G1\tAgain\t\t\t
../G2\tBad\t\t\t
"""
FEED = """<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
<item><g:id>G1</g:id><title>A lamp</title><g:image_link>https://x/lamp.webp</g:image_link><g:color>red</g:color></item>
</channel></rss>"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name in ("a.jpg", "c.jpg", "m.png", "tee.png", "tee-m.png", "lamp.webp"):
        (tmp_path / "pictures" / "deep").mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / "deep" / name).write_bytes(b"")
    (tmp_path / "products.csv").write_text(VENDURE)
    (tmp_path / "shopify.csv").write_text(SHOPIFY)
    (tmp_path / "feed.tsv").write_text(GOOGLE)
    (tmp_path / "feed.xml").write_text(FEED)
    return tmp_path


def sound(found, folder: Path) -> list[tuple[str, str, str]]:
    """(sku, prompt, image) of a manifest that has no problems."""
    (folder / "m.csv").write_text(found.text)
    fitting = Fitting(described("products-pixel"))
    brief = brief_of(found.brief.encode(), "b")
    said = check(parse(str(folder / "m.csv"), found.text.encode()), brief, fitting)
    assert not said.problems
    return [
        (r.sku, r.prompt.filled({**r.cells, "background": "white"}), r.image.name if r.image else "") for r in said.rows
    ]


def test_vendure(shop: Path) -> None:
    found = imported(vendure(shop), shop, "x", "yes", shop)
    assert sound(found, shop) == [
        ("L1", "Laptop 13 inch 8GB on a white background", "a.jpg"),
        ("L2", "Laptop 15 inch on a white background", "c.jpg"),
        ("R1", "Rug (x) on a white background", ""),
    ]
    assert found.rows == 3 and found.pictures == 2 and "1 photographs are not in" in found.notes[0]
    assert ",Electronics" in found.text and ",Ape" in found.text


def test_shopify(shop: Path) -> None:
    assert sound(imported(shopify(shop / "shopify.csv"), shop, "x", "yes", shop), shop) == [
        ("M1", "Mug on a white background", "m.png"),
        ("T-S", "Tee S on a white background", "tee.png"),
        ("T-M", "Tee M on a white background", "tee-m.png"),
    ]


@pytest.mark.parametrize("name", ["feed.tsv", "feed.xml"])
def test_google(shop: Path, name: str) -> None:
    found = imported(google(shop / name), shop, "x", "no", shop)
    lamp, bad = ("G1", "A lamp on a white background", "lamp.webp"), ("G2", "Bad on a white background", "")
    assert sound(found, shop) == ([lamp, bad] if name == "feed.tsv" else [lamp])
    said = ("G1: left out: the SKU is there already", "../G2: written as G2, which can name a folder")
    assert found.notes == (said if name == "feed.tsv" else ())


def test_what_is_no_export_is_one_line(shop: Path) -> None:
    (shop / "bomb.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    for read, path, message in (
        (google, shop / "bomb.xml", "declares entities"),
        (vendure, shop / "pictures", "holds 0 files products.csv"),
    ):
        with pytest.raises(InputError, match=message):
            read(path)
    with pytest.raises(InputError, match="has no products"):
        imported([], shop, "x", "no", shop)


def test_the_command(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "import", "--vendure", str(shop), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/catalog-import/1"))
    assert found["rows"] == 3 and (shop / "catalog.toml").is_file()
    assert run(["catalog", "import", "--vendure", str(shop)]) == 2, "nothing is overwritten"
    assert run(["catalog", "import"]) == 2
    assert run(["catalog", "import", "--shopify", str(shop / "none.csv")]) == 2


@pytest.mark.parametrize("out", ["shop.csv", "pictures/deep/shop.csv"])
def test_its_own_check_finds_the_photographs(shop: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In the manifest's folder however deep, and elsewhere by --pictures, which a note says."""
    (shop / "pictures/deep/a.jpg").rename(shop / "pictures/deep/{a}.jpg")
    (shop / "products.csv").write_text(VENDURE.replace("a.jpg", "{a}.jpg"))
    words = ["--pictures", str(shop / "pictures")]
    assert run(["catalog", "import", "--vendure", str(shop / "products.csv"), *words, "--out", str(shop / out)]) == 0
    said = capsys.readouterr()
    assert "2 with a photograph" in said.out
    elsewhere = f"with --pictures {shop / 'pictures'}" in said.err
    assert elsewhere == (out != "shop.csv")
    check = ["catalog", "check", str(shop / out), "--model", "products-pixel"]
    assert run([*check, *(words if elsewhere else [])]) == 0, capsys.readouterr().out
