"""Catalogs: what is read, what is left out, what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from catalog_case import catalog

from mezzotint.errors import InputError
from mezzotint.products.catalog import products, unpack
from mezzotint.products.vocabulary import vocabulary


def test_entries_become_products(tmp_path: Path) -> None:
    found = products(
        catalog(
            tmp_path, [{"name": "Oak table", "model": "t1"}, {"name": "Relax chair", "model": "c1", "elevation": 12.5}]
        )
    )
    assert [(p.id, p.kind) for p in found] == [("test-c1", "armchair"), ("test-t1", "table")]
    assert found[0].elevation == 12.5 and found[0].dimensions == (60.0, 50.0, 80.0) and found[0].creator == "Somebody"


def test_people_and_roads_are_left_out(tmp_path: Path) -> None:
    folder = catalog(
        tmp_path,
        [
            {"name": "Female", "model": "f", "category": "Characters"},
            {"name": "Parking slot 45°", "model": "p", "category": "Exterior"},
            {"name": "Chair", "model": "c"},
        ],
    )
    assert [p.name for p in products(folder)] == ["Chair"]


def test_the_longest_ending_decides_the_kind() -> None:
    kind = vocabulary().class_of
    assert kind("Walnut coffee table", "Living room") == "coffee table"
    assert kind("Walnut table", "Living room") == "table"
    assert kind("Socket", "Bedroom") == "socks", "a sock, as that catalog spells it"
    with pytest.raises(InputError, match=r"no class of product for 'Flux capacitor'.*vocabulary\.toml"):
        kind("Flux capacitor", "Office")


def test_no_word_means_two_kinds() -> None:
    said: dict[str, str] = {}
    for kind, words in vocabulary().words.items():
        for word in words:
            assert said.setdefault(word.lower(), kind) == kind, word


def test_every_product_of_the_installed_catalogs_has_a_kind() -> None:
    from mezzotint.products.catalog import DEFAULT

    if not DEFAULT.is_dir():
        pytest.skip("sweethome3d-furniture is not installed")
    found = products()
    assert len({p.id for p in found}) == len(found) > 700
    assert len({p.kind for p in found}) >= 60


def test_a_folder_without_catalogs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no catalog.*install the Debian package"):
        products(tmp_path)


def test_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "Bad.sh3f").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InputError, match="not a readable catalog"):
        products(tmp_path)


def test_a_damaged_entry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Chair' is damaged"):
        products(catalog(tmp_path, [{"name": "Chair", "model": "c", "height": "tall"}]))


def test_unpacking_stays_in_the_models_folder(tmp_path: Path) -> None:
    folder = catalog(tmp_path / "in", [{"name": "Chair", "model": "c"}])
    with zipfile.ZipFile(folder / "Test.sh3f", "a") as pack:
        pack.writestr("test/c/../../../evil.txt", "x")
    (product,) = products(folder)
    with pytest.raises(InputError, match="outside its folder"):
        unpack(product, tmp_path / "out")
    assert not (tmp_path / "evil.txt").exists()


def test_an_unpacked_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mezzotint.products import catalog as module

    (product,) = products(catalog(tmp_path / "in", [{"name": "Chair", "model": "c"}]))
    monkeypatch.setattr(module, "MAX_MODEL_BYTES", 100)
    with pytest.raises(InputError, match="larger than 100 bytes"):
        unpack(product, tmp_path / "out")
