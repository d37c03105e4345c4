"""Model records: whose weights a file is, under which licence, learnt from what; found by the weights' SHA-256.

They are believed where they came with ``mezzotint-models`` (``licence.toml`` of a folder) or lie in an organisation's
own folder of records (``*.model.toml``): what lies beside weights from elsewhere is no more than a tag.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mezzotint.files import read_bytes
from mezzotint.governance.licence import reading
from mezzotint.governance.licence.components import SURE, Component
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.reading import MAX_BYTES, Checker, choice, wrong
from mezzotint.governance.licence.record import SCHEMA
from mezzotint.governance.licence.words import ROLES
from mezzotint.places import SHIPPED

NAME, SUFFIX = "licence.toml", ".model.toml"
Known = Mapping[str, tuple[Component, ...]]
"""Weights' SHA-256 -> its component, and one for each set of data that it was learnt from."""


def _data(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise wrong(where, "no list", "a [[component.data]] for each set of data")
    return [reading.fields(one, _DATA, ("name", "licence", "quote", "source"), where) for one in value]


_DATA: Mapping[str, Checker] = {
    "name": reading.said, "licence": reading.said, "quote": reading.said, "source": reading.said, "note": reading.said,
}  # fmt: skip
_COMPONENT: Mapping[str, Checker] = {
    **_DATA, "role": choice(*ROLES), "sha256": reading.digest, "evidence": choice(*SURE), "text_sha256": reading.digest,
    "data": _data,
}  # fmt: skip
_NEEDED = ("role", "name", "sha256", "licence", "evidence", "quote", "source")


def read_model_record(data: bytes, where: str, library: Library) -> dict[str, tuple[Component, ...]]:
    """What a record says, by hash.  Raises InputError that names what is wrong, an unknown licence among it."""
    table = reading.parsed(data, where)
    if table.pop("schema", None) != SCHEMA:
        raise wrong(where, "its schema is another", f"schema = {SCHEMA}")
    rows = reading.fields(table, {"component": lambda value, _: value}, ("component",), where)["component"]
    if not isinstance(rows, list):
        raise wrong(where, "no components", "a [[component]] for each")
    found = (_component(row, f"{where}: component {k + 1}", library) for k, row in enumerate(rows))
    return {parts[0].sha256: parts for parts in found}


def _component(row: Any, where: str, library: Library) -> tuple[Component, ...]:
    said = reading.fields(row, _COMPONENT, _NEEDED, where)
    record = library.need(said["licence"], where)
    if said["evidence"] == "text" and said.get("text_sha256") not in record.text_sha256:
        raise wrong(
            where, f"its text is not one of {record.id}", "text_sha256 of a text on record, or another evidence"
        )
    data = tuple(
        Component("training_data", one["name"], (library.need(one["licence"], where).id,), "declared", note=_note(one))
        for one in said.get("data", ())
    )
    own = Component(said["role"], said["name"], (record.id,), said["evidence"], said["sha256"], note=_note(said))
    return (own, *data)


def _note(said: Mapping[str, Any]) -> str:
    return str(said.get("note", ""))


def _files(records: Path | None) -> Iterator[Path]:
    spec = importlib.util.find_spec(SHIPPED)
    for place in [] if spec is None else spec.submodule_search_locations or []:
        yield from sorted(Path(place).glob(f"*/{NAME}"))
    yield from [] if records is None else sorted(records.glob(f"*{SUFFIX}"))


def known(library: Library, records: Path | None = None) -> Known:
    """All that is on record.   records: an organisation's folder.   Raises InputError."""
    found: dict[str, tuple[Component, ...]] = {}
    for path in _files(records):
        found |= read_model_record(read_bytes(path, MAX_BYTES), str(path), library)
    return found
