"""``evidence build``: everything in one new folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, StorageError
from mezzotint.files import pretty_json, write_atomic
from mezzotint.governance.evidence import incident
from mezzotint.governance.evidence.bom import bom
from mezzotint.governance.evidence.card import card_page
from mezzotint.governance.evidence.catalogue import source
from mezzotint.governance.evidence.dataset import manifest
from mezzotint.governance.evidence.models import Known, known
from mezzotint.governance.evidence.report import page
from mezzotint.governance.evidence.rules import STATUSES, Item
from mezzotint.governance.evidence.seen import gather
from mezzotint.governance.evidence.table import items

SCHEMA = "mezzotint/evidence/1"
REPORT, DOCUMENT, BOM, DATA, CARDS = "report.html", "evidence.json", "bom.json", "dataset.json", "cards"


@dataclass(frozen=True)
class Built:
    """folder: where it is.   document: ``schemas/evidence-1.json``."""

    folder: Path
    document: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """Actions by status."""
        each = [one["status"] for one in self.document["items"]]
        return {status: each.count(status) for status in STATUSES}


def refuse_missing(folders: Sequence[Path]) -> None:
    """Raises InputError for a folder that is not there."""
    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                f"no folder {folder}, so there is nothing to read; name folders of runs, such as ./mezzotint-out"
            )


def build(folders: Sequence[Path], out: Path) -> Built:
    """Reads folders of runs and writes report, evidence, bill of materials, data sets and model cards to a new folder.

    Raises InputError (a folder that is not there), StorageError (``out`` holds a report), UsageError (settings).
    """
    refuse_missing(folders)
    if (out / DOCUMENT).exists():
        raise StorageError(f"{out} holds evidence already; nothing is overwritten, choose another --out")
    seen, made = gather(folders, incident.folder()), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    models, found = known(seen), items(seen)
    for name, one in zip(_names(models), models, strict=True):
        write_atomic(out / CARDS / f"{name}.md", card_page(one, models))
    write_atomic(out / BOM, pretty_json(bom(models, seen, made)))
    write_atomic(out / DATA, pretty_json(manifest(seen)))
    write_atomic(out / REPORT, page(found, seen, models, made, folders))
    document = {"schema": SCHEMA, "made": made, "source": source(), "items": [_said(one) for one in found]}
    write_atomic(out / DOCUMENT, pretty_json(document), replace=False)
    return Built(out, document)


def _names(models: Sequence[Known]) -> Iterator[str]:
    """Of their cards' files, no two alike: names may differ in letters that no file's name has."""
    taken = Counter[str]()
    for one in models:
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", one.name)[:80]
        taken[name.casefold()] += 1
        yield name if taken[name.casefold()] == 1 else f"{name}_{taken[name.casefold()]}"  # no name has that letter


def _said(one: Item) -> dict[str, Any]:
    return {
        "action": one.action.id,
        "asks": one.action.asks,
        "status": one.answer.status,
        "claim": one.answer.claim,
        "artefacts": [{"path": str(path), "sha256": digest} for path, digest in one.answer.artefacts],
    }
