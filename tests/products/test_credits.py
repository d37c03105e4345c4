"""The authors of the models that the shipped weights were learnt from, as CC-BY asks: they ship beside the weights."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import mezzotint_models
import pytest

from mezzotint.products import training
from mezzotint.products.catalog import DEFAULT, products
from mezzotint.products.vocabulary import vocabulary

HERE = Path(mezzotint_models.__path__[0])
CREDITS = HERE / "CREDITS.md"
PACKAGE = HERE.parents[1]
FROM_PRODUCTS = sorted(path for path in HERE.iterdir() if path.name.startswith("products-"))


def rows() -> dict[str, tuple[str, str, str]]:
    """id -> name, author, licence."""
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in CREDITS.read_text("utf-8").splitlines()[4:]]
    return {row[1]: (row[0], row[2], row[3]) for row in cells if len(row) == 4}


def kinds_of(name: str) -> set[str]:
    """Those that a catalog name may be of: some differ by category."""
    known, low = vocabulary(), name.lower()
    listed = {kind for key, kind in known.exact.items() if key.partition(":")[0] == low}
    return listed or {known.class_of(name, "")}


def test_every_model_has_an_author_and_a_licence() -> None:
    found = rows()
    assert len(found) == 763 and all(all(row) for row in found.values())
    assert {licence for _, _, licence in found.values()} == {"CC-BY-3.0", "CC0-1.0"}
    assert not set(vocabulary().words) - {kind for name, _, _ in found.values() for kind in kinds_of(name)}


@pytest.mark.skipif(not DEFAULT.is_dir(), reason="the Debian package sweethome3d-furniture is not installed")
def test_they_are_those_of_the_catalog() -> None:
    assert rows() == {p.id: (p.name, p.creator, p.licence) for p in products()}


def test_the_wheel_carries_them() -> None:
    target = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert target == {"packages": ["src/mezzotint_models"]} and CREDITS.parent == PACKAGE / "src" / "mezzotint_models"
    ignored = subprocess.run(["git", "check-ignore", "-q", CREDITS], cwd=PACKAGE, check=False)
    assert ignored.returncode != 0, "hatchling leaves out what git ignores"


@pytest.mark.parametrize("folder", FROM_PRODUCTS, ids=lambda path: path.name)
def test_cards_and_conditions_say_where_they_are(folder: Path) -> None:
    said = f"authors: {CREDITS.name} of mezzotint-models"
    described = [*folder.rglob("model.json"), *folder.rglob("network.json"), *folder.rglob("system.json")]
    assert described and all(said in json.loads(path.read_text())["card"]["data"] for path in described)
    assert said in training.DATA and all(said in path.read_text() for path in folder.rglob("CARD.md"))
    record = tomllib.loads((folder / "licence.toml").read_text())
    asked = [data for one in record["component"] for data in one["data"] if data["licence"] == "CC-BY-3.0"]
    assert asked and all(said in data["note"] and said in data["quote"] for data in asked)
