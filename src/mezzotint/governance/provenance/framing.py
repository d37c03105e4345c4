"""What a credential's signature does not cover: the boxes around claim and signature, and the room beside the latter.

The library passes over bytes that are put or changed there, and the credential still holds.  Here they must be as C2PA
writes them.  JUMBF: ISO 19566-5, annex A; COSE_Sign1 = tag 18 of [protected, unprotected, payload, signature]:
RFC 9052, sec. 4.2; CBOR: RFC 8949.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SUFFIX = bytes.fromhex("00110010800000AA00389B71")
STORE, ASSERTIONS, CLAIM, SIGNATURE = b"c2pa", b"c2as", b"c2cl", b"c2cs"
LABELS = {ASSERTIONS: "c2pa.assertions", CLAIM: "c2pa.claim", SIGNATURE: "c2pa.signature"}
KNOWN = {33, "x5chain", "sigTst", "sigTst2", "rVals", "pad", "pad2"}
"""What a header that is not signed may hold: certificates, time stamps, revocations, and the room that is left."""

LABELLED, SALTED, DEEPEST = 3, 0x13, 12
APP11, SCAN = 0xEB, 0xDA
"""Markers of a JPEG: a segment for boxes; where the picture itself begins."""

Span = tuple[int, int]


def is_clean(data: bytes, mime: str) -> bool:
    """Whether nothing lies where the signature of the last manifest in a PNG, WebP or JPEG does not reach."""
    try:
        (store,) = [_joined(data)] if mime == "image/jpeg" else _stores(data, mime)
        ((kind, outer),) = _boxes(store, (0, len(store)))
        manifests = _inside(store, kind, outer, "c2pa")
        *before, last = [_inside(store, *one, "urn:") for one in manifests]
        named = all(_named(store, *part) for parts in before for part in parts)
        return named and all(_part(store, *part) for part in last)
    except (ValueError, IndexError, TypeError):
        return False


def signed_part(data: bytes, mime: str) -> tuple[bytes, bytes]:
    """(what the last manifest's signature is of, the signature): Sig_structure of RFC 9052, sec. 4.4, in CBOR.

    Raises ValueError, IndexError, TypeError where a file is not as C2PA writes it.
    """
    store = _joined(data) if mime == "image/jpeg" else next(iter(_stores(data, mime)))
    ((kind, outer),) = _boxes(store, (0, len(store)))
    found = dict[bytes, bytes]()
    for part in _inside(store, *_inside(store, kind, outer, "c2pa")[-1], "urn:"):
        _, own, rest = _described(store, *part)
        if own in (CLAIM, SIGNATURE):
            ((_, (b, e)),) = rest
            found[own] = store[b:e]
    (protected, _, _, signature), _ = _item(found[SIGNATURE], 1)
    return b"\x84\x6aSignature1" + b"".join(map(_bytes, (protected, b"", found[CLAIM]))), signature


def _bytes(data: bytes) -> bytes:
    """A byte string in CBOR, its length in as few bytes as will do."""
    n = len(data)
    if n < 24:
        return bytes([0x40 + n]) + data
    size = 1 if n < 1 << 8 else 2 if n < 1 << 16 else 4
    return bytes([0x58 + size.bit_length() - 1]) + n.to_bytes(size, "big") + data


def _joined(data: bytes) -> bytes:
    """The credential of a JPEG, whose pieces in APP11 segments follow one another: number, the box's own head again,
    contents (ISO 19566-5, annex D).  Raises ValueError."""
    parts, at, before, known = list[bytes](), 2, 0, b""
    while data[at] == 0xFF and data[at + 1] != SCAN:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == APP11 and data[at + 4 : at + 6] == b"JP":
            number, head = int.from_bytes(data[at + 8 : at + 12], "big"), data[at + 12 : at + 20]
            apart = parts and (at != before or head != parts[0][:8] or data[at + 6 : at + 8] != known)
            if apart or number != len(parts) + 1 or len(head) < 8:
                raise ValueError("pieces that do not belong together")
            known, before = data[at + 6 : at + 8], end
            parts.append(data[at + (20 if parts else 12) : end])
        at = end
    return b"".join(parts)


def _stores(data: bytes, mime: str) -> Iterator[bytes]:
    """The contents of the chunks that hold a credential."""
    png, at = mime == "image/png", 8 if mime == "image/png" else 12
    while at + 8 <= len(data):
        name, size = (data[at + 4 : at + 8], data[at : at + 4]) if png else (data[at : at + 4], data[at + 4 : at + 8])
        length = int.from_bytes(size, "big" if png else "little")
        if name == (b"caBX" if png else b"C2PA"):
            yield data[at + 8 : at + 8 + length]
        at += 12 + length if png else 8 + length + length % 2


def _boxes(data: bytes, span: Span) -> list[tuple[bytes, Span]]:
    """(kind, contents) of boxes that fill a span exactly.  Raises ValueError."""
    found, (at, end) = [], span
    while at < end:
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > end:
            raise ValueError("a box of a wrong length")
        found.append((data[at + 4 : at + 8], (at + 8, at + length)))
        at += length
    return found


def _described(data: bytes, kind: bytes, span: Span) -> tuple[str, bytes, list[tuple[bytes, Span]]]:
    """(label, type, the boxes inside) of a superbox.  Raises ValueError."""
    (first, (b, e)), *rest = _boxes(data, span)
    if kind != b"jumb" or first != b"jumd" or data[b + 4 : b + 16] != SUFFIX or data[b + 16] not in (LABELLED, SALTED):
        raise ValueError("a box without its description")
    label, end, more = data[b + 17 : e].partition(b"\0")
    if not end or bool(more) != (data[b + 16] == SALTED):
        raise ValueError("a description that goes on")
    return label.decode(), data[b : b + 4], rest


def _inside(data: bytes, kind: bytes, span: Span, begins: str) -> list[tuple[bytes, Span]]:
    label, own, rest = _described(data, kind, span)
    right = label == "c2pa" and own == STORE if begins == "c2pa" else own in (b"c2ma", b"c2um")
    if not label.startswith(begins) or not right:
        raise ValueError("a box of another kind")
    return rest


def _named(data: bytes, kind: bytes, span: Span) -> bool:
    """Whether a part of an ingredient's manifest, which is hashed but for its name, has the name of its kind."""
    label, own, _ = _described(data, kind, span)
    return own not in LABELS or label.removesuffix(".v2") == LABELS[own]


def _part(data: bytes, kind: bytes, span: Span) -> bool:
    """A part of a manifest: what the claim does not hash is looked at."""
    label, own, rest = _described(data, kind, span)
    if label.removesuffix(".v2") != LABELS.get(own):
        return False
    if own == ASSERTIONS:  # the claim hashes what is in each
        return all(bool(_described(data, *one)[2]) for one in rest)
    ((one, (b, e)),) = rest
    return one == b"cbor" and (own == CLAIM or _signature(data[b:e]))


def _signature(data: bytes) -> bool:
    """Whether beside the signature there is nothing but what C2PA puts there, and zeros."""
    if data[:2] != b"\xd2\x84":
        return False
    (_, header, _, _), end = _item(data, 1)
    rooms = (value for name, value in header.items() if name in ("pad", "pad2"))
    return end == len(data) and set(header) <= KNOWN and not any(room.strip(b"\0") for room in rooms)


def _item(data: bytes, at: int, deep: int = 0) -> tuple[Any, int]:
    """(a value, where the next begins).  Raises ValueError, IndexError, TypeError for what is no CBOR."""
    kind, n, at = data[at] >> 5, data[at] & 31, at + 1
    if 24 <= n <= 27:
        size = 1 << (n - 24)
        n, at = int.from_bytes(data[at : at + size], "big"), at + size
    if (n > len(data) and kind in (2, 3, 4, 5)) or deep > DEEPEST:
        raise ValueError("beyond the end")
    if kind in (2, 3):
        part = data[at : at + n]
        return (part if kind == 2 else part.decode()), at + n
    if kind in (4, 5):
        values = []
        for _ in range(n * (kind - 3)):
            value, at = _item(data, at, deep + 1)
            values.append(value)
        return (values if kind == 4 else dict(zip(values[::2], values[1::2], strict=True))), at
    return _item(data, at, deep + 1) if kind == 6 else (n, at)
