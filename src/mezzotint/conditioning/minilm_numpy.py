"""The text encoder that ships, run in numpy: sentence embeddings where torch is not to be imported, as for the gates.

The same sums as ``conditioning.minilm``, to float32's rounding; weights of words stay in int8 until they are looked up.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SCALE = ".scale"
ROWS = 8
"""Of activations that are computed at once."""

DTYPES: Mapping[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I8": np.dtype("i1")}


Rows = Callable[[str, NDArray[np.int64]], Floats]
"""(a matrix's name, which of its rows) -> those rows in float32."""


@dataclass(frozen=True, eq=False)
class NumpyEncoder:
    """rows: how matrices are looked up; small ones are kept wide once they were.  vectors: biases and norms by name.
    Sizes as ``EncoderConfig``.
    """

    rows: Rows
    vectors: Mapping[str, Floats]
    heads: int = 12
    epsilon: float = 1e-12
    _wide: dict[str, Floats] = field(default_factory=dict)

    @cached_property
    def depth(self) -> int:
        """Layers."""
        return 1 + max(int(name.split(".")[1]) for name in self.vectors if name.startswith("layers."))

    def pooled(self, texts: Sequence[NDArray[np.int64]]) -> Floats:
        """(N, width), each of unit norm: the mean of the token states of each text, ids (L,).

        All texts go through a layer's maps at once, for reading the weights takes longer than a few tokens more do.
        """
        ends = np.cumsum([len(ids) for ids in texts])[:-1]
        places = np.concatenate([np.arange(len(ids)) for ids in texts])
        x = self._norm(self.rows("words.weight", np.concatenate(texts)) + self.rows("places.weight", places), "norm")
        for k in range(self.depth):
            x = self._layer(x, ends, f"layers.{k}")
        means = np.stack([states.mean(0) for states in np.split(x, ends)])
        return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), np.float32)

    def _layer(self, x: Floats, ends: NDArray[np.int64], name: str) -> Floats:
        """Attention within each text and MLP, (L, width) of all, each added and normalised."""
        maps = np.split(self._linear(x, f"{name}.qkv"), ends)
        mixed = np.concatenate([self._attention(one) for one in maps])
        x = self._norm(x + self._linear(mixed, f"{name}.out"), f"{name}.norm1")
        return self._norm(x + self._linear(_gelu(self._linear(x, f"{name}.up")), f"{name}.down"), f"{name}.norm2")

    def _attention(self, qkv: Floats) -> Floats:
        """(L, 3 width) -> (L, width)."""
        length, width = len(qkv), qkv.shape[1] // 3
        q, k, v = qkv.reshape(length, 3, self.heads, -1).transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(width // self.heads)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (weights / weights.sum(-1, keepdims=True)) @ v
        return np.asarray(mixed.transpose(1, 0, 2).reshape(length, width), np.float32)

    def _linear(self, x: Floats, name: str) -> Floats:
        return np.asarray(x @ self._matrix(f"{name}.weight").T + self.vectors[f"{name}.bias"], np.float32)

    def _norm(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(-1, keepdims=True) + self.epsilon)
        return np.asarray(centred / spread * self.vectors[f"{name}.weight"] + self.vectors[f"{name}.bias"], np.float32)

    def _matrix(self, name: str) -> Floats:
        """Made wide once."""
        if name not in self._wide:
            width = len(self.vectors[name.removesuffix("weight") + "bias"])
            self._wide[name] = self.rows(name, np.arange(width))
        return self._wide[name]


def int8(state: Mapping[str, NDArray[Any]]) -> NumpyEncoder:
    """Of a file of ``conditioning.minilm``: matrices in int8 with one scale a row, vectors in float32."""

    def rows(name: str, which: NDArray[np.int64]) -> Floats:
        return np.asarray(state[name][which].astype(np.float32) * state[name + SCALE][which, None], np.float32)

    return NumpyEncoder(rows, {name: v for name, v in state.items() if v.ndim == 1 and not name.endswith(SCALE)})


def arrays(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Tensors of a safetensors file whose hash is known, and its metadata; the library is not there in every run.

    Raises KeyError for a dtype other than F32 and I8.
    """
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    said, start = header.pop("__metadata__", {}), 8 + size
    found = {
        name: np.frombuffer(
            data, DTYPES[one["dtype"]], math.prod(one["shape"]), start + one["data_offsets"][0]
        ).reshape(one["shape"])
        for name, one in header.items()
    }
    return found, said


def _gelu(x: Floats) -> Floats:
    """x Φ(x), in the place of x; a few rows at a time stay in the processor's cache for all of the sums."""
    for start in range(0, len(x), ROWS):
        rows = x[start : start + ROWS]
        rows *= np.float32(0.5) * (1 + _erf(rows / np.float32(math.sqrt(2))))
    return x


def _erf(x: Floats) -> Floats:
    """To within 1.5e-7; scipy's is exact, and not there in every run.  (Abramowitz and Stegun, 1964, 7.1.26)"""
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    total = np.zeros_like(t)
    for term in terms:
        total = (total + np.float32(term)) * t
    return np.asarray(np.sign(x) * (1 - total * np.exp(-x * x)), np.float32)
