"""Which licence what lies on disk has."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
from licence_case import LIBRARY, SHOP, shop

from mezzotint.files import sha256_file
from mezzotint.governance.licence.evidence import beside, card_tags, weighed, within
from mezzotint.governance.licence.facts import Facts
from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.model_record import known
from mezzotint.governance.licence.parts import Shelf, components_of, declared, learnt_from, worn
from mezzotint.governance.licence.words import Decision
from mezzotint.pretrained.passport import KEY, Base, Passport, Photos, said
from mezzotint.pretrained.system import describe_system

APACHE = (Path(__file__).parents[2] / "LICENSE").read_text()
SHELF = Shelf(LIBRARY, known(LIBRARY))


@pytest.mark.parametrize(
    ("texts", "tags", "kind", "licences"),
    [
        ([APACHE], [], "text", ("Apache-2.0",)),
        ([APACHE], ["apache-2.0"], "text", ("Apache-2.0",)),
        ([APACHE], ["other"], "text", ("Apache-2.0",)),
        ([APACHE], ["mit"], "clash", ("Apache-2.0",)),
        ([APACHE], ["nobody-knows-it"], "clash", ("Apache-2.0",)),
        ([APACHE.replace("royalty-free", "royal")], [], "edited", ()),
        ([APACHE, "some other terms"], [], "edited", ()),
        ([], [], "none", ()),
        ([], ["other", ""], "none", ()),
        ([], ["apache-2.0"], "tag", ("Apache-2.0",)),
        ([], ["openrail", "openrail++"], "ambiguous", ()),
        ([], ["tencent-hunyuan-community"], "tag", ()),  # a tag of several versions
    ],
)
def test_texts_and_tags(texts: list[str], tags: list[str], kind: str, licences: tuple[str, ...]) -> None:
    found = weighed(texts, tags, LIBRARY)
    assert (found.kind, found.licences) == (kind, licences)


def test_a_card_s_front_matter() -> None:
    assert list(card_tags("---\nlicense: apache-2.0\ntags: [a]\n---\n# x\nlicense: mit\n")) == ["apache-2.0"]
    assert list(card_tags("---\nlicense: other\nlicense_name: 'x-1'\n---\n")) == ["other", "x-1"]
    assert list(card_tags("---\nlicense:\n- openrail\n- openrail++\ntags:\n- y\n---\n")) == ["openrail", "openrail++"]
    assert list(card_tags("no front matter\nlicense: mit")) == []


def test_a_folder(tmp_path: Path) -> None:
    assert beside(tmp_path, LIBRARY).kind == "none"
    (tmp_path / "pulled.json").write_text(json.dumps({"licence": "apache-2.0"}))
    assert beside(tmp_path, LIBRARY).kind == "tag"
    (tmp_path / "LICENSE.md").write_text(APACHE)
    assert beside(tmp_path, LIBRARY).kind == "text"
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert beside(tmp_path, LIBRARY).kind == "clash"
    (tmp_path / "pulled.json").write_text("[")
    assert beside(tmp_path, LIBRARY).kind == "clash"


def test_a_folder_inside_another(tmp_path: Path) -> None:
    inner = tmp_path / "stage" / "text_encoder"
    inner.mkdir(parents=True)
    (tmp_path / "LICENSE").write_text(APACHE)
    (tmp_path.parent / "LICENSE").write_text("of something else, further out")
    assert within(tmp_path, inner, LIBRARY) == beside(tmp_path, LIBRARY)
    (inner / "LICENSE").write_text(APACHE)
    assert within(tmp_path, inner, LIBRARY).kind == "text"
    (inner.parent / "LICENSE").write_text("For non-commercial research only.")
    assert within(tmp_path, inner, LIBRARY).kind == "edited"
    assert within(tmp_path, tmp_path, LIBRARY).kind == "text"


def adapter(path: Path, metadata: Mapping[str, str]) -> Path:
    """A safetensors file of one number with a header."""
    table = {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": dict(metadata)}
    head = json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"\0" * 4)
    return path


def passport(licence: str, photos: str) -> Passport:
    return Passport(
        "bag", Base("fashion", "dit", "0" * 64), "lora", 4, None, ("bag",), "bag", Photos(4, "1" * 64, photos), {}, {},
        "mezzotint tune", {}, 0, "2026-11-27T00:00:00Z", licence,
    )  # fmt: skip


def decision(path: Path, facts: Facts) -> Decision:
    return judge("model", worn("adapter", path, SHELF), facts, LIBRARY).decision


@pytest.mark.parametrize(
    ("licence", "photos", "expected"),
    [
        ("", "our own", Decision.UNKNOWN),  # whose adapter it is, nobody says
        ("", "", Decision.UNKNOWN),
        ("", "CC-BY-NC-4.0", Decision.DENIED),
        ("CC0-1.0", "our own", Decision.ALLOWED),
        ("CC0-1.0", "CC0-1.0", Decision.ALLOWED),
        ("CC0-1.0", "CC-BY-4.0", Decision.ALLOWED_WITH_CONDITIONS),
        ("CC0-1.0", "CC-BY-NC-4.0", Decision.DENIED),
        ("CC0-1.0", "from the web", Decision.UNKNOWN),
        ("CC0-1.0", "", Decision.UNKNOWN),
        ("CC-BY-NC-4.0", "our own", Decision.DENIED),
    ],
)
def test_an_adapter_s_passport_counts(tmp_path: Path, licence: str, photos: str, expected: Decision) -> None:
    path = adapter(tmp_path / "bag.safetensors", {KEY: said(passport(licence, photos))})
    assert decision(path, SHOP) == expected


def test_an_adapter_of_ones_own(tmp_path: Path) -> None:
    path = adapter(tmp_path / "bag.safetensors", {KEY: said(passport("", "our own"))})
    assert decision(path, shop(own_adapters=(sha256_file(path)[:16],))) == Decision.ALLOWED
    nc = adapter(tmp_path / "nc.safetensors", {KEY: said(passport("", "CC-BY-NC-4.0"))})
    assert decision(nc, shop(own_adapters=(sha256_file(nc),))) == Decision.DENIED


def test_an_adapter_without_a_passport(tmp_path: Path) -> None:
    assert decision(adapter(tmp_path / "a.safetensors", {}), SHOP) == Decision.UNKNOWN
    tagged = adapter(tmp_path / "b.safetensors", {"modelspec.license": "CC0-1.0"})
    assert decision(tagged, SHOP) == Decision.UNKNOWN
    forbidden = adapter(tmp_path / "c.safetensors", {"modelspec.license": "CC-BY-NC-4.0"})
    assert decision(forbidden, SHOP) == Decision.DENIED


def test_words_for_photographs() -> None:
    assert learnt_from("Our own", "p", LIBRARY) == ()
    assert declared("CC0-1.0", LIBRARY).kind == "declared" and declared("cc0", LIBRARY).kind == "tag"


def test_a_model_of_ours_by_its_card_alone_is_not_known(tiny: Path) -> None:
    (one,) = components_of(describe_system(tiny), SHELF)
    assert (one.evidence, one.licences, one.role) == ("tag", ("CC0-1.0",), "denoiser")
    assert judge("tiny", [one], SHOP, LIBRARY).decision == Decision.UNKNOWN
