"""Which licence what lies on disk has: by its text, word for word; a tag alone does not suffice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mezzotint.errors import InputError
from mezzotint.files import read_bytes
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.reading import MAX_BYTES
from mezzotint.governance.licence.texts import text_hash
from mezzotint.pretrained.hub import RECORD

CARDS = ("README.md", "CARD.md")
TEXTS = re.compile(r"(licen[cs]e|copying)([-._].*)?", re.IGNORECASE)
LOOSE = ("other", "unknown", "not stated", "see the model's own licence", "")
"""Tags that say nothing."""

_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"^license(?:_name)?:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_LIST = re.compile(r"^license:[ \t]*\n((?:[ \t]*-[ \t]*.+\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class Evidence:
    """licences: ids of records it may be.  kind: a key of ``components.EVIDENCE``.  tags: what claims one."""

    licences: tuple[str, ...]
    kind: str
    tags: tuple[str, ...] = ()


def weighed(texts: Iterable[str], tags: Iterable[str], library: Library) -> Evidence:
    """Of licence texts and of tags.

    One text on record that no tag denies is ``text``; a changed text, two texts, two tags, a tag against the text and
    a tag without text are not sure.
    """
    bodies = list(texts)
    said = tuple(dict.fromkeys(tag for tag in (one.strip() for one in tags) if tag.casefold() not in LOOSE))
    named = [library.by_tag(tag) for tag in said]
    if not bodies:
        return _of_tags(said, named)
    found = [library.by_text(text_hash(body)) for body in bodies]
    ids = tuple(sorted({id for one in found for id in one}))
    if not all(found):
        return Evidence(_alone(named), "edited", said)
    if len(ids) > 1:
        return Evidence(ids, "ambiguous", said)
    return Evidence(ids, "text" if all(ids[0] in one for one in named) else "clash", said)


def _of_tags(said: tuple[str, ...], named: list[tuple[str, ...]]) -> Evidence:
    if not said:
        return Evidence((), "none")
    if len(said) > 1:
        return Evidence((), "ambiguous", said)
    return Evidence(_alone(named), "tag", said)


def _alone(named: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The one record that all tags mean, if there is one."""
    ids = {id for one in named for id in one}
    return tuple(ids) if len(ids) == 1 else ()


def texts_in(folder: Path) -> Iterator[str]:
    """Licence texts in a folder.  Raises InputError for one that cannot be read."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if TEXTS.fullmatch(path.name) and path.is_file() and path.suffix not in (".toml", ".json"):
            yield read_bytes(path, MAX_BYTES).decode("utf-8", "replace")


def tags_in(folder: Path) -> Iterator[str]:
    """What a folder's card and what the hub said when it was fetched claim."""
    for name in CARDS:
        if (folder / name).is_file():
            yield from card_tags(read_bytes(folder / name, MAX_BYTES).decode("utf-8", "replace"))
    with suppress(ValueError, InputError, AttributeError, RecursionError):
        if (folder / RECORD).is_file():
            yield str(json.loads(read_bytes(folder / RECORD, MAX_BYTES)).get("licence", ""))


def card_tags(card: str) -> Iterator[str]:
    """``license`` and ``license_name`` of a card's front matter."""
    front = _FRONT.match(card)
    for block in _LIST.findall(front[1] + "\n") if front else ():
        yield from (line.strip(" \t-\"'") for line in block.splitlines())
    for value in _TAG.findall(front[1]) if front else ():
        yield value.strip("\"'")


def beside(folder: Path, library: Library) -> Evidence:
    """Of a folder.  Raises InputError."""
    return _beside((folder,), library)


def within(whole: Path, folder: Path, library: Library) -> Evidence:
    """Of a folder inside a whole, by all that lies beside it, beside the whole and in between: where they say different
    things it is not sure which holds.  Raises InputError."""
    return _beside([one for one in (folder, *folder.parents) if one == whole or whole in one.parents], library)


def _beside(folders: Sequence[Path], library: Library) -> Evidence:
    texts = (text for folder in folders for text in texts_in(folder))
    return weighed(texts, (tag for folder in folders for tag in tags_in(folder)), library)
