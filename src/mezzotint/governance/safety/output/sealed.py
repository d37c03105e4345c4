"""Sealed boxes: a picture that is withheld, for a reviewer's eyes alone.

What makes pictures has the public key and can open nothing.  HPKE in base mode (RFC 9180: X25519, HKDF-SHA256,
AES-256-GCM), as the package cryptography has it; the verdict stands before it in clear, and a box whose verdict was
changed does not open.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.config import home
from mezzotint.errors import GateError, InputError, StorageError, UsageError
from mezzotint.files import canonical_json, make_folder, read_bytes, sha256, storage_error
from mezzotint.governance.safety.prompt.audit import FOLDER
from mezzotint.pictures.png import Pixels, png, to_pil

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.hpke import Suite

MAGIC = b"mezzotint-sealed-1\n"
SUFFIX = ".sealed"
PUBLIC, PRIVATE = "quarantine.pub", "quarantine.key"
MAX_BYTES, MAX_HEAD, MAX_KEY = 1 << 28, 1 << 20, 1 << 14
SIZE = 4
"""Bytes that say how long the part in clear is, the first first."""


@dataclass(frozen=True)
class Box:
    """An opened one.   head: what stood in clear: the verdict, asset_id, key.   png: the picture's file."""

    head: Mapping[str, Any]
    png: bytes


@dataclass(frozen=True, eq=False)
class Seal:
    """A public key, to which pictures are sealed."""

    key: X25519PublicKey

    def __call__(self, pixels: Pixels, asset_id: str, verdict: Mapping[str, Any]) -> bytes:
        """The box of a picture (H, W, C) uint8."""
        head = canonical_json({"asset_id": asset_id, "key": ident(self.key), "verdict": dict(verdict)})
        before = MAGIC + len(head).to_bytes(SIZE, "big") + head
        data = png(to_pil(pixels), {"mezzotint:asset_id": asset_id})
        return before + _suite().encrypt(data, self.key, before)


def ident(key: X25519PublicKey) -> str:
    """What a key is called: 16 hexadecimal digits of its hash."""
    return sha256(key.public_bytes_raw())[:16]


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def place() -> Path:
    """The home's own public key."""
    return home() / FOLDER / PUBLIC


def seal(path: Path | None) -> Seal:
    """Of the public key in a file; None is the home's own.   Raises GateError: no key, a damaged or another one."""
    where = place() if path is None else path
    if not _installed():
        raise GateError(
            "pictures that are withheld are to be sealed and the package for it is not installed, so nothing is made;"
            " pip install 'mezzotint[provenance]'"
        )
    try:
        data = read_bytes(where, MAX_KEY)
    except InputError as error:
        raise GateError(
            f"pictures that are withheld are to be sealed and there is no key {where}, so nothing is made; `mezzotint"
            " keys quarantine` makes one, or name one as quarantine_key"
        ) from error
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, X25519PublicKey):
        raise GateError(
            f"{where} is no public key that pictures can be sealed to, so nothing is made; expected X25519 in PEM, as"
            f" `mezzotint keys quarantine` makes {PUBLIC}"
        )
    return Seal(key)


def _installed() -> bool:
    return find_spec("cryptography") is not None and find_spec("cryptography.hazmat.primitives.hpke") is not None


def make(folder: Path | None = None) -> tuple[Path, Path]:
    """A pair of keys in a folder, None is that of the home; the private one for its owner alone.

    Returns: the public and the private file.   Raises UsageError: the package is missing; StorageError: there is one,
    or it cannot be written.
    """
    if not _installed():
        raise UsageError("keys of quarantine need cryptography 47; pip install 'mezzotint[provenance]'")
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    where = make_folder(place().parent if folder is None else folder)
    public, private = where / PUBLIC, where / PRIVATE
    for path in (public, private):
        if path.exists():
            raise StorageError(f"{path} is there; nothing is overwritten: boxes sealed to it need it, move it")
    key = X25519PrivateKey.generate()
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public, private


def _write(path: Path, data: bytes) -> None:
    """Whole, for its owner alone, and never over another."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def opened(data: bytes, key: X25519PrivateKey, where: str) -> Box:
    """A box's picture and verdict.   where: the file, for messages.

    Raises InputError: no box, cut off, changed, or sealed to another key.
    """
    from cryptography.exceptions import InvalidTag

    if not data.startswith(MAGIC):
        raise InputError(f"{where} is no sealed box; expected a file {SUFFIX} of a quarantine")
    begin = len(MAGIC) + SIZE
    end = begin + int.from_bytes(data[len(MAGIC) : begin], "big")
    head = _head(data[begin:end], where) if begin < end <= min(len(data), begin + MAX_HEAD) else None
    if head is None:
        raise InputError(f"{where} is cut off; get the whole of it")
    if head["key"] != ident(key.public_key()):
        raise InputError(f"{where} is sealed to the key {head['key']}, and this one is {ident(key.public_key())}")
    try:
        return Box(head, _suite().decrypt(data[end:], key, data[:end]))
    except (InvalidTag, ValueError) as error:
        raise InputError(f"{where} was changed or cut off since it was sealed; get the whole of it") from error


def _head(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        head = json.loads(data)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not {"asset_id", "key", "verdict"} <= set(head):
        raise InputError(f"{where} was changed or cut off since it was sealed; get the whole of it")
    return head


def private_key(path: Path) -> X25519PrivateKey:
    """Of a file.  Raises InputError: unreadable, or another kind of key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(read_bytes(path, MAX_KEY), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, X25519PrivateKey):
        raise InputError(f"{path} opens no boxes; expected {PRIVATE}, as `mezzotint keys quarantine` made it")
    return key
