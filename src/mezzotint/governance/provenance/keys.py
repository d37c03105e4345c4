"""A local authority: a certificate that others can trust, and a key under it that signs pictures.

The key of the authority signs one certificate and is not kept: what is not there cannot be stolen.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.config import home
from mezzotint.errors import StorageError, UsageError
from mezzotint.files import make_folder, storage_error
from mezzotint.governance.provenance.needed import needed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, KeyUsage, Name

AUTHORITY, CHAIN, KEY = "authority.pem", "signer.pem", "signer-key.pem"
MAX_YEARS, DAYS = 50, 365
MAX_COMMON = 64
"""Bytes in UTF-8 that the package cryptography takes as a common name; RFC 5280, appendix A, counts letters."""


@dataclass(frozen=True)
class Keys:
    """What ``init`` made.   sha256: of the signer's certificate.   until: the day on which it ends."""

    folder: Path
    sha256: str
    until: str


def folder() -> Path:
    """Where the keys of this home are."""
    return home() / "keys"


def init(organisation: str, years: int) -> Keys:
    """Makes an authority and a signer's key under it, P-256, in a new folder ``keys`` of the home.

    years: how long the signer's certificate lasts; without a time-stamping authority credentials end with it.
    Raises UsageError (words), StorageError (there are keys already; the folder cannot be written).
    """
    if not organisation.strip() or len(organisation) > 64:
        raise UsageError(f"--organisation {organisation!r}: expected a name of 1 to 64 characters")
    if not _is_text(organisation):
        raise UsageError(f"--organisation {organisation!r} has bytes that are no letters; expected a name in UTF-8")
    if not 1 <= years <= MAX_YEARS:
        raise UsageError(f"--years is {years}; expected 1 to {MAX_YEARS}")
    if folder().exists():
        raise StorageError(f"{folder()} has keys; nothing is overwritten: pictures signed with them need them, move it")
    files, made = _made(organisation.strip(), years)
    _write(files)
    return made


def _is_text(name: str) -> bool:
    """Whether a name from the command line can be written as UTF-8: bytes that were none stand in it as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _write(files: dict[str, bytes]) -> None:
    """The folder appears whole, for its owner alone."""
    part = make_folder(folder().parent) / f".keys.{secrets.token_hex(6)}.part"
    try:
        part.mkdir(mode=0o700)
        for name, data in files.items():
            with os.fdopen(os.open(part / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        part.rename(folder())
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise storage_error(folder(), error) from error


def _made(organisation: str, years: int) -> tuple[dict[str, bytes], Keys]:
    """(the files, what people should know of them)."""
    needed("cryptography")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    above, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = _name(organisation, "authority"), _name(organisation, "pictures")
    days = years * DAYS
    root = _authority(names[0], above, days + 1)
    leaf = _signer(names, above, own, days)
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    files = {
        AUTHORITY: root.public_bytes(pem),
        CHAIN: leaf.public_bytes(pem) + root.public_bytes(pem),
        KEY: own.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
    }
    until = leaf.not_valid_after_utc.date().isoformat()
    return files, Keys(folder(), leaf.fingerprint(hashes.SHA256()).hex(), until)


def _name(organisation: str, what: str) -> Name:
    """what: of the organisation's a certificate is; it stays whole, so that no two have one name."""
    from cryptography.x509 import Name, NameAttribute
    from cryptography.x509.oid import NameOID

    room = organisation.encode()[: MAX_COMMON - len(what) - 1]
    common = f"{room.decode(errors='ignore').rstrip()} {what}"  # of a letter that is cut nothing is left
    return Name((NameAttribute(NameOID.ORGANIZATION_NAME, organisation), NameAttribute(NameOID.COMMON_NAME, common)))


def _begun(issuer: Name, subject: Name, above: EllipticCurvePrivateKey, own: EllipticCurvePrivateKey, days: int) -> (
    CertificateBuilder
):  # fmt: skip
    """What both certificates have.  C2PA wants both key identifiers (specification 2.2, sec. 14.5.1)."""
    from cryptography import x509

    now = datetime.now(UTC)
    ours, theirs = own.public_key(), above.public_key()
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(ours)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks of others may be behind
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ours), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(theirs), critical=False)
    )


def _authority(name: Name, key: EllipticCurvePrivateKey, days: int) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    begun = _begun(name, name, key, key, days).add_extension(x509.BasicConstraints(True, 0), critical=True)
    return begun.add_extension(_usage(certificates=True), critical=True).sign(key, hashes.SHA256())


def _signer(
    names: tuple[Name, Name], above: EllipticCurvePrivateKey, own: EllipticCurvePrivateKey, days: int
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    begun = _begun(*names, above, own, days).add_extension(x509.BasicConstraints(False, None), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    begun = begun.add_extension(_usage(certificates=False), critical=True).add_extension(purpose, critical=False)
    return begun.sign(above, hashes.SHA256())


def _usage(*, certificates: bool) -> KeyUsage:
    """Signing of certificates, or of pictures alone."""
    from cryptography.x509 import KeyUsage

    return KeyUsage(
        digital_signature=not certificates, key_cert_sign=certificates, crl_sign=certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
