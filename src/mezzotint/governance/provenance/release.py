"""How a picture leaves: signed last, entered in the ledger, and only then given its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mezzotint.errors import InputError, ProvenanceError
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.provenance import credential
from mezzotint.governance.provenance.chain import Record
from mezzotint.governance.provenance.ledger import Ledger, writing
from mezzotint.governance.provenance.manifest import MADE, Claim, Photo, claim_of
from mezzotint.governance.provenance.signer import Signer, configured
from mezzotint.governance.receipt import Receipt
from mezzotint.pictures.png import png, to_pil

AUTO, OFF, REQUIRED = "auto", "off", "required"


@dataclass(frozen=True)
class Release:
    """What pictures of a run leave with.   photos: those that they are made from."""

    signer: Signer | None = None
    ledger: Ledger | None = None
    photos: tuple[Photo, ...] = ()

    def file(self, data: bytes, receipt: Receipt, receipt_sha256: str, *, embed_prompt: bool = False) -> bytes:
        """The bytes of a picture's file, which may now be given out.

        data: the file as it is else.  receipt_sha256: of the receipt's file.
        Raises ProvenanceError (it cannot be signed), StorageError, LedgerError (it cannot be entered).
        """
        if self.signer is not None:
            claim = claim_of(receipt, receipt_sha256, self.photos, embed_prompt=embed_prompt)
            data = credential.signed(data, claim, self.signer)
        if self.ledger is not None:
            self.ledger.append(self._record(data, receipt, receipt_sha256))
        return data

    def _record(self, data: bytes, receipt: Receipt, receipt_sha256: str) -> Record:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signer = "" if self.signer is None else self.signer.sha256
        return Record(now, receipt.made.asset_id, receipt_sha256, receipt.pixels_sha256, sha256(data), signer)


@contextmanager
def releasing(credentials: str, ledger: Path | None, photos: Sequence[Path]) -> Iterator[Release]:
    """Everything that pictures need to leave, tried before the first is made.

    credentials: auto | off | required.   Raises as ``Release.file``, InputError (photos), UsageError (settings).
    """
    signer = None if credentials == OFF else configured()
    if signer is None and credentials == REQUIRED:
        raise ProvenanceError("credentials are required and there are no keys; `mezzotint keys init` makes them")
    if signer is not None:
        credential.signed(png(to_pil(np.zeros((1, 1, 1), np.uint8)), {}), Claim(False, MADE, {}), signer)
    with ExitStack() as stack:
        book = None if ledger is None else stack.enter_context(writing(ledger))
        yield Release(signer, book, () if signer is None else tuple(map(photo, photos)))


def photo(path: Path) -> Photo:
    """Raises InputError: unreadable, or no PNG, JPEG or WebP."""
    data = read_bytes(path, credential.MAX_BYTES)
    try:
        return Photo(data, credential.mime_of(data))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
