"""``catalog check``: every row before any work; all that is wrong is listed at once, with the nearest value."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mezzotint.catalog.brief import Brief, read_brief
from mezzotint.catalog.manifest.check import Checked, check
from mezzotint.catalog.manifest.fitting import Fitting
from mezzotint.catalog.manifest.table import parse, read_table
from mezzotint.errors import InputError, UsageError
from mezzotint.making.opened import described


@pytest.fixture(scope="module")
def products() -> Fitting:
    return Fitting(described("products-pixel"))


@pytest.fixture
def checked(products: Fitting, tmp_path: Path) -> Callable[..., Checked]:
    def look(text: str | bytes, brief: Brief | None = None, name: str = "m.csv") -> Checked:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return check(read_table(str(path)), brief or Brief(), products)

    return look


def said(found: Checked) -> list[str]:
    return [str(problem) for problem in found.problems]


def test_all_columns_are_read(checked, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a1.png", "a1.mask.png"):
        (tmp_path / "photos" / name).write_bytes(b"")
    found = checked(
        "sku,name,colour,prompt,negative_prompt,image,mask,lock,size,scale,seed,variants\n"
        "a1,chair,red,a {colour} {name} {{new}},no {colour},photos/{sku}.png,photos/{sku}.mask.png,"
        "yes,256x256,1.5,7,3\n"
        "a2,lamp,blue,a {colour} {name},,,,,,,,\n"
    )
    assert not found.problems
    first, second = found.rows
    assert first.prompt.filled(first.cells) == "a red chair {new}" and first.prompt.names == ("colour", "name")
    assert first.negative_prompt.filled(first.cells) == "no red" and first.lock
    assert first.image == tmp_path / "photos/a1.png" and first.mask == tmp_path / "photos/a1.mask.png"
    assert (first.size, first.scale, first.seed, first.variants) == ((256, 256), 1.5, 7, 3)
    assert (second.image, second.lock, second.size, second.scale) == (None, False, None, None)


def test_csv_jsonl_and_parquet_say_the_same(products: Fitting, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [
        {"sku": "a", "prompt": "a {c} chair", "c": "red", "seed": 7},
        {"sku": "b", "prompt": "a lamp", "seed": None},
    ]
    (tmp_path / "m.csv").write_text("sku,prompt,c,seed\na,a {c} chair,red,7\nb,a lamp,,\n")
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    parquet.write_table(pyarrow.Table.from_pylist([{**row, "c": row.get("c")} for row in rows]), tmp_path / "m.parquet")
    found = [check(read_table(str(tmp_path / name)), Brief(), products) for name in ("m.csv", "m.jsonl", "m.parquet")]
    assert not any(one.problems for one in found)
    texts = [[(row.sku, row.prompt.filled(row.cells), row.seed) for row in one.rows] for one in found]
    assert texts[0] == texts[1] == texts[2] == [("a", "a red chair", 7), ("b", "a lamp", None)]


def test_an_address_of_fsspec(products: Fitting) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://shop/m.csv", "wb") as file:
        file.write(b"sku,prompt\na,a chair\n")
    assert [row.sku for row in check(read_table("memory://shop/m.csv"), Brief(), products).rows] == ["a"]
    with pytest.raises(InputError, match=r"cannot read memory://shop/none\.csv"):
        read_table("memory://shop/none.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("../x,a chair,,,", "row 2, sku: '../x' cannot name a folder; expected at most 100 letters, none of"),
        ("..,a chair,,,", "row 2, sku: '..' cannot name a folder"),
        ("a/b,a chair,,,", "no dot at the ends; nearest: a-b"),
        (",a chair,,,", "row 2, sku: is empty"),
        ("a,a {color} chair,,,red", "names {color}, which is neither a column nor a factor; nearest: colour"),
        ("a,a {colour} chair,,,", "row 2, colour: is empty, and the prompt says {colour}"),
        ("a,a {colour.__class__} chair,,,red", "names {colour.__class__}, which is neither a column nor a factor"),
        ("a,a {colour!r} chair,,,red", "{colour!r} names no column"),
        ("a,a } chair,,,red", "} names no column; expected {column}, or {{ and }} for braces"),
        ("a,,,,red", "row 2, prompt: says nothing; expected what to make"),
        ("a,a chair,0,,red", "row 2, variants: '0' is out of range; expected 1 to 1000; nearest: 1"),
        ("a,a chair,1000000,,red", "row 2, variants: '1000000' is out of range; expected 1 to 1000; nearest: 1000"),
        ("a,a chair,six,,red", "row 2, variants: 'six' is no whole number"),
        ("a,a chair,,-1,red", "row 2, seed: '-1' is out of range; expected 0 to 9223372036854775807; nearest: 0"),
    ],
)
def test_bad_cells_are_named(checked, row: str, message: str) -> None:
    found = checked(f"sku,prompt,variants,seed,colour\n{row}\n")
    assert len(found.problems) == 1 and message in said(found)[0] and not found.rows


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("size", "300x300", "makes 256x256; nearest: 256x256"),
        ("size", "256", "is no size; expected WxH in pixels; nearest: 256x256"),
        ("scale", "inf", "is not finite"),
        ("lock", "nope", "is neither yes nor no; nearest: no"),
        ("lock", "yes", "row 2, lock: 'yes' is for a photograph; say image too"),
        ("mask", "chair.png", "row 2, mask: 'chair.png' is for a photograph; say image too"),
        ("image", "chiar.png", "is no file; nearest: chair.png"),
        ("image", "../m.csv", "leads out of the manifest's folder"),
        ("image", "/etc/passwd", "leads out of the manifest's folder"),
        ("image", "{up}/m.csv", "leads out of the manifest's folder"),
        ("image", "{down}.png", "names {down}, which is no column"),
        ("adapter", "none.safetensors", "is no file; expected a LoRA"),
    ],
)
def test_bad_values_are_named(checked, tmp_path: Path, column: str, value: str, message: str) -> None:
    (tmp_path / "chair.png").write_bytes(b"")
    found = checked(f"sku,prompt,up,{column}\na,a chair,..,{value}\n")
    assert len(found.problems) == 1 and message in said(found)[0]


def test_all_problems_are_listed_at_once(checked) -> None:
    found = checked(
        "sku,prompt,seed\na,a {x} chair,x\nb,a chair,x\na,a lamp,3\na,a {y},-\n/,a bed,1\n/,a bed,1\nc,a bed,1\n"
    )
    named = [(one.row, one.column) for one in found.problems]
    twice, bad = [(4, "sku"), (5, "prompt"), (5, "seed"), (5, "sku")], [(6, "sku"), (7, "sku")]
    assert named == [(2, "prompt"), (2, "seed"), (3, "seed"), *twice, *bad]
    assert "is in row 2 already" in said(found)[3]
    assert [row.number for row in found.rows] == [8]


def test_what_follows_from_a_bad_cell_is_no_problem_of_its_own(checked, tmp_path: Path) -> None:
    (tmp_path / "chair.png").write_bytes(b"")
    rows = ["a,a chair,no.png,yes,,,", "b,a chair,chair.png,maybe,white,,", "c,a chair,chair.png,yes,{,,"]
    found = checked("sku,prompt,image,lock,backdrop,mask,key\n" + "\n".join(rows) + "\n")
    assert [(one.row, one.column) for one in found.problems] == [(2, "image"), (3, "lock"), (4, "backdrop")]


def test_a_missing_column_is_named_with_the_nearest(checked) -> None:
    assert "prompt: is missing; expected a column of that name; nearest: promt" in said(checked("sku,promt\na,b\n"))[0]
    notes = checked("sku,prompt,negativ_prompt\na,a chair,x\n").notes
    assert notes == ("column 'negativ_prompt' is free and no prompt says it; was 'negative_prompt' meant?",)


def test_rows_of_another_length_and_columns_twice(checked) -> None:
    assert said(checked("sku,prompt\na,a chair,red\nb\nc,a lamp\n")) == [
        "row 2: has 3 cells; the header has 2",
        "row 3: has 1 cells; the header has 2",
    ]
    assert "prompt: is a column twice" in said(checked("sku,prompt,prompt\na,b,c\n"))[0]


def test_a_mark_and_other_encodings(checked) -> None:
    plain = "sku,prompt\na,a café table\n"
    for data in (plain.encode("utf-8-sig"), plain.encode("utf-16")):
        assert [row.cells["prompt"] for row in checked(data).rows] == ["a café table"]
    mixed = "sku,prompt\na,a café table\n".encode() + "b,a café chair\n".encode("cp1252")
    assert said(checked(mixed)) == [
        "row 3: 'a café chair' is not UTF-8; save the whole file as UTF-8; nearest: 'a café chair', if it is"
        " Windows-1252"
    ]


def test_semicolons_tabs_and_quotes(checked) -> None:
    assert [r.cells["prompt"] for r in checked('sku;prompt\na;"a chair; red, new"\n').rows] == ["a chair; red, new"]
    assert checked("sku\tprompt\na\ta chair\n", name="m.tsv").rows[0].sku == "a"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.csv", b"", "has no rows"),
        ("m.csv", b"sku,prompt\n", "has no rows"),
        ("m.csv", b"sku,prompt\na,\0\n", "holds NUL bytes"),
        ("m.csv", b'sku,prompt\na,"x\n', "expected CSV"),
        ("m.parquet", b"no", "is no sound Parquet"),
    ],
)
def test_a_file_that_is_none(name: str, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(name, data)


def test_a_format_that_is_unknown() -> None:
    with pytest.raises(UsageError, match="unknown manifest format 'xlsx'; known: csv, tsv, jsonl, ndjson, parquet"):
        parse("m.xlsx", b"PK")


def test_broken_lines_of_jsonl(checked) -> None:
    found = checked('{"sku": "a", "prompt": "a chair"}\n{"sku":\n[1]\n{"sku": "b", "prompt": ["x"]}\n', name="m.jsonl")
    assert [one.row for one in found.problems] == [2, 3, 4]


def test_labels_are_looked_up(tiny: Path) -> None:
    table = parse("m.csv", b"sku,prompt,kind\na,a {kind},sneeker\nb,{kind},ankle boot\n")
    (problem,) = check(table, Brief(), Fitting(described(tiny))).problems
    assert (problem.row, problem.column, problem.nearest) == (2, "prompt", "Sneaker")


def brief(folder: Path, text: str) -> Brief:
    (folder / "b.toml").write_text(text)
    return read_brief(folder / "b.toml")


def test_factors_are_names_that_prompts_may_say(checked, tmp_path: Path) -> None:
    said_once = brief(tmp_path, '[factors]\nbackground = ["white", "grey"]\nsize = ["256x256", "1x1"]\n')
    found = checked("sku,prompt,background\na,a chair on {background},\nb,a chair on {background},red\n", said_once)
    texts = said(found)
    assert any("row 3, background: 'red' is a factor of the brief too" in one for one in texts)
    assert any("size: '1x1' is not one that products-pixel makes" in one for one in texts) and len(texts) == 2
    assert "no prompt says {background}" in said(checked("sku,prompt\na,a chair\n", said_once))[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[factor]\na = 1", "unknown section 'factor'; did you mean factors"),
        ('[factors]\nview = ["one"]', "expected a list of 2 to 64 levels"),
        ('[factors]\nview = ["one", "one"]', "has a level twice"),
        ('[factors]\nsku = ["a", "b"]', "sku cannot be varied"),
        ("[plan]\nvariants = 0", "variants is 0; expected a whole number from 1 to 1,000"),
        ("[plan]\nvariants = 1000000", "variants is 1000000; expected"),
        ("[plan]\nbalanse = 1", "unknown setting 'balanse'; did you mean balance"),
        ('[plan]\nseeds = "same"', "unknown choice 'same'"),
        ('[degrade]\nladder = ["half"]', "'half' is no rung"),
        ("[test]\nrate = 0.03", "needs rate and lift"),
        ("[test]\nrate = 2\nlift = 0.1", "expected rate, power, alpha in"),
        ("x", "expected a brief as TOML"),
    ],
)
def test_a_wrong_brief_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises((UsageError, InputError), match=message):
        brief(tmp_path, text)


def test_the_nearest_of_what_is_not_there_is_said_whatever_its_case(checked, tmp_path: Path) -> None:
    (tmp_path / "Chair.JPG").write_bytes(b"")
    assert said(checked("SKU,prompt\na,x\n"))[0].endswith("nearest: SKU")
    (one,) = said(checked("sku,prompt,image\na,x,chair.jpg\n"))
    assert one.endswith("image: 'chair.jpg' is no file; nearest: Chair.JPG")
    many = said(checked("sku,prompt,image\n" + "".join(f"a{k},x,chair{k}.jpg\n" for k in range(300))))
    assert len(many) == 300 and sum("nearest" in problem for problem in many) == 200, "the rest without a long search"


def test_a_size_is_said_once(checked) -> None:
    (one,) = said(checked("sku,prompt,size\na,x,100x100\n"))
    assert one.count("100x100") == 1
