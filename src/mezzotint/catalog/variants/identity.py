"""Numbers that are hashes of what they are of, so that no order of rows, no batch and no worker changes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

SEEDS = 2**63
ID_DIGITS = 32


def digest(*parts: object) -> int:
    """The first 64 bits of SHA-256 of the parts as JSON, which keeps ("ab", "c") and ("a", "bc") apart."""
    said = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:8], "big")


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
