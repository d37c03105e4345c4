"""The page of a run: self-contained, whole, and harmless whatever the cells say."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
from catalogs import asked, begun, manifest, pixels, worker

from mezzotint.catalog.report.entries import entries, table
from mezzotint.catalog.report.write import write_report
from mezzotint.catalog.running import end
from mezzotint.catalog.sheet import plain
from mezzotint.making.request import of_words
from mezzotint.schemas import schema


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def embedded(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def test_it_holds_every_asset(tmp_path: Path, tiny: Path) -> None:
    out = tmp_path / "out"
    run, where, model = begun(asked(manifest(tmp_path), tiny), out)
    worker(run, where, model).work()
    ended = end(run, where, "done")
    document = write_report(where.db, where.store, ended.run)
    jsonschema.validate(json.loads((out / "catalog.json").read_text()), schema("mezzotint/catalog/1"))
    page = (out / "report.html").read_text()
    data = embedded(page)
    assert data["counts"]["done"] == 12 and data["run"] == run.id and len(data["assets"]) == 12
    assert {one[3] for one in data["assets"]} == set(pixels(out)), "named as the files are"
    assert all(one[5].startswith("data:image/webp;base64,") for one in data["assets"])
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page), "nothing from elsewhere"
    listed = list(csv.DictReader(io.StringIO((out / "catalog.csv").read_text("utf-8-sig"))))
    assert [row["asset"] for row in listed] == [one["asset"] for one in document["assets"]]
    assert {
        (out / row["file"]).is_file() and (out / "receipts" / f"{row['receipt']}.json").is_file() for row in listed
    } == {True}


def test_cells_are_neither_markup_nor_formulas(tmp_path: Path, tiny: Path) -> None:
    bad = "</script><script>alert(1)</script>"
    (tmp_path / "m.csv").write_text(f'sku,prompt,seed\n=1+1,sneaker,1\n"{bad[2:8]}",sneaker,2\n')
    (tmp_path / "m.toml").write_text(f'[factors]\nnegative_prompt = ["=cmd()", "{bad}"]\n')
    said = asked(tmp_path / "m.csv", tiny)
    said = type(said)(said.manifest, of_words(type(said.words), {**said.words.table, "scale": 2.0}), probe=0)
    with pytest.raises(Exception, match="negative_prompt"):
        begun(said, tmp_path / "never")
    (tmp_path / "m.toml").write_text(f'[factors]\nnegative_prompt = ["sneaker", "ankle boot"]\n# {bad}\n')
    run, where, model = begun(said, tmp_path / "out")
    worker(run, where, model).work()
    write_report(where.db, where.store, run)
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<script") == 2 and embedded(page)["assets"][0][0] == "=1+1"
    rows = list(csv.DictReader(io.StringIO(table(run, entries(where.db, run.id)))))
    assert rows[0]["sku"] == "'=1+1" and plain(rows[0]["sku"]) == "=1+1"


def test_markup_in_a_cell_ends_no_script() -> None:
    from mezzotint.catalog.report.write import _in_script

    bad = '{"a": "</script><script>alert(1)</script>\u2028"}'
    safe = _in_script(bad)
    assert "<" not in safe and "\u2028" not in safe and json.loads(safe) == json.loads(bad)
