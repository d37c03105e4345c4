"""The licence records that ship, and every way in which a record may be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from licence_case import LIBRARY, TODAY
from licence_index import FOLDER, entries, records

from mezzotint.cli import run
from mezzotint.errors import InputError, MezzotintError, UsageError
from mezzotint.files import sha256_file
from mezzotint.governance.licence import library as shelf
from mezzotint.governance.licence.ask import shelf_of
from mezzotint.governance.licence.facts import declared
from mezzotint.governance.licence.library import INDEX, INDEX_SHA256, own_records
from mezzotint.governance.licence.model_record import known, read_model_record
from mezzotint.governance.licence.money import money
from mezzotint.governance.licence.record import read_record
from mezzotint.governance.licence.terms import EXAMINED
from mezzotint.governance.licence.territory import countries
from mezzotint.governance.licence.texts import text_hash
from mezzotint.places import places

RECORD = """
schema = 1
id = "LicenseRef-Ours"
name = "Ours"
version = "1"
steward = "We"
[review]
status = "counsel-signed"
reviewer = "A. Counsel"
date = 2026-11-01
[[term]]
kind = "commercial_use"
value = "allowed"
testing = "allowed"
research = "allowed"
quote = "You may."
clause = "1"
source = "https://example.invalid"
retrieved = 2026-11-01
[silence]
fields = ["revenue_cap", "user_cap", "territory", "registration", "attribution", "notice_file", "flow_down",
  "use_policy", "outputs", "derivatives", "deployer_duty"]
"""


def test_the_index_is_that_of_the_records() -> None:
    assert json.loads((FOLDER / INDEX).read_text()) == entries(), "run python tests/governance/licence_index.py"
    assert sha256_file(FOLDER / INDEX) == INDEX_SHA256, "licence_index.py prints what it is to be"


def test_every_record_is_whole() -> None:
    found = list(records().values())
    assert len({one.id for one in found}) == len(found) >= 24
    for one in found:
        assert one.terms and all(term.words.quote and term.words.retrieved <= TODAY for term in one.terms)
        unread = any(not term.words.verified for term in one.terms)
        assert not one.unexamined or unread, f"{one.id}: {one.unexamined}"
        assert (one.review.status == "standard") == (not one.id.startswith("LicenseRef"))


def test_what_is_standard_was_read_in_whole() -> None:
    for one in records().values():
        if one.review.status == "standard":
            assert one.text_sha256 and not one.unexamined and all(term.words.verified for term in one.terms)


def test_the_project_s_own_licence_is_known_by_its_text() -> None:
    text = (Path(__file__).parents[2] / "LICENSE").read_text()
    assert LIBRARY.by_text(text_hash(text)) == ("Apache-2.0",)
    assert LIBRARY.by_text(text_hash(text.replace("perpetual", "brief"))) == ()
    other = "\n".join(["Copyright (c) 2031 Somebody Else", *text.upper().splitlines()]).replace(" ", "  ")
    assert LIBRARY.by_text(text_hash(other)) == ("Apache-2.0",)


MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS
OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@pytest.mark.parametrize(
    "line",
    [
        "Copyright (c) 2024 Acme. All rights reserved.",
        "Copyright (c) 2022 Robin Rombach and Patrick Esser and contributors",
        "   COPYRIGHT [YYYY] [NAME OF COPYRIGHT OWNER]",
        "Copyright (c) <year> <copyright holders>",
        "Copyright 2018- The Hugging Face team. All rights reserved.",
        "Copyright (c) 2024, NVIDIA CORPORATION & AFFILIATES. All rights reserved.",
        "(c) 2019-2024 J. Smith <j@smith.example>",
        "© Facebook, Inc. and its affiliates.",
        "Copyright (c) 2023 kohya-ss",
        "Copyright Acme Inc.",
        "Copyright (c) 2024",
        "Copyright (c) 2015 Hynek Schlawack and the attrs contributors",
        "Copyright (c) 2021 The fast_float authors",
        "Copyright (c) 2015-present libuv project contributors.",
        "Copyright (c) 2024 to present, Marco Gorelli",
        "Copyright (c) 2010-202x The platformdirs developers",
        "Copyright 2017-2021 Ingy döt Net",
        "Copyright (c) 2015 holger krekel (rightmost)",
        "Copyright (c) Pydantic Services Inc. 2025 to present",
        "© 2024 小米",
        "Copyright (c) 2023 李明",
        "Copyright 2022 Łukasz",
        "Copyright 2018 the transformers team",
        "Copyright (c) 2023 tencent ailab",
        "© 2021 yandex-research team",
        "Copyright (c) 2020 Mr. A. Karpathy",
        "Copyright (c) 2023 Use Case GmbH",
    ],
)
def test_whose_a_text_is_says_nothing(line: str) -> None:
    assert LIBRARY.by_text(text_hash(f"MIT License\n\n{line}\n\n{MIT}")) == ("MIT",)


@pytest.mark.parametrize(
    "line",
    [
        "Copyright (c) 2024 Acme. All rights reserved. For non-commercial research use only.",
        "Copyright (c) 2024 Acme. Evaluation Copy",
        "Copyright (c) 2024 Acme (research use only)",
        "COPYRIGHT (C) 2024 ACME, NON-COMMERCIAL RESEARCH",
        "Copyright (c) 2024 Acme; Evaluation",
        "Copyright (c) 2024 noncommercial",
        "Copyright (c) 2024 仅供研究使用",
        "Copyright law of Utopia applies.",
        "(c) The Software shall not be used commercially.",
        "(c) Commercial Users",
        "© The Software shall not be sold",
        "Copyright (c) 2024 Acme, for research use only",
        "Copyright 2024 Acme, no commercial use",
        "Copyright 2024 academic version",
        "Copyright 2024 Acme, evaluation by authors",
        "Copyright 2024 research only team",
        "Copyright (c) 2024 禁止商用",
        "Copyright (c) 2024 ห้ามขาย",
        "Copyright (c) 2024 Acmeห้ามขาย",
        "Copyright 2024 Acme (evaluation copy)",
        "Copyright 2024 Use Not Commercial Inc.",
        "Copyright 2024 Commercial Use Inc.",
        "Copyright Acme research 2024",
    ],
)
def test_a_clause_behind_a_copyright_counts(line: str) -> None:
    assert LIBRARY.by_text(text_hash(f"MIT License\n\n{line}\n\n{MIT}")) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ('id = "LicenseRef-Ours"', "", "id is missing"),
        ('quote = "You may."', "", "quote is missing"),
        ('quote = "You may."', 'quote = ""', "empty"),
        ('quote = "You may."', f'quote = "{"x" * 601}"', "short quote"),
        ('clause = "1"', "", "clause is missing"),
        ("retrieved = 2026-11-01", 'retrieved = "lately"', "no date"),
        ('value = "allowed"', 'value = "perhaps"', "one of allowed, silent, denied"),
        ('kind = "commercial_use"', 'kind = "comercial_use"', "one of commercial_use"),
        ('clause = "1"', 'clause = "1"\nmore = 1', "unknown key 'more'"),
        ('kind = "commercial_use"', 'kind = "territory"', "unknown key"),
        ('reviewer = "A. Counsel"', "", "signed by nobody"),
        ('"user_cap", ', '"user_cap", "commercial_use", ', "both a term and among the silences"),
        ('"user_cap", ', '"user_capp", ', "one of"),
        ("[[term]]", "[[term", "no TOML"),
    ],
)
def test_a_wrong_record_says_so_in_one_line(old: str, new: str, says: str) -> None:
    assert old in RECORD and read_record(RECORD.encode(), "r.toml").unexamined == ()
    with pytest.raises(MezzotintError) as caught:
        read_record(RECORD.replace(old, new, 1).encode(), "r.toml")
    assert says in str(caught.value) and "r.toml" in str(caught.value) and "\n" not in str(caught.value).strip()


CAP = 'kind = "revenue_cap"\namount = 1\ncurrency = "USD"\nboundary = "exclusive"\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [("amount = 1", "amount = -1"), ("amount = 1", "amount = nan"), ("USD", "USX"), ("exclusive", "about")],
)
def test_a_wrong_cap(old: str, new: str) -> None:
    grant = 'kind = "commercial_use"\nvalue = "allowed"\ntesting = "allowed"\nresearch = "allowed"\n'
    whole = RECORD.replace('"revenue_cap", ', '"commercial_use", ').replace(grant, CAP)
    read_record(whole.encode(), "r.toml")
    with pytest.raises((InputError, UsageError)):
        read_record(whole.replace(old, new).encode(), "r.toml")


def test_a_kind_that_nobody_looked_for_is_named() -> None:
    assert read_record(RECORD.replace('"territory", ', "").encode(), "r").unexamined == ("territory",)
    assert set(EXAMINED) > {"territory", "outputs"}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the records that ship, which are read in their place."""
    for path in FOLDER.iterdir():
        if path.suffix in (".toml", ".json"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    real = resources.files
    monkeypatch.setattr(resources, "files", lambda name: tmp_path if str(name).endswith(".records") else real(name))
    for one in (shelf.shipped, shelf.index):
        one.cache_clear()
    yield tmp_path
    for one in (shelf.shipped, shelf.index):
        one.cache_clear()


def in_hand(path: Path, old: str, new: str) -> None:
    """One word of a file changed, as somebody would in an editor."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_record_that_was_changed_is_refused(table: Path) -> None:
    in_hand(table / "flux-1-dev-nc-1.0.toml", "denied", "allowed")
    with pytest.raises(InputError, match=r"flux-1-dev-nc-1\.0\.toml was changed"):
        LIBRARY.get("LicenseRef-scancode-flux-1-nc")


def test_a_record_that_changes_while_it_is_used_is_refused(table: Path) -> None:
    assert LIBRARY.get("MIT")
    in_hand(table / "flux-1-dev-nc-1.0.toml", "denied", "allowed")
    with pytest.raises(InputError, match=r"flux-1-dev-nc-1\.0\.toml was changed"):
        LIBRARY.get("LicenseRef-scancode-flux-1-nc")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("flux-1-dev-nc-1.0.toml", "denied", "allowed"), (INDEX, '"apple-amlr"', '"anything"'), (INDEX, "{", "[")],
)
def test_no_licence_is_judged_by_a_table_that_was_changed(
    table: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str
) -> None:
    """Whichever file it is, and whatever is asked: also of a model whose licence is another."""
    assert run(["licence", "fashion", "--use", "advertising", "--delivery", "outputs_only"]) in (0, 3, 4)
    for one in (shelf.shipped, shelf.index):
        one.cache_clear()
    in_hand(table / file, old, new)
    capsys.readouterr()
    assert run(["licence", "fashion", "--use", "advertising", "--delivery", "outputs_only"]) == 2
    said = capsys.readouterr().err
    assert f"the licence record {file} was changed; install mezzotint again" in said and len(said.splitlines()) == 1
    for ask in (lambda: LIBRARY.get("MIT"), lambda: LIBRARY.by_tag("mit"), lambda: shelf_of(declared())):
        with pytest.raises(InputError, match="was changed"):
            ask()


def test_a_record_that_is_missing_stops_it_too(table: Path) -> None:
    (table / "gemma-2025-03-24.toml").unlink()
    with pytest.raises(InputError, match=r"gemma-2025-03-24\.toml is missing; install mezzotint again"):
        shelf_of(declared())


def test_an_organisation_s_own_records(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(RECORD)
    assert list(own_records(tmp_path)) == ["LicenseRef-Ours"]
    (tmp_path / "again.toml").write_text(RECORD)
    with pytest.raises(InputError, match="already"):
        own_records(tmp_path)
    (tmp_path / "again.toml").write_text(RECORD.replace("LicenseRef-Ours", "MIT"))
    with pytest.raises(InputError, match="already"):
        own_records(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        own_records(tmp_path / "none")


def test_a_licence_that_nobody_has_a_record_of() -> None:
    with pytest.raises(InputError, match=r"unknown licence 'Apache-2\.1'; did you mean Apache-2\.0"):
        LIBRARY.need("Apache-2.1", "here")


def test_what_ships_is_on_record() -> None:
    shipped = known(LIBRARY)
    names = {parts[0].name.partition(" ")[0].rstrip(":") for parts in shipped.values()}
    assert names == {
        "fashion", "products-latent", "products-pixel", "products-prior", "products-judge", "minilm",
        "efficientnet-lite0",
    }  # fmt: skip
    folder = next(place for origin, place in places() if origin == "shipped")
    said = json.loads((folder / "fashion" / "model.json").read_text())["weights"]["sha256"]
    assert [part.licences for part in shipped[said]] == [("Apache-2.0",), ("MIT",)]


def test_a_model_record_must_name_a_licence_on_record() -> None:
    row = '[[component]]\nrole = "denoiser"\nname = "x"\nsha256 = "{}"\nlicence = "{}"\nevidence = "declared"\n'
    row += 'quote = "q"\nsource = "s"\n'
    good = f"schema = 1\n{row.format('a' * 64, 'MIT')}"
    assert read_model_record(good.encode(), "m", LIBRARY)["a" * 64][0].licences == ("MIT",)
    for bad in (
        row.format("a" * 64, "MITT"),
        row.format("a", "MIT"),
        row.format("a" * 64, "MIT").replace('quote = "q"\n', ""),
    ):
        with pytest.raises(InputError):
            read_model_record(f"schema = 1\n{bad.removeprefix('schema = 1')}".encode(), "m", LIBRARY)


@pytest.mark.parametrize("text", ["2e6", "USD", "-1USD", "1e6XXX", "1e6 dollars", "nanUSD", "infUSD", "1e9999USD", ""])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(UsageError, match="--revenue"):
        money(text, "--revenue")


def test_amounts() -> None:
    assert str(money("2e6USD", "")) == "2,000,000 USD" == str(money("2,000,000 usd", ""))


@pytest.mark.parametrize("code", ["UK", "XX", "", "Germany", "S G", "EUR"])
def test_what_is_no_country(code: str) -> None:
    with pytest.raises(UsageError, match="--territory"):
        countries([code], "--territory")


def test_countries() -> None:
    assert (
        countries(["sg"], "") == {"SG"}
        and {"DE", "FR", "RE"} < countries(["EU"], "")
        and "GB" not in countries(["EU"], "")
    )
