"""The randomness of training as pure functions of (seed, purpose, where): no generator has a state to save.

A resumed, sharded or accumulated run draws the same numbers because nothing but its position enters.  Gaussian noise
comes from
Philox4x64 (Salmon et al., 2011, Parallel Random Numbers: As Easy as 1, 2, 3) through numpy's ziggurat, row by row,
which is three
times faster than the exact map of ``mezzotint.diffusion.noise`` and keyed apart from it; single numbers come from a
64-bit hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Words = NDArray[np.uint64]
TRAINING = 2**63
"""Second key word of training noise: above every stage number, so training never shares noise with sampling."""


class Purpose(IntEnum):
    """What a number is drawn for; part of every key."""

    NOISE = 0
    LEVEL = 1
    DROP = 2
    SHARDS = 3
    ITEMS = 4
    REFILL = 5
    TORCH = 6
    VALIDATION = 7
    TASK = 100  # TASK + k for the k-th draw of a task
    TASK_VALIDATION = 200
    AUGMENT = 1000  # AUGMENT + i for the i-th augmentation


def _mix(h: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, 2014, Fast Splittable Pseudorandom Number Generators)."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def hashed(*words: int | Words) -> Words:
    """64 well-mixed bits for every combination of the words; arrays broadcast, integers count modulo 2^64."""
    h = np.zeros(1, np.uint64)
    for word in words:
        w = word if isinstance(word, np.ndarray) else np.array([word & 0xFFFFFFFFFFFFFFFF], np.uint64)
        h = _mix(h * np.uint64(0x9E3779B97F4A7C15) + w + np.uint64(0x9E3779B97F4A7C15))
    return h


def uniforms(seed: int, purpose: int, step: int, rows: Sequence[int]) -> Tensor:
    """One uniform in (0, 1) a row, (len(rows),) float64."""
    h = hashed(seed, purpose, step, np.asarray(rows, np.uint64))
    return torch.from_numpy(((h >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)


def normals(seed: int, purpose: int, step: int, rows: Sequence[int], shape: tuple[int, ...]) -> Tensor:
    """Standard normals, (len(rows), *shape) float32; row r depends on (seed, purpose, step, rows[r]) alone."""
    out = np.empty((len(rows), *shape), np.float32)
    key = np.array([seed, TRAINING], np.uint64)  # as a list, numbers of both sizes would be rounded to float64
    philox = np.random.Philox(key=key, counter=np.array([0, step, 0, purpose], np.uint64))
    draw, state = np.random.Generator(philox), philox.state
    for target, row in zip(out, rows, strict=True):
        # A fresh counter in the same object: constructing one a row would cost more than the numbers.
        state["state"]["counter"][:] = [0, step, row, purpose]
        philox.state = state
        draw.standard_normal(out=target, dtype=np.float32)
    return torch.from_numpy(out)


def stratified(seed: int, step: int, rows: Sequence[int], batch: int, purpose: int = Purpose.LEVEL) -> Tensor:
    """The rows' points of a lattice over (0, 1) with one keyed offset a step, (len(rows),) float64.

    Each is uniform; the ``batch`` of them cover (0, 1) evenly, whichever process holds which row.
    Kingma et al., 2021, Variational Diffusion Models, app. I.1.
    """
    offset = uniforms(seed, purpose, step, [0])
    u = (offset + torch.tensor(rows, dtype=torch.float64) / batch) % 1.0
    return u.clamp(2.0**-40, 1 - 2.0**-40)


def permuted(index: Words, n: int, *key: int) -> Words:
    """Where a keyed permutation of 0 … n-1 sends ``index``, in constant memory.

    A six-round Feistel network on the next power of four, walked until it lands below n.  Black & Rogaway, 2002,
    Ciphers
    with Arbitrary Finite Domains, sec. 5 and 6.
    """
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    out = _feistel(index.astype(np.uint64), half, key)
    while (beyond := out >= np.uint64(n)).any():
        out[beyond] = _feistel(out[beyond], half, key)
    return out


def _feistel(x: Words, half: int, key: tuple[int, ...]) -> Words:
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = x >> bits, x & mask
    for turn in range(6):
        left, right = right, left ^ (hashed(*key, turn, right) & mask)
    return (left << bits) | right
