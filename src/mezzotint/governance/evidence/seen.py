"""What there is to go by: documents of this program in the folders that are named, the ledger, settings, incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mezzotint.config import FILE_NAME, section, settings, user_file
from mezzotint.errors import InputError, LedgerError, MezzotintError
from mezzotint.files import canonical_json, sha256, sha256_file
from mezzotint.governance.evidence.shape import is_shaped
from mezzotint.governance.provenance.chain import FIRST, Fault, Head
from mezzotint.governance.provenance.ledger import Checked, check, place
from mezzotint.governance.receipt import from_dict
from mezzotint.pretrained.folder import Described, describe, verify
from mezzotint.pretrained.spec import Card

PREFIX = "mezzotint/"
MOST_BYTES, MOST_FILES, DEEPEST = 8 << 20, 200_000, 6
ASKED_RUN = ("recipe_sha256", "fields", "parameters", "device", "dtype")
"""What a training run says of itself beside its recipe's name; the weights that it began with may be none."""

MODEL = "model"
"""The folder of a training run's model, in its own."""

RECEIPT, TRAINING, TUNED, EVALUATED = "receipt", "training-run", "tune", "evaluation"


@dataclass(frozen=True)
class Artefact:
    """A document on the disk.   kind: of its schema, without version."""

    path: Path
    sha256: str
    kind: str
    document: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Trained:
    """A training run whose model lies in its folder.   model: its weights file has the hash that it records."""

    run: Artefact
    model: Described

    @property
    def is_whole(self) -> bool:
        """Whether the run and the model's card say all that is asked of a card."""
        said = all(self.run.document.get(word) for word in ASKED_RUN)
        return said and not unsaid(self.model.spec.card)


@dataclass(frozen=True)
class Setting:
    """A settings file that says something, and which tables."""

    path: Path
    sha256: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """Everything that evidence is built from.

    unread: files in the folders that begin as a document of ours and cannot be read or have not what those of their
    kind have, and receipts that are damaged, of another schema, or whose id is not the hash of what they say.
    ledger: checked whole, None where there is none.   loose: receipts whose files no entry of it is of, which are none
    of the artefacts: an id is of how a picture was made alone, so that only an entry shows that the rest was not
    changed (the licence's decision, the gates' verdicts).
    trained: of the training runs those whose models are there; cards are written of them.
    """

    artefacts: tuple[Artefact, ...]
    incidents: tuple[Artefact, ...]
    settings: tuple[Setting, ...]
    ledger: Checked | None
    unread: tuple[Path, ...] = ()
    loose: tuple[Artefact, ...] = ()
    trained: tuple[Trained, ...] = ()

    def of(self, kind: str) -> list[Artefact]:
        """The documents of a kind."""
        return [one for one in self.artefacts if one.kind == kind]

    @cached_property
    def receipts(self) -> list[dict[str, Any]]:
        """What they say."""
        return [one.document for one in self.of(RECEIPT)]

    @property
    def said_loose(self) -> str:
        """In words."""
        which = "1 receipt is" if len(self.loose) == 1 else f"{len(self.loose)} receipts are"
        return f"{which} in no ledger, and not counted"

    def saying(self, word: str) -> list[Artefact]:
        """The receipts that have a word."""
        return [one for one in self.of(RECEIPT) if word in one.document]


def gather(folders: Sequence[Path], incidents: Path) -> Seen:
    """Reads the folders.   Raises UsageError, InputError (settings)."""
    found, unread = list[Artefact](), list[Path]()
    for folder in folders:
        for path in _files(folder):
            read = _artefact(path)
            if isinstance(read, Artefact):
                found.append(read)
            elif read:
                unread.append(path)
    kept = (_artefact(path) for path in sorted(incidents.glob("*.json")))
    ledger = _ledger()
    return Seen(
        tuple(one for one in found if not _is_loose(one, ledger)),
        tuple(one for one in kept if isinstance(one, Artefact)), tuple(_settings()), ledger, tuple(unread),
        tuple(one for one in found if _is_loose(one, ledger)), tuple(_trained(found)),
    )  # fmt: skip


def _trained(found: Sequence[Artefact]) -> Iterator[Trained]:
    for one in found:
        if one.kind == TRAINING:
            with suppress(MezzotintError, OSError):
                yield Trained(one, verify(describe(one.path.parent / MODEL)))


def unsaid(card: Card) -> tuple[str, ...]:
    """What a card leaves out of what is asked of one: what the model is, on what it was trained, its limits."""
    return tuple(name for name, text in (("what it is", card.summary), ("training data", card.data),
                                         ("limits", card.limits)) if not text.strip())  # fmt: skip


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep it is."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def _is_loose(one: Artefact, ledger: Checked | None) -> bool:
    """Whether a document is a receipt that is in no entry of a ledger that is there, byte for byte."""
    return ledger is not None and one.kind == RECEIPT and one.sha256 not in ledger.receipts


def _files(folder: Path) -> Iterator[Path]:
    """JSON files, a few levels down, in their order."""
    depth = len(folder.parts)
    found = (path for path in folder.rglob("*.json") if len(path.parts) - depth <= DEEPEST)
    yield from sorted(found)[:MOST_FILES]


def _artefact(path: Path) -> Artefact | bool:
    """A document of ours; else whether it looked like one, or is one that shows nothing."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return True
    ours = b'"mezzotint/' in data[:4096]
    try:
        document = json.loads(data)
        name = document["schema"]
        kind = name.removeprefix(PREFIX).rpartition("/")[0] if name.startswith(PREFIX) else ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ours
    if kind == RECEIPT and not _is_sound(path, document):
        return True
    if kind and not _is_whole(kind, document):
        return True
    return Artefact(path, sha256(data), kind, document) if kind else False


def _is_whole(kind: str, document: dict[str, Any]) -> bool:
    """Whether a document has what those of its kind have, in letters and numbers that can be written again."""
    try:
        canonical_json(document)
    except (ValueError, RecursionError):
        return False
    return is_shaped(kind, document)


def _is_sound(path: Path, document: dict[str, Any]) -> bool:
    """Whether a receipt is what was written when its picture was made."""
    try:
        from_dict(document, str(path))
    except (InputError, ValueError, RecursionError):
        return False
    return True


def _settings() -> Iterator[Setting]:
    for path in (user_file(), Path(FILE_NAME)):
        if path.is_file():
            names = ("licence", "safety", "provenance", "cost")
            said = [name for name in names if any(where == str(path) for _, where in section(name).values())]
            yield Setting(path, sha256_file(path), tuple(said))


def _ledger() -> Checked | None:
    """One that cannot be read does not hold; that it was there is no secret."""
    value = settings()["ledger"].value
    where = place(None if value is None else str(value))
    if where is None or not where.is_file():
        return None
    try:
        return check(where)
    except LedgerError as error:
        return Checked(where, Head(0, FIRST), Fault(0, "changed", str(error)), frozenset())
