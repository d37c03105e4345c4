"""Textual-inversion files: words that a text encoder was taught, each as vectors in the place of tokens.

Gal et al., 2022, An Image is Worth One Word: Personalizing Text-to-Image Generation using Textual Inversion, sec. 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.conditioning.text import ENCODER, WIDTH
from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.components import known_sha256
from mezzotint.pretrained.passport import KEY, Passport, passport_in, said
from mezzotint.pretrained.search import lookup
from mezzotint.tensorfile import Header, read_header

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mezzotint.pretrained.system import System

BY_ENCODER = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
"""Keys of files for SDXL -> the encoder that each is for."""

WEB_UI = "emb_params"
MAX_VECTORS = 75


@dataclass(frozen=True, eq=False)
class Learned:
    """A word that was learned.

    words: what a prompt may say: the file's name, the token it was trained as, a passport's.  keys: encoder -> the
    tensor in the file.  many: vectors of each.
    """

    path: Path
    words: tuple[str, ...]
    sha256: str
    keys: Mapping[str, str]
    many: int

    @property
    def said(self) -> Mapping[str, object]:
        """For receipts."""
        return {"name": self.path.stem, "sha256": self.sha256}

    def vectors(self, encoder: str) -> Tensor:
        """(n, D) float32, of one encoder."""
        from mezzotint.tensorfile import read_tensors

        return read_tensors(self.path)[self.keys[encoder]].float().reshape(self.many, -1)


def with_embeddings(system: System, files: Sequence[Path]) -> System:
    """A system that knows the words of textual-inversion files.

    Raises: UsageError (a model that takes no words; a word twice), ModelError (a pickle; no such file; for another
    encoder), InputError.
    """
    learned = tuple(read_embedding(lookup("embedding", str(path)), system) for path in files)
    words = [word for one in learned for word in one.words]
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise UsageError(f"two embeddings are called {twice!r}; rename one of the files")
    return replace(system, embeddings=(*system.embeddings, *learned))


def read_embedding(path: Path, system: System) -> Learned:
    """A file's words for a system.  Raises as ``with_embeddings``."""
    found = widths(system)
    header = read_header(path)
    token, keys = _keys(path, header)
    many = set()
    for encoder, key in keys.items():
        shape = header.entries[key].shape
        if encoder not in found:
            raise ModelError(f"{path} is for {len(keys)} encoders; {system.name} has {len(found)}")
        width = found[encoder]
        if shape[-1] != width:
            raise ModelError(f"{path} is for an encoder of width {shape[-1]}; {system.name}'s {encoder} has {width}")
        many.add(1 if len(shape) == 1 else shape[0])
    if len(many) != 1 or not 1 <= max(many) <= MAX_VECTORS:
        raise ModelError(f"{path} has {sorted(many)} vectors; expected as many for each encoder, 1 to {MAX_VECTORS}")
    known = passport_in(header.metadata, str(path))
    called = (path.stem, token, *(() if known is None else known.triggers))
    words = tuple(dict.fromkeys(word.lower() for word in called if word.strip()))
    return Learned(path, words, known_sha256(path), keys, many.pop())


def widths(system: System) -> Mapping[str, object]:
    """Text encoder -> the width of its words' vectors.  Raises UsageError for a system that takes no words."""
    if system.components is None and system.text is not None:
        return {ENCODER: WIDTH}
    found = system.components
    if found is None or "unet" not in found or ENCODER not in {*found.parts}:
        raise UsageError(
            f"{system.name} takes no textual inversions; expected Stable Diffusion 1, 2 or XL, or a model of ours that"
            " reads texts"
        )
    return {name: found[name].config.get("hidden_size") for name in BY_ENCODER.values() if name in found}


def token_of(word: str) -> str:
    """What a word is called in a file, "<acme-bag>": of what every tool takes as a token and as a tensor's name."""
    return f"<{re.sub(r'[^a-z0-9._]+', '-', word.lower()).strip('-') or 'word'}>"


def write_embedding(path: Path, word: str, vectors: Mapping[str, Tensor], passport: Passport | None = None) -> None:
    """Writes a word's vectors (n, D), by encoder: of one encoder under its ``token``, of two as SDXL's files have them.

    diffusers' ``load_textual_inversion`` and AUTOMATIC1111's web UI read both.
    """
    from mezzotint.tensorfile import write_tensors

    names = (
        {encoder: key for key, encoder in BY_ENCODER.items()} if len(vectors) > 1 else {"text_encoder": token_of(word)}
    )
    header = {"format": "pt", **({} if passport is None else {KEY: said(passport)})}
    write_tensors(path, {names[encoder]: value.contiguous() for encoder, value in vectors.items()}, header)


def _keys(path: Path, header: Header) -> tuple[str, dict[str, str]]:
    """(the token it was trained as or "", encoder -> key)."""
    entries = {k: e for k, e in header.entries.items() if len(e.shape) in (1, 2) and e.shape[-1] > 1}
    both = {encoder: key for key, encoder in BY_ENCODER.items() if key in entries}
    if both:
        return "", both
    if WEB_UI in entries:
        return "", {"text_encoder": WEB_UI}
    if len(entries) == 1 and len(header.entries) == 1:
        key = next(iter(entries))
        return key, {"text_encoder": key}
    raise ModelError(
        f"{path} is no textual inversion ({len(header.entries)} tensors); expected one tensor, {WEB_UI}, or clip_l and"
        " clip_g"
    )


def unwritten(word: str, many: int, system: System) -> Learned:
    """A word without a file, for whoever reads prompts but not its vectors."""
    return Learned(Path(word), (word.lower(),), "", dict.fromkeys(widths(system), ""), many)


def taught(network: nn.Module, learned: Sequence[Learned], encoder: str) -> nn.Module:
    """A text encoder that shares every weight with ``network`` and knows the words."""
    import torch

    from mezzotint.conditioning.vocabulary import Extended
    from mezzotint.nets.shared import put, shared

    mine = [one.vectors(encoder) for one in learned if encoder in one.keys]
    if not mine:
        return network
    made = shared(network)
    path = next(name for name, _ in network.named_modules() if name.endswith("token_embedding"))
    base = network.get_submodule(path)
    put(made, path, Extended(base, torch.cat(mine)))  # type: ignore[arg-type]
    return made
