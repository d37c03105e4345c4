"""``verify``: what speaks for a picture's file, and what each of it proves.  No socket is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mezzotint.config import settings
from mezzotint.errors import InputError, MezzotintError, ProvenanceError
from mezzotint.files import read_bytes, sha256, user_path
from mezzotint.governance.provenance import credential
from mezzotint.governance.provenance.alike import alike
from mezzotint.governance.provenance.chain import Entry
from mezzotint.governance.provenance.ledger import find, find_named, place
from mezzotint.governance.provenance.mark import keys
from mezzotint.governance.provenance.signer import anchors
from mezzotint.governance.receipt import beside, read_receipt
from mezzotint.pictures.flat import seen
from mezzotint.pictures.png import Pixels, read_picture, to_pixels

ASSET = "mezzotint:asset_id"
PROVES, FAILS, SILENT = "proves", "fails", "silent"


@dataclass(frozen=True)
class Finding:
    """kind: credential | receipt | ledger | mark | watermark | near-copy.   verdict: proves | fails | silent.   state:
    short, and stable.  text: what that proves and what not, in one line."""

    kind: str
    verdict: str
    state: str
    text: str


@dataclass(frozen=True)
class Verified:
    """Of one file."""

    path: Path
    file_sha256: str
    pixels_sha256: str
    asset_id: str
    credential: credential.Credential
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """fails where anything fails, else proves where anything proves, else silent."""
        said = {one.verdict for one in self.findings}
        return next(word for word in (FAILS, PROVES, SILENT) if word in said | {SILENT})

    @property
    def document(self) -> dict[str, Any]:
        """``schemas/verify-1.json``."""
        return {
            "schema": "mezzotint/verify/1",
            "path": str(self.path),
            "verdict": self.verdict,
            "file_sha256": self.file_sha256,
            "pixels_sha256": self.pixels_sha256,
            "asset_id": self.asset_id or None,
            "signer": self.credential.signer or None,
            "source": self.credential.source or None,
            "photos": self.credential.photos,
            "findings": [asdict(one) for one in self.findings],
        }


def verify(file: str | Path) -> Verified:
    """Looks for a picture's credential, its receipt beside it, its entry in the ledger, its mark, its watermark, and
    for registered pictures that it is like.

    Raises InputError (unreadable, or no sound still PNG, JPEG, WebP), UsageError (settings).
    """
    path = user_path(file)
    data = read_bytes(path, credential.MAX_BYTES)
    picture = read_picture(path)
    decoded = to_pixels(picture)
    whole, pixels = sha256(data), sha256(decoded.tobytes())
    found, said = _credential(data)
    texts = {k: v for k, v in picture.info.items() if isinstance(k, str) and isinstance(v, str)}
    signed = found.said if found.state in ("trusted", "valid") and found.said else {}
    asset = str(signed.get("asset_id") or texts.get(ASSET, ""))
    findings = (
        said,
        _receipt(path, asset, pixels, signed, found.state),
        _ledger(whole, pixels),
        _mark(data, found),
        _watermark(decoded, asset),
        Finding("near-copy", SILENT, *alike(seen(picture))),
    )
    return Verified(path, whole, pixels, asset, found, findings)


def _credential(data: bytes) -> tuple[credential.Credential, Finding]:
    try:
        found = credential.read(data, anchors())
    except ProvenanceError as error:
        return credential.Credential("none"), Finding("credential", SILENT, "could-not-check", f"not checked: {error}")
    return found, Finding("credential", *_said(found))


def _said(found: credential.Credential) -> tuple[str, str, str]:
    who = found.signer or "somebody without a name"
    if found.state == "trusted":
        return PROVES, "trusted", f"signed by {who}, who is trusted here; not one byte changed since"
    if found.state == "valid":
        why = "nobody here vouches for that name: anybody can sign so"
        return SILENT, "valid", f"signed by {who}, unchanged since, but {why}"
    if found.state == "invalid":
        return FAILS, "invalid", f"its credential does not hold ({found.why}): the file was changed, or it is another's"
    return SILENT, "none", "no credential: never signed, or stripped by a tool that saved it again; proves nothing"


def _receipt(path: Path, asset: str, pixels: str, signed: Mapping[str, Any], state: str) -> Finding:
    """The private record beside the picture, linked by hash.   state: of the credential that says so."""
    its = beside(path, asset)
    if its is None:
        return Finding("receipt", SILENT, "none", "no receipt beside it: how it was made is not known here")
    try:
        receipt = read_receipt(its)
    except InputError as error:
        return Finding("receipt", FAILS, "damaged", str(error))
    linked = signed.get("receipt_sha256")
    if linked is not None and linked != sha256(its.read_bytes()):
        return Finding("receipt", FAILS, "changed", "the receipt is not the one that the credential was signed for")
    if receipt.pixels_sha256 != pixels:
        return Finding("receipt", FAILS, "other-pixels", "its pixels are not those that the receipt is of")
    if linked is None:
        by = "its own text alone, which anybody can write"
    else:
        by = "the signed credential" if state == "trusted" else "a signature that nobody here vouches for"
    proves = PROVES if linked is not None and state == "trusted" else SILENT
    return Finding("receipt", proves, "matches", f"its pixels are the receipt's, linked by {by}")


def _ledger(file_sha256: str, pixels_sha256: str) -> Finding:
    """What this machine, or the one whose ledger it is, wrote down when the picture left."""
    where = _book()
    if where is None:
        return Finding("ledger", SILENT, "none", "no ledger here to look in")
    try:
        entry = find(where, file_sha256, pixels_sha256)
    except MezzotintError as error:
        return Finding("ledger", SILENT, "could-not-check", f"not checked: {error}")
    if entry is None:
        return Finding("ledger", SILENT, "absent", "not in the ledger: not made here, or its pixels were changed")
    return _entered(entry, file_sha256)


def _book() -> Path | None:
    """The ledger that is here."""
    value = settings()["ledger"].value
    where = place(None if value is None else str(value))
    return where if where is not None and where.is_file() else None


def _entered(entry: Entry, file_sha256: str) -> Finding:
    where = f"entry {entry.number} of {entry.record.at}"
    if not entry.sound:
        return Finding("ledger", FAILS, "changed", f"{where} was changed; `mezzotint ledger check` says more")
    if entry.record.file_sha256 == file_sha256:
        return Finding("ledger", PROVES, "file", f"{where}: this very file left here; as sure as the ledger's keeper")
    return Finding("ledger", PROVES, "pixels", f"{where}: these pixels left here in another file (saved again since)")


def _mark(data: bytes, found: credential.Credential) -> Finding:
    """IPTC's word that a model made it: a courtesy, not a proof."""
    if b"digitalsourcetype/" not in data:
        return Finding("mark", SILENT, "none", "no mark of a machine's making; that says nothing about a picture")
    whose = "signed with the credential" if found.state in ("trusted", "valid") and found.source else "not signed"
    return Finding("mark", SILENT, "marked", f"marked as made by a model, wholly or in part; the mark is {whose}")


def _watermark(pixels: Pixels, asset: str) -> Finding:
    """What the pixels themselves say to who has the key; nothing else here outlives another file format."""
    try:
        known = keys.known()
    except ProvenanceError as error:
        return Finding("watermark", SILENT, "could-not-check", f"not looked for: {error}")
    if not known:
        return Finding("watermark", SILENT, "no-key", "no key here to look for an invisible mark with")
    from mezzotint.governance.provenance.mark.read import false_alarm, read

    found = read(pixels, known)
    if found is None:
        return Finding(
            "watermark", SILENT, "none", "no invisible mark by a key here: never marked, no room, or removed"
        )
    name = f"{found.name:08x}"
    if asset and not asset.startswith(name):
        other = f"names asset {name}…, and the file says that it is {asset[:8]}…: one of them is of another picture"
        return Finding("watermark", SILENT, "other", f"its invisible mark {other}")
    chance = f"by chance in less than one picture of {1 / false_alarm(len(known)):,.0f}"
    return Finding("watermark", PROVES, "read", f"marked with a key here, {chance}; {_meant(name)}")


def _meant(name: str) -> str:
    """Which asset a mark names."""
    where = _book()
    try:
        entries = [] if where is None else find_named(where, name)
    except MezzotintError:
        entries = []
    if not entries:
        return f"it names asset {name}…, which no ledger here has"
    said = " or ".join(f"{one.record.asset_id} (entry {one.number})" for one in entries)
    return f"it names asset {said}; not that nothing in it was changed since"
