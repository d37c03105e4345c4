r"""What a mark says, and the code that brings it through noise.

A message is 64 bits: 32 that name an asset, and 32 that only the key can make of them.  A convolutional code of rate
1/3 and constraint length 7 (generators 133, 171, 165, octal) makes 210 of it; soft decisions are decoded by the most
likely path (Viterbi, 1967, Error Bounds for Convolutional Codes and an Asymptotically Optimum Decoding Algorithm).

Where there is no mark, each of the 210 has a sign that the key alone decides, so that every message is as likely: the
code is linear and its decoder has no favourite.  One reading of an unmarked picture is then taken for a marked one with
probability :math:`2^{-32}`, and one of n readings with at most :math:`n 2^{-32}`.
"""

from __future__ import annotations

import hmac

import numpy as np
from numpy.typing import NDArray

NAME_BITS = CHECK_BITS = 32
BITS = NAME_BITS + CHECK_BITS
GENERATORS, MEMORY = (0o133, 0o171, 0o165), 6
LENGTH = len(GENERATORS) * (BITS + MEMORY)
"""Of a coded message."""

Bits = NDArray[np.uint8]
Reals = NDArray[np.float64]

_STATES = np.arange(1 << MEMORY)
_BEFORE = np.stack([2 * _STATES % len(_STATES), 2 * _STATES % len(_STATES) + 1])
"""(2, 64): the two states from which each is reached; a state is the last six bits, the newest first."""

_TAPS = np.array([[g >> (MEMORY - k) & 1 for k in range(MEMORY + 1)] for g in GENERATORS])


def message(name: int, key: bytes) -> Bits:
    """(64,): a name of 32 bits and its check.   Krawczyk, Bellare and Canetti, 1997, RFC 2104, cut to 32 bits."""
    said = name.to_bytes(NAME_BITS // 8, "big")
    check = hmac.digest(key, b"mezzotint/mark/1/" + said, "sha256")[: CHECK_BITS // 8]
    return np.unpackbits(np.frombuffer(said + check, np.uint8))


def name_in(bits: Bits, key: bytes) -> int | None:
    """The name that a message has, None where the check is not the key's."""
    name = int.from_bytes(np.packbits(bits[:NAME_BITS]).tobytes(), "big")
    return name if np.array_equal(message(name, key), bits) else None


def encoded(bits: Bits) -> Reals:
    """(210,): +1 for a coded 0, -1 for a coded 1."""
    rows = [np.convolve(bits, taps) % 2 for taps in _TAPS]
    signs: Reals = 1.0 - 2.0 * np.stack(rows, 1).ravel()
    return signs


def _branches() -> Reals:
    """(3, 2, 64): what the code says on the way to each state from each state before it."""
    register = (_STATES >> (MEMORY - 1) << MEMORY) + _BEFORE
    said = [[np.bitwise_count(register & g) % 2] for g in GENERATORS]
    signs: Reals = 1.0 - 2.0 * np.concatenate(said)
    return signs


_BRANCHES = _branches()


def decoded(soft: Reals) -> Bits:
    """(64,): the message whose code is most like 210 soft decisions, positive for +1."""
    gains = np.full(len(_STATES), -np.inf)
    gains[0] = 0
    chosen = []
    for three in soft.reshape(-1, len(GENERATORS)):
        both = gains[_BEFORE] + np.tensordot(three, _BRANCHES, 1)
        better = (both[1] > both[0]).astype(np.intp)
        chosen.append(better)
        gains = both[better, _STATES]
    return _back(chosen)


def _back(chosen: list[NDArray[np.intp]]) -> Bits:
    """The bits of the path that ends in state 0."""
    state, bits = 0, list[int]()
    for better in reversed(chosen):
        bits.append(state >> (MEMORY - 1))
        state = int(_BEFORE[better[state], state])
    return np.array(bits[::-1][:BITS], np.uint8)
