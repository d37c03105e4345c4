"""Who signs: a key in a file, a program that holds it (PKCS#11, a service), or the local authority's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.config import FILE_NAME, section
from mezzotint.errors import InputError, ProvenanceError, UsageError, unknown
from mezzotint.files import read_bytes, sha256, user_path
from mezzotint.governance.provenance import keys
from mezzotint.governance.provenance.stand_in import StandIn, stand_in

if TYPE_CHECKING:
    import c2pa

SECTION = "provenance"
WORDS = ("certificate", "key", "command", "trust", "marks")
ALGORITHMS = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512", "ed25519": "ed25519"}
MAX_BYTES, SECONDS = 1 << 18, 30.0
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Signer:
    """certificates: PEM, the signer's own first.  key: its private key, PEM; or a function of bytes to a signature
    (ECDSA: DER or r and s; Ed25519), of the certificate's own algorithm with SHA-256, 384 or 512."""

    certificates: str
    key: bytes | Sign = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Of its own certificate, as its DER."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return sha256(_certificate(self.certificates).public_bytes(Encoding.DER))

    @cached_property
    def _stand_in(self) -> StandIn:
        assert not isinstance(self.key, bytes)
        return stand_in(algorithm_of(self.certificates), self.key)

    def finished(self, data: bytes, mime: str) -> bytes:
        """What the library signed by ``opened``, with the signature of whoever was asked.  Raises ProvenanceError, and
        whatever a function that signs raises."""
        return data if isinstance(self.key, bytes) else self._stand_in.resigned(data, mime)

    @cached_property
    def opened(self) -> c2pa.Signer:
        """As the library takes it.  Raises ProvenanceError."""
        import c2pa

        name, chain = algorithm_of(self.certificates), self.certificates
        key = self.key if isinstance(self.key, bytes) else self._stand_in.pem
        try:
            return c2pa.Signer.from_info(c2pa.C2paSignerInfo(name.encode(), chain.encode(), key, None))
        except c2pa.C2paError as error:
            raise ProvenanceError(f"the certificates cannot sign pictures: {error}") from error


def algorithm_of(certificates: str) -> str:
    """es256, es384, es512 or ed25519, by the key of the first certificate.  Raises ProvenanceError."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _certificate(certificates).public_key()
    name = key.curve.name if isinstance(key, EllipticCurvePublicKey) else "other"
    found = ALGORITHMS.get("ed25519" if isinstance(key, Ed25519PublicKey) else name)
    if found is None:
        raise ProvenanceError("the signer's certificate has another kind of key; expected P-256, 384, 521 or Ed25519")
    return found


def _certificate(pem: str) -> Any:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError as error:
        raise ProvenanceError(
            f"the signer's certificate is not sound ({error}); expected PEM, its own first"
        ) from error


def with_key(certificates: str, pem: bytes) -> Signer:
    """One whose private key is at hand.  Raises ProvenanceError: not sound, or of another certificate."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProvenanceError(f"the signer's key is not sound ({error}); expected PEM without a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ProvenanceError("the signer's key is of another kind; expected P-256, 384, 521 or Ed25519")
    if key.public_key() != _certificate(certificates).public_key():
        raise ProvenanceError("the signer's key is not that of its certificate; give the pair that belongs together")
    return Signer(certificates, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def with_command(certificates: str, command: list[str]) -> Signer:
    """One whose key another program holds: it reads what is signed and writes the signature."""

    def sign(data: bytes) -> bytes:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=True)
        return done.stdout

    return Signer(certificates, sign)


def configured() -> Signer | None:
    """The signer of [provenance] in mezzotint.toml, else the home's own; None where there is neither.

    Raises UsageError, InputError (settings), ProvenanceError (keys).
    """
    said = declared()
    if not said.keys() & {"certificate", "key", "command"}:
        own = keys.folder()
        return _of_files(own / keys.CHAIN, own / keys.KEY) if own.exists() else None
    if "certificate" not in said or len(said.keys() & {"key", "command"}) != 1:
        raise UsageError(f"[{SECTION}] of {FILE_NAME}: expected a certificate, and a key or a command that signs")
    if "command" not in said:
        return _of_files(user_path(said["certificate"]), user_path(said["key"]))
    return with_command(_text(user_path(said["certificate"])), [str(word) for word in said["command"]])


def _of_files(certificates: Path, key: Path) -> Signer:
    text = _text(certificates)
    try:
        return with_key(text, read_bytes(key, MAX_BYTES))
    except InputError as error:
        raise ProvenanceError(f"no picture is signed: {error}") from error


def _text(path: Path) -> str:
    try:
        return read_bytes(path, MAX_BYTES).decode("ascii")
    except (InputError, UnicodeDecodeError) as error:
        raise ProvenanceError(f"no picture is signed: {path} is not a readable PEM file ({error})") from error


def anchors() -> str:
    """The certificates that are trusted, PEM: the home's authority, and those of [provenance] ``trust``."""
    own = keys.folder() / keys.AUTHORITY
    files = [*([own] if own.is_file() else []), *(user_path(str(one)) for one in declared().get("trust", []))]
    return "\n".join(_text(path) for path in files)


def declared() -> Mapping[str, Any]:
    """The settings, checked.  Raises UsageError, InputError."""
    found = section(SECTION)
    for name, (value, source) in found.items():
        if name not in WORDS:
            raise UsageError(f"{source}: {unknown(f'[{SECTION}] setting', name, WORDS)}")
        many = name in ("command", "trust", "marks")
        right = isinstance(value, list) and value and all(isinstance(v, str) for v in value) if many else value
        if not right or not isinstance(value, list if many else str):
            raise UsageError(f"{source}: [{SECTION}] {name} is {value!r}; expected {'texts' if many else 'a path'}")
    return {name: value for name, (value, _) in found.items()}
