"""The encoder for other languages: its file's format, its tokenizer beside another's, its sums beside the torch one."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from mezzotint.conditioning import e5
from mezzotint.conditioning.e5 import BLOCK, MAGIC
from mezzotint.conditioning.unigram import Unigram

WIDTH, HEADS, WORDS, PLACES = 32, 2, 12, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581re", "d", "\u2581red", "\u2581ch", "air", "chair", "é"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -4.0, -3.5, -6.0, -4.0, -3.0, -9.5, -5.0]


def packed(rows: int, columns: int, random: np.random.Generator) -> tuple[bytes, NDArray[np.float32]]:
    """A matrix in four bits a number, and what it is."""
    blocks = np.zeros((rows, columns // 32), BLOCK)
    blocks["scale"] = random.uniform(0.01, 0.02, blocks.shape)
    q = random.integers(0, 16, (rows, columns // 32, 32))
    blocks["q"] = q[..., :16] | q[..., 16:] << 4
    wide = (q - 8) * blocks["scale"].astype(np.float64)[..., None]
    return blocks.tobytes(), wide.reshape(rows, columns).astype(np.float32)


def written() -> tuple[bytes, dict[str, NDArray[np.float32]]]:
    """A file of one layer, and its tensors by our names."""
    random = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    ours: dict[str, NDArray[np.float32]] = {}

    def matrix(name: str, said: str, rows: int, columns: int) -> None:
        files[name], ours[said] = packed(rows, columns, random)

    def vector(name: str, said: str, *shape: int) -> None:
        ours[said] = random.normal(0, 0.1, shape).astype(np.float32) + (said.startswith("norm") or ".norm" in said)
        files[name] = ours[said].tobytes()

    matrix("emb.word", "words.weight", WORDS, WIDTH)
    for name, said, *shape in (
        ("emb.pos", "places.weight", PLACES, WIDTH), ("emb.type", "type", 1, WIDTH),
        ("emb.ln.w", "norm.weight", WIDTH), ("emb.ln.b", "norm.bias", WIDTH),
    ):  # fmt: skip
        vector(str(name), str(said), *(int(n) for n in shape))
    sizes = {"q": (32, 32), "k": (32, 32), "v": (32, 32), "ao": (32, 32), "fi": (128, 32), "fo": (32, 128)}
    for name, (rows, columns) in sizes.items():
        matrix(f"l0.{name}.w", name, rows, columns)
        vector(f"l0.{name}.b", f"{name}.bias", rows)
    for name in ("aln", "oln"):
        vector(f"l0.{name}.w", f"norm-{name}.weight", WIDTH)
        vector(f"l0.{name}.b", f"norm-{name}.bias", WIDTH)
    return header(files), ours


def header(tensors: dict[str, bytes]) -> bytes:
    """The file of tensors: sizes, vocabulary, one changed letter, the directory, then the tensors."""
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)])
    said = MAGIC + struct.pack("<I7if i", 1, WIDTH, 1, HEADS, 128, WORDS, PLACES, 1, 1e-12, 32)
    said += struct.pack("<5iQ", WORDS, 0, 2, 1, 3, ends[-1]) + ends.astype("<u4").tobytes()
    said += np.array(SCORES, "<f4").tobytes() + b"".join(texts)
    said += struct.pack("<iI", 1, 9) + struct.pack("<IBI", ord("E"), 1, ord("e")) + struct.pack("<i", len(tensors))
    at = len(said) + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in tensors)
    for name, data in tensors.items():
        said += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, len(data) // 4, at, len(data))
        at += len(data)
    return said + b"".join(tensors.values())


def test_the_encoder_is_the_torch_one_with_the_files_weights() -> None:
    torch = pytest.importorskip("torch")
    from mezzotint.conditioning.minilm import Encoder, EncoderConfig, pooled

    data, ours = written()
    _, encoder = e5.read(data)
    state = {
        "words.weight": ours["words.weight"], "places.weight": ours["places.weight"] + ours["type"],
        "norm.weight": ours["norm.weight"], "norm.bias": ours["norm.bias"],
        "layers.0.qkv.weight": np.concatenate([ours[n] for n in "qkv"]),
        "layers.0.qkv.bias": np.concatenate([ours[f"{n}.bias"] for n in "qkv"]),
    }  # fmt: skip
    for name, short in (("out", "ao"), ("up", "fi"), ("down", "fo")):
        state |= {f"layers.0.{name}.weight": ours[short], f"layers.0.{name}.bias": ours[f"{short}.bias"]}
    for name, short in (("norm1", "aln"), ("norm2", "oln")):
        state |= {f"layers.0.{name}.{one}": ours[f"norm-{short}.{one}"] for one in ("weight", "bias")}
    peer = Encoder(EncoderConfig(WORDS, WIDTH, 1, HEADS, 128, PLACES))
    peer.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in state.items()})
    texts = [np.array([0, 5, 6, 2]), np.array([0, 7, 2]), np.array([0, 4, 10, 9, 11, 2])]
    found = encoder.pooled(texts)
    for ids, row in zip(texts, found, strict=True):
        asked = torch.from_numpy(ids)[None]
        with torch.no_grad():
            theirs = pooled(peer(asked, torch.ones_like(asked, dtype=torch.bool)), torch.ones_like(asked).bool())[0]
        assert np.abs(row - theirs.numpy()).max() < 2e-5


def test_text_is_cut_as_another_tokenizer_cuts_it() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    ours, _ = e5.read(written()[0])
    peer = tokenizers.Tokenizer(tokenizers.models.Unigram(list(zip(PIECES, SCORES, strict=True)), 3))
    peer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace("\u2581", "always", False)
    for text in ("red chair", "a red  chair", "chairs", "redé", "rrr", "chair red chair dd"):
        one = text.replace("  ", " ")
        assert [ours.pieces[k] for k in ours.encode(text) if k != 3] == [
            t for t, k in zip(peer.encode(one).tokens, peer.encode(one).ids, strict=True) if k != 3
        ], text


def test_letters_that_are_read_as_others() -> None:
    vocabulary, _ = e5.read(written()[0])
    assert vocabulary.encode("rEd") == vocabulary.encode("red") == [7]
    assert (vocabulary.begin, vocabulary.end, vocabulary.unknown) == (0, 2, 3)


def test_what_no_piece_has_is_unknown_letter_by_letter() -> None:
    tokens = Unigram(["<unk>", "\u2581a"], [0.0, -1.0], {}, 0, 0, 0)
    assert tokens.encode("a zz") == [1, 0, 0, 0]


def test_another_file_is_none_of_these() -> None:
    data = written()[0]
    for bad in (b"", b"PK\3\4" + data[4:], data[:60]):
        with pytest.raises((ValueError, struct.error, KeyError)):
            e5.read(bad)
