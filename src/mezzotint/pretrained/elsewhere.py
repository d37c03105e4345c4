"""What receipts say of a model's parts beside their weights, and of those that lie elsewhere than its own folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mezzotint.files import canonical_json, sha256, sha256_file
from mezzotint.pretrained.components import Component, Components
from mezzotint.pretrained.joined import PRIOR

Said = Mapping[str, str]
"""Of a part: its name and hashes."""


def elsewhere(found: Components, networks: Sequence[str], tokenizers: Sequence[str]) -> Mapping[str, Sequence[Said]]:
    """By the word that gives them: ``parts`` of a checkpoint in one file, also where they lay around it, and ``prior``.

    networks, tokenizers: the names of those that a run needs.
    """
    said: dict[str, list[Said]] = {}
    for name in (*networks, *tokenizers):
        part = found[name]
        word = _word(found, part)
        if word is not None:
            hashes = _read(part) if name in tokenizers else _weighed(part)
            said.setdefault(word, []).append({"name": name.removeprefix(PRIOR.prefix), **hashes})
    return said


def files_of(found: Components, networks: Sequence[str], tokenizers: Sequence[str]) -> Said:
    """Part -> SHA-256 of what determines pictures beside weights: a network's configuration, a tokenizer's files."""
    return {
        **{name: _configured(found[name]) for name in networks},
        **{name: _read(found[name])["sha256"] for name in tokenizers},
    }


def _word(found: Components, part: Component) -> str | None:
    """None for the model's own, and for what ships."""
    if found.folder in (part.folder, part.folder.parent):
        return None
    if part.name.startswith(PRIOR.prefix):
        return "prior"
    return "parts" if found.folder.is_file() and part.class_name != "CLIPTokenizer" else None


def _weighed(part: Component) -> Said:
    return {"sha256": part.sha256, "config_sha256": _configured(part)}


def _configured(part: Component) -> str:
    return sha256(canonical_json(part.config))


def _read(tokenizer: Component) -> Said:
    """Of the names and hashes of its files, as canonical JSON."""
    files = sorted(path for path in tokenizer.folder.iterdir() if path.is_file())
    return {"sha256": sha256(canonical_json({path.name: sha256_file(path) for path in files}))}
