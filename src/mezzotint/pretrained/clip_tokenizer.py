"""CLIP's tokenizer as a folder, for checkpoints that come without: its merges ship (MIT licence, beside them).

Radford et al., 2021, Learning Transferable Visual Models From Natural Language Supervision; byte-pair encoding on
bytes that are written as printable characters.
"""

from __future__ import annotations

import gzip
import json
from importlib import resources
from pathlib import Path

from mezzotint.config import home
from mezzotint.files import sha256, write_atomic

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77


def byte_characters() -> list[str]:
    """The printable characters that stand for bytes, in the order of the vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(b) for b in plain] + [chr(256 + k) for k in range(256 - len(plain))]


def merges() -> str:
    """The pairs, one a line, the most frequent first, below a line of version."""
    packed = resources.files("mezzotint.pretrained").joinpath("clip/merges.txt.gz").read_bytes()
    return gzip.decompress(packed).decode()


def vocabulary(text: str) -> dict[str, int]:
    """Token -> number: characters, characters that end a word, what each pair makes, begin and end."""
    base = byte_characters()
    pairs = ["".join(line.split()) for line in text.splitlines()[1:]]
    words = [*base, *(c + "</w>" for c in base), *pairs, BEGIN, END]
    return {word: k for k, word in enumerate(words)}


def tokenizer_folder(pad: str) -> Path:
    """A folder that transformers' ``CLIPTokenizer`` reads; written once, it can be deleted at any time.

    pad: what fills a chunk: "end" is the token of the end, as OpenAI's encoder has it; OpenCLIP's has "!".
    Raises StorageError.
    """
    text = merges()
    filler = END if pad == "end" else pad
    folder = home() / "cache" / f"clip-tokenizer-{sha256((text + filler).encode())[:16]}"
    said = {"bos_token": BEGIN, "eos_token": END, "unk_token": END, "pad_token": filler, "model_max_length": LENGTH}
    if not (folder / "tokenizer_config.json").is_file():
        write_atomic(folder / "merges.txt", text)
        write_atomic(folder / "vocab.json", json.dumps(vocabulary(text), ensure_ascii=False))
        write_atomic(folder / "tokenizer_config.json", json.dumps({"tokenizer_class": "CLIPTokenizer", **said}))
    return folder
