"""C2PA credentials: signed last, over a file's final bytes; read without ever asking another machine.

The library's own reader fetches what a file names: an address in a picture's XMP is enough.  Nothing here opens one
without ``SETTINGS``.  https://spec.c2pa.org
"""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ProvenanceError
from mezzotint.governance.provenance.framing import is_clean
from mezzotint.governance.provenance.manifest import LABEL, LICENCE_LABEL, Claim, ingredient, manifest
from mezzotint.governance.provenance.needed import needed
from mezzotint.governance.provenance.signer import Signer

if TYPE_CHECKING:
    import c2pa

VERSION = 1
SETTINGS = {
    "version": VERSION,
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {
        "verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False,
        "verify_after_sign": False,  # it is read back here, once it is whole
    },
}  # fmt: skip
MAX_BYTES = 200_000_000
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
STATES = {"Trusted": "trusted", "Valid": "valid", "Invalid": "invalid"}


@dataclass(frozen=True)
class Credential:
    """What a file's credential says.

    state: none | trusted | valid (by a signer that nobody here vouches for) | invalid.   why: what is wrong with it.
    signer: as its certificate names it.   source: IPTC's digital source type.   said: of the generation, as in
    ``Claim``.   photos: how many pictures it was made from.   licence: as in ``Claim``, None where it has none.
    """

    state: str
    why: str = ""
    signer: str = ""
    source: str = ""
    said: Mapping[str, Any] | None = None
    photos: int = 0
    licence: Mapping[str, Any] | None = None


def mime_of(data: bytes) -> str:
    """Of a picture's bytes.  Raises InputError for anything but PNG, JPEG, WebP."""
    found = next((mime for magic, mime in KINDS.items() if data.startswith(magic)), None)
    if found is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if found is None:
        raise InputError("it is no PNG, JPEG or WebP file, in which credentials are read")
    return found


@lru_cache(maxsize=4)
def _context(anchors: str) -> c2pa.Context:
    import c2pa

    trust = {"trust": {"trust_anchors": anchors}} if anchors.strip() else {}
    return c2pa.Context(c2pa.Settings.from_dict({**SETTINGS, **trust}))


def signed(data: bytes, claim: Claim, signer: Signer) -> bytes:
    """A picture's bytes with its credential, which was read back and holds.

    Raises ProvenanceError: the library is not installed, the key does not sign or has ended, or what was signed does
    not hold.
    """
    needed("c2pa")
    import c2pa

    context, out, mime = _context(""), io.BytesIO(), mime_of(data)
    try:
        builder = c2pa.Builder(manifest(claim), context=context)
        if claim.edit:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        for k, photo in enumerate(claim.photos):
            builder.add_ingredient(ingredient(claim, k), photo.mime, io.BytesIO(photo.data))
        builder.sign(signer.opened, mime, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise ProvenanceError(f"the picture could not be signed, and is not given out: {_line(error)}") from error
    try:
        whole = signer.finished(out.getvalue(), mime)
    except (OSError, subprocess.SubprocessError) as error:
        raise ProvenanceError(f"the picture could not be signed, and is not given out: {_line(error)}") from error
    found = read(whole, "")
    if found.state not in ("valid", "trusted"):
        raise ProvenanceError(f"the signed picture does not hold, and is not given out: {found.why or found.state}")
    return whole


def read(data: bytes, anchors: str) -> Credential:
    """The credential in a file's bytes.   anchors: certificates that are trusted, PEM.

    Raises InputError (no picture), ProvenanceError (the library is not installed).
    """
    needed("c2pa")
    import c2pa

    mime = mime_of(data)
    try:
        with c2pa.Reader(mime, io.BytesIO(data), context=_context(anchors)) as reader:
            found = _credential(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return Credential("none")
    except (c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Credential("invalid", f"it cannot be read: {_line(error)}")
    if found.state != "invalid" and not is_clean(data, mime):
        return replace(found, state="invalid", why="something lies where its signature does not reach")
    return found


def _credential(store: Mapping[str, Any]) -> Credential:
    """Of the library's report.  Only a state that it knows counts."""
    active = store["manifests"][store["active_manifest"]]
    state = STATES.get(str(store.get("validation_state")), "invalid")
    said = {one["label"]: one["data"] for one in active.get("assertions", [])}
    info, actions = active.get("signature_info") or {}, said.get("c2pa.actions.v2", {}).get("actions", [])
    names = [str(info[key]) for key in ("common_name", "issuer") if info.get(key)]
    source = next((str(one["digitalSourceType"]) for one in actions if "digitalSourceType" in one), "")
    own, licence = (found if isinstance(found := said.get(name), dict) else None for name in (LABEL, LICENCE_LABEL))
    why = "" if state in ("trusted", "valid") else _failures(store)
    photos = len(active.get("ingredients", []))
    return Credential(state, why, ", ".join(names), source, own, photos, licence)


def _failures(store: Mapping[str, Any]) -> str:
    """The codes of what does not hold, each once."""
    results = store.get("validation_results") or {}
    found = (results.get("activeManifest") or {}).get("failure", [])
    return ", ".join(dict.fromkeys(str(one.get("code")) for one in found)) or "the library does not say why"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
