"""The chain of a ledger: each entry's hash is of what it says and of the hash before it.

Haber and Stornetta, 1991, How to Time-Stamp a Digital Document, sec. 5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from mezzotint.files import canonical_json, sha256

FIRST = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True)
class Record:
    """What is kept of one picture, in words that say nothing of its prompt.

    at: UTC, ISO 8601.  receipt_sha256: of the receipt's file.  pixels_sha256: as in it.  file_sha256: of the picture's
    file, signed where it is.  signer_sha256: of the certificate that signed it, "" for none.
    """

    at: str
    asset_id: str
    receipt_sha256: str
    pixels_sha256: str
    file_sha256: str
    signer_sha256: str = ""


@dataclass(frozen=True)
class Head:
    """The last entry: its number, counted from 1, and its hash; (0, FIRST) of an empty ledger."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True)
class Entry:
    """A record in its place.   before: the hash of the entry before."""

    number: int
    record: Record
    before: str
    hash: str

    @property
    def head(self) -> Head:
        """As the last one."""
        return Head(self.number, self.hash)

    @property
    def sound(self) -> bool:
        """Whether its hash is that of what it says."""
        return self.hash == hash_of(self.record, self.before)


@dataclass(frozen=True)
class Fault:
    """The first entry that is wrong.   code: changed | missing | moved | replaced | cut | rewritten."""

    number: int
    code: str
    text: str


def hash_of(record: Record, before: str) -> str:
    """SHA-256 of the canonical JSON of the hash before and the record's fields."""
    return sha256(canonical_json([before, *astuple(record)]))


def after(head: Head, record: Record) -> Entry:
    """The next entry."""
    return Entry(head.number + 1, record, head.hash, hash_of(record, head.hash))


def fault_of(entries: Sequence[Entry], head: Head, known: Head | None = None) -> Fault | None:
    """What is wrong with a chain first; None where nothing is.

    entries: by their numbers.  head: as the ledger itself notes it.  known: as it was noted elsewhere, earlier.
    """
    return _links(entries) or _end(entries, head) or (None if known is None else _noted(entries, known))


def _links(entries: Sequence[Entry]) -> Fault | None:
    last = Head(0, FIRST)
    for entry in entries:
        fault = _link(last, entry)
        if fault is not None:
            return fault if fault.code != "replaced" else _where(entries, last, entry, fault)
        last = entry.head
    return None


def _link(last: Head, entry: Entry) -> Fault | None:
    """An entry by itself and by the one before it."""
    if entry.number != last.number + 1:
        missing = _span(last.number + 1, entry.number - 1)
        return Fault(last.number + 1, "missing", f"{missing} missing: removed after it was written")
    if not entry.sound:
        return Fault(entry.number, "changed", f"entry {entry.number} was changed: its hash is not of what it says")
    if entry.before != last.hash:
        return Fault(entry.number, "replaced", "")
    return None


def _where(entries: Iterable[Entry], last: Head, entry: Entry, fault: Fault) -> Fault:
    """Why a sound entry does not follow the one before it."""
    other = next((one.number for one in entries if one.hash == entry.before), 0)
    if other or entry.before == FIRST:
        place = f"it was written after entry {other}" if other else "it was written as the first"
        return Fault(entry.number, "moved", f"entry {entry.number} was moved: {place}, not after entry {last.number}")
    what = "what stood before it was removed, or changed together with its hash"
    return Fault(fault.number, "replaced", f"entry {entry.number} does not follow entry {last.number}: {what}")


def _end(entries: Sequence[Entry], head: Head) -> Fault | None:
    """Entries that are gone from the end leave no gap: the ledger's own note of its end finds them."""
    last = entries[-1].head if entries else Head(0, FIRST)
    if last.number < head.number:
        gone = _span(last.number + 1, head.number)
        return Fault(last.number + 1, "cut", f"{gone} missing at the end: removed after it was written")
    if last != head:
        return Fault(last.number, "rewritten", f"entry {last.number} is not the end that the ledger noted ({head})")
    return None


def _noted(entries: Sequence[Entry], known: Head) -> Fault | None:
    """A chain that was written anew as a whole is sound: a note of it elsewhere finds that."""
    found = next((one.head for one in entries if one.number == known.number), Head(0, FIRST))
    if found == known:
        return None
    why = f"entry {known.number} is not the one noted elsewhere ({known}): the ledger was written anew, or cut"
    return Fault(known.number, "rewritten", why)


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
