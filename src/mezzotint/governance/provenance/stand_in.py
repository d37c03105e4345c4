"""A signature that another program makes, in the room of one by a key that nobody keeps.

For a function that signs, the library leaves room for 10 KB; for a key it leaves what a signature takes.  So a key of
the same kind, made for the occasion and forgotten, signs first; what it signed is then signed by the one who was asked,
and takes its place.  COSE_Sign1, its Sig_structure and detached payloads: RFC 9052, sec. 4.2 and 4.4; signatures of
ECDSA as r and s of equal length: RFC 9053, sec. 2.1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mezzotint.errors import ProvenanceError
from mezzotint.governance.provenance.framing import signed_part

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIZES = {"es256": 32, "es384": 48, "es512": 66, "ed25519": 32}
"""Bytes of r and of s, the halves of a signature."""

CURVES = {"es256": ("SECP256R1", "SHA256"), "es384": ("SECP384R1", "SHA384"), "es512": ("SECP521R1", "SHA512")}


@dataclass(frozen=True)
class StandIn:
    """algorithm: a key of SIZES.   sign: bytes to a signature (ECDSA: DER, or r and s).   key: forgotten."""

    algorithm: str
    sign: Callable[[bytes], bytes]
    key: EllipticCurvePrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """Its key, as the library takes it."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def resigned(self, data: bytes, mime: str) -> bytes:
        """A file that the key signed, with the signature that was asked for in the place of the key's.

        Raises ProvenanceError: there is no one place for it, or what comes back is no signature.
        """
        try:
            message, first = signed_part(data, mime)
        except (ValueError, IndexError, TypeError) as error:
            raise ProvenanceError(
                f"the credential is not as C2PA writes one ({error}); no picture is signed"
            ) from error
        wanted = self.sized(self.sign(message))
        if len(first) != len(wanted) or data.count(first) != 1:
            raise ProvenanceError("the credential has no one place for its signature; no picture is signed")
        return checked(data.replace(first, wanted), mime, data.index(first))

    def sized(self, signature: bytes) -> bytes:
        """r and s, one after the other; of Ed25519 as it is.  Raises ProvenanceError."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        size = SIZES[self.algorithm]
        if len(signature) == 2 * size:
            return signature
        try:
            r, s = decode_dss_signature(signature)
            if self.algorithm in CURVES:
                return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        except (ValueError, OverflowError):
            pass
        raise ProvenanceError(
            f"what signs gave {len(signature)} bytes that are no signature; expected {self.algorithm}: DER, or"
            f" {2 * size} bytes"
        )


def stand_in(algorithm: str, sign: Callable[[bytes], bytes]) -> StandIn:
    """For a signer of an algorithm."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if algorithm not in CURVES:
        return StandIn(algorithm, sign, Ed25519PrivateKey.generate())
    return StandIn(algorithm, sign, ec.generate_private_key(getattr(ec, CURVES[algorithm][0])()))


def checked(data: bytes, mime: str, at: int) -> bytes:
    """A file one of whose bytes at ``at`` was changed, its checksum made anew: PNG has one for each chunk."""
    if mime != "image/png":
        return data
    begin = 8
    while begin + 8 <= len(data):
        end = begin + 8 + int.from_bytes(data[begin : begin + 4], "big")
        if at < end:
            crc = zlib.crc32(data[begin + 4 : end]).to_bytes(4, "big")
            return data[:end] + crc + data[end + 4 :]
        begin = end + 4
    return data
