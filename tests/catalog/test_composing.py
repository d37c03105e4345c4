"""Locked products on plain backgrounds: no network is called, and all else is as for every asset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from catalogs import asked, begun, pixels, rows, states, worker
from PIL import Image as Pillow

from mezzotint.catalog.engine.saved import decoded
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.planning import plan, read
from mezzotint.governance.provenance.manifest import PLAIN, source_of
from mezzotint.governance.receipt import read_receipt
from mezzotint.making.image import Image

BRIEF = """[factors]
backdrop = ["white", "#304050 to black", ""]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def shop(folder: Path, brief: str = BRIEF, products: int = 2) -> Path:
    """Photographs of six pixels with a soft edge, locked."""
    generator = np.random.default_rng(3)
    for k in range(products):
        alpha = np.zeros((6, 6), np.uint8)
        alpha[1:5, 1:5], alpha[2:4, 2:4] = 128, 255
        grey = generator.integers(0, 256, (6, 6), np.uint8)
        Pillow.fromarray(np.dstack([grey, grey, grey, alpha])).save(folder / f"{k}.png")
    lines = [f"p{k},sneaker,{k}.png,yes" for k in range(products)]
    (folder / "m.csv").write_text("\n".join(["sku,prompt,image,lock", *lines]) + "\n")
    (folder / "m.toml").write_text(brief)
    return folder / "m.csv"


def test_a_plain_background_calls_no_network(tmp_path: Path, tiny: Path) -> None:
    """Its network is gone, and its pixels are the colour's, the photograph's, and between them by alpha."""
    path = shop(tmp_path, '[factors]\nbackdrop = ["#304050", "black"]\n')
    run, where, model = begun(asked(path, tiny), tmp_path / "out")

    def gone(*_: object) -> None:
        raise AssertionError("a network was called")

    model.main.network.forward = gone
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 4
    for row in rows(where.db, t.made):
        receipt = read_receipt(tmp_path / "out/receipts" / f"{row['receipt']}.json")
        shown = decoded((tmp_path / "out" / row["file"]).read_bytes())[..., 0].astype(int)
        sku = row["file"].split("/")[1]
        back = 61 if "304050" in receipt.made.task["backdrop"] else 30
        photo = np.asarray(Pillow.open(tmp_path / f"{sku[1]}.png"))[..., 0].astype(int)
        assert (shown[3:5, 3:5] == photo[2:4, 2:4]).all() and (shown[0] == back).all()
        mixed = (128 * photo[1, 1:5] + 127 * back) / 255
        assert np.abs(shown[2, 2:6] - mixed).max() <= 0.5 + 1e-9
        assert receipt.made.stages == () and receipt.cost is not None and receipt.cost["calls"] == 0
        assert source_of(receipt.made) == PLAIN and receipt.output_check is not None
        assert receipt.prompt_check is not None and receipt.made.task["locked"]
    assert len(pixels(tmp_path / "out")) == 4


def test_the_plan_says_so_and_its_price_is_that_of_the_rest(tmp_path: Path, tiny: Path) -> None:
    from mezzotint.cli.catalog.plan import document, text
    from mezzotint.pretrained.model import load

    said, model = asked(shop(tmp_path), tiny), load(str(tiny))
    found = plan(said, read(said), model)
    assert found.plan.made == 6 and found.plan.composed == 4 and found.plan.calls == 2 * 2
    assert "composed  4 on plain backgrounds: no network is called" in text(found)
    all_plain = asked(shop(tmp_path, '[factors]\nbackdrop = ["white", "black"]\n'), tiny, budget="0", per_hour="1 USD")
    none = plan(all_plain, read(all_plain), model)
    assert none.plan.calls == 0 and none.seconds.high == 0 and none.licences == ()
    assert document("m.csv", none)["money"] == {"expected": "0.000000 USD", "most": "0.000000 USD"}


def test_painted_and_composed_siblings_pass_the_same_way(tmp_path: Path, tiny: Path) -> None:
    """Mark, lock, gate: a gate that looks sees the product already there, whatever made the background."""
    run, where, model = begun(asked(shop(tmp_path), tiny), tmp_path / "out")
    seen: list[Image] = []

    def look(image: Image) -> Image:
        seen.append(image)
        return image

    assert worker(run, where, model, look=look).work() == "done"
    assert len(seen) == 6 and len({image.receipt.made.model for image in seen}) == 2
    for image in seen:
        photos = [np.asarray(Pillow.open(tmp_path / f"{k}.png"))[2:4, 2:4, 0] for k in range(2)]
        assert any((image.pixels[3:5, 3:5, 0] == photo).all() for photo in photos)
    details = [json.loads(row["detail"]) for row in rows(where.db, t.asset)]
    assert all(one["locked"] and one["mask"] == "alpha" for one in details)


def test_it_goes_on_to_the_same_pixels(tmp_path: Path, tiny: Path) -> None:
    said = asked(shop(tmp_path), tiny)
    run, where, model = begun(said, tmp_path / "a")
    worker(run, where, model).work()
    run, where, model = begun(said, tmp_path / "b")
    for k in range(2):
        tries = iter(range(k + 1))

        def look(image: Image, tries=tries) -> Image:
            if next(tries, None) is None:
                raise KeyboardInterrupt
            return image

        with pytest.raises(KeyboardInterrupt):
            worker(run, where, model, look=look).work()
    assert worker(run, where, model).work() == "done"
    assert pixels(tmp_path / "a") == pixels(tmp_path / "b")


@pytest.mark.parametrize(
    ("cells", "brief", "said"),
    [
        ("a,sneaker,,,white,", "", "row 2, backdrop: 'white' is for a product that is kept; say image and lock too"),
        ("a,sneaker,0.png,yes,wite,", "", "row 2, backdrop: 'wite' is no colour; did you mean white"),
        ("a,sneaker,0.png,yes,{shade},", "", "names {shade}, which is neither a column nor a factor"),
        ("a,sneaker,0.png,yes,{shade},", '[factors]\nshade = ["white", "puce"]\n', "'puce' is no colour"),
        ("a,sneaker,0.png,yes,,geen", "", "row 2, key: 'geen' is no colour; did you mean green"),
        ("a,sneaker,,,,green", "", "row 2, key: 'green' is for a photograph; say image too"),
        ("a,sneaker,0.png,yes,,", '[factors]\nbackdrop = ["white", "puce"]\n', "backdrop: 'puce' is no colour"),
    ],
)
def test_what_will_not_do_is_listed(tmp_path: Path, tiny: Path, cells: str, brief: str, said: str) -> None:
    from mezzotint.catalog.brief import brief_of
    from mezzotint.catalog.manifest.check import check
    from mezzotint.catalog.manifest.fitting import Fitting
    from mezzotint.catalog.manifest.table import read_table
    from mezzotint.making.opened import described

    shop(tmp_path)
    (tmp_path / "n.csv").write_text(f"sku,prompt,image,lock,backdrop,key\n{cells}\n")
    found = check(
        read_table(str(tmp_path / "n.csv")), brief_of(brief.encode(), "n.toml"), Fitting(described(str(tiny)))
    )
    assert any(said in str(problem) for problem in found.problems), list(map(str, found.problems))
