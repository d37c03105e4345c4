"""Numbers that are hashes of what they are of, so that no order of rows, no batch and no worker changes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from json.encoder import encode_basestring

SEEDS = 2**63
ID_DIGITS = 32


def spelt(*parts: str | int) -> bytes:
    """Texts and numbers as a JSON array, as ``canonical_json`` spells it, in a fifth of its time: a plan has several of
    each asset."""
    said = [encode_basestring(part) if isinstance(part, str) else str(part) for part in parts]
    return f"[{','.join(said)}]".encode()


def digest(*parts: str | int) -> int:
    """The first 64 bits of SHA-256 of the parts as JSON, which keeps ("ab", "c") and ("a", "bc") apart."""
    return int.from_bytes(hashlib.sha256(spelt(*parts)).digest()[:8], "big")


def seed_of(run_seed: int, sku: str, variant: str) -> int:
    """Of an asset's noise, where no column says it: in 0 … 2^63 - 1."""
    return digest("seed", run_seed, sku, variant) % SEEDS


def bucket_of(salt: str, sku: str, variant: str, buckets: int) -> int:
    """In 0 … buckets - 1, the same for an asset wherever its row stands."""
    return digest("bucket", salt, sku, variant) * buckets >> 64


def variant_name(levels: Mapping[str, str], copy: int) -> str:
    """What tells a variant from its siblings: its levels, by name, and which copy of them it is."""
    said = [f"{name}={levels[name]}" for name in sorted(levels)]
    return "; ".join([*said, *([f"#{copy + 1}"] if copy or not said else [])])
