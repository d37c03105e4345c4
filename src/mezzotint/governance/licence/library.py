"""The records at hand: those that ship, each checked against its hash, and an organisation's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from mezzotint.errors import InputError, unknown
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.licence.reading import MAX_BYTES
from mezzotint.governance.licence.record import Record, read_record

INDEX = "index.json"
INDEX_SHA256 = "8c8182cc8c1f93e475b41c8610ec80c4c9e406fb97116d7dff09081f5146f0b9"
"""Of the index, which has the hash of every record: one number for the whole table."""


@dataclass(frozen=True)
class Entry:
    """What the index says of a record, so that few files need be read."""

    id: str
    file: str
    sha256: str
    aliases: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Library:
    """Records by id, by tag and by text.   own: an organisation's, by id."""

    own: Mapping[str, Record] = field(default_factory=dict)

    def get(self, id: str) -> Record | None:
        """A record by its id, None where there is none.  Raises InputError for one that was changed by hand."""
        return self.own.get(id) or (shipped(id) if id in index() else None)

    def need(self, id: str, where: str) -> Record:
        """The same; raises InputError where there is none."""
        found = self.get(id)
        if found is None:
            raise InputError(f"{where}: {unknown('licence', id, sorted({*index(), *self.own}))}")
        return found

    def by_text(self, digest: str) -> tuple[str, ...]:
        """Ids of records of a normalised text."""
        ours = [e.id for e in index().values() if digest in e.texts]
        return tuple(sorted({*ours, *(r.id for r in self.own.values() if digest in r.text_sha256)}))

    def by_tag(self, tag: str) -> tuple[str, ...]:
        """Ids of records that a tag may mean: its id, or an alias, in any case."""
        word = tag.strip().casefold()
        ours = {e.id for e in index().values() if word in {e.id.casefold(), *e.aliases}}
        more = {r.id for r in self.own.values() if word in {r.id.casefold(), *(a.casefold() for a in r.aliases)}}
        return tuple(sorted(ours | more))

    def all(self) -> Iterator[Record]:
        """Every record, by id."""
        for id in sorted({*index(), *self.own}):
            yield self.need(id, "records")


@cache
def index() -> Mapping[str, Entry]:
    """The index of what ships, by id, once it and every file that it names were looked at: where one word of the table
    was changed by hand, nothing is said of any licence.   Raises InputError where anything is damaged or changed."""
    data = _whole(Entry("", INDEX, INDEX_SHA256, (), ()))
    try:
        table = json.loads(data)
        entries = [Entry(e["id"], e["file"], e["sha256"], tuple(e["aliases"]), tuple(e["texts"])) for e in table]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"the licence records are damaged ({error}); install mezzotint again") from error
    for entry in entries:
        _whole(entry)
    return {entry.id: entry for entry in entries}


@cache
def shipped(id: str) -> Record:
    """A record that ships.  Raises InputError where any file of the table is not the one that was shipped."""
    entry = index()[id]
    return read_record(_whole(entry), entry.file)


def _whole(entry: Entry) -> bytes:
    """What a file of the table says.  Raises InputError where it is not the one that was shipped."""
    try:
        data = (resources.files(f"{__package__}.records") / entry.file).read_bytes()
    except OSError as error:
        raise InputError(f"the licence record {entry.file} is missing; install mezzotint again") from error
    if sha256(data) != entry.sha256:
        raise InputError(
            f"the licence record {entry.file} was changed; install mezzotint again, and keep records of your own in the"
            " folder that records in [licence] of mezzotint.toml names"
        )
    return data


def own_records(folder: Path) -> dict[str, Record]:
    """An organisation's records.  Raises InputError for a folder that is not there, a bad file, an id that is taken."""
    if not folder.is_dir():
        raise InputError(f"no folder of licence records at {folder}; correct records in [licence] of mezzotint.toml")
    found: dict[str, Record] = {}
    for path in sorted(path for path in folder.glob("*.toml") if not path.name.endswith(".model.toml")):
        record = read_record(read_bytes(path, MAX_BYTES), str(path))
        if record.id in found or record.id in index():
            raise InputError(f"{path}: there is a record of {record.id!r} already; give this one another id")
        found[record.id] = record
    return found
