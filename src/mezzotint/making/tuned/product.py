"""What was learnt until a moment: an adapter of some networks, or a word; worn to be judged, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.files import make_folder, sha256
from mezzotint.making.tuned.base import Base, worn_parts
from mezzotint.nets.adapters.contents import Contents, contents_of
from mezzotint.nets.adapters.layouts import Part
from mezzotint.nets.adapters.trained import Learnt, learnt
from mezzotint.pretrained.adapters import Weighed
from mezzotint.pretrained.embeddings import Learned, read_embedding, write_embedding
from mezzotint.pretrained.exchange.names import Layout
from mezzotint.pretrained.exchange.save import layout_for, write_adapter
from mezzotint.pretrained.passport import Passport
from mezzotint.pretrained.tunable_texts import vectors_in
from mezzotint.tuning.task import Tuned

ADAPTER, WORD = "adapter.safetensors", "learned_embeds.safetensors"
"""Files of what was learnt; a word's by the name that diffusers gives it."""

KEPT = torch.float16
"""Number format of adapter files, and so of what is judged."""


@dataclass(frozen=True, eq=False)
class Layers:
    """An adapter, by network and layer."""

    parts: Mapping[Part, Mapping[str, Learnt]]

    def worn(self, name: str, digest: str, work: Path, model: Base) -> Weighed:
        """As it is put on.   digest: of what it was learnt from, and when."""
        changes = {part: {path: one.change for path, one in layers.items()} for part, layers in self.parts.items()}
        return worn_parts(name, changes, digest)

    def layout(self, model: Base) -> Layout:
        """The first that has a form for the method.  Raises UsageError where none has."""
        return layout_for(self._contents, model.system)

    def write(self, folder: Path, model: Base, known: Passport) -> Path:
        """The file."""
        write_adapter(folder / ADAPTER, self._contents, model.system, self.layout(model), known)
        return folder / ADAPTER

    @property
    def _contents(self) -> Contents:
        return {part: held for part, layers in self.parts.items() for held in contents_of(layers, part).values()}


@dataclass(frozen=True, eq=False)
class Vectors:
    """A word: its name, and its vectors (n, D) of each text encoder."""

    name: str
    vectors: Mapping[str, Tensor]

    def worn(self, name: str, digest: str, work: Path, model: Base) -> Learned:
        """As prompts say it, of a file in ``work``: what is judged is what is read.   digest: as ``Layers.worn``; its
        last part is the step.  Of another run another file, or that one's word would be judged."""
        path = make_folder(work / f"word-{sha256(digest.encode())[:12]}-{digest.rpartition('/')[2]}") / WORD
        if not path.exists():
            write_embedding(path, self.name, self.vectors)
        found = read_embedding(path, model.system)
        return replace(found, words=(*found.words, self.name))  # as the passport of the file that is kept says it

    def write(self, folder: Path, model: Base, known: Passport) -> Path:
        """The file, as diffusers and AUTOMATIC1111's web UI have it."""
        write_embedding(folder / WORD, self.name, self.vectors, known)
        return folder / WORD


Product = Layers | Vectors


def until(net: Tuned, values: Mapping[str, Tensor], word: str) -> Product:
    """What a network had learnt.   values: parameters by their names in it.  word: that is learnt, "" for none."""
    if word:
        return Vectors(word, vectors_in(net, values.__getitem__))
    return Layers({part: _part(net, place, values) for part, place in net.places.items()})


def _part(net: Tuned, place: str, values: Mapping[str, Tensor]) -> Mapping[str, Learnt]:
    head = f"{place}."
    own = {name.removeprefix(head): value for name, value in values.items() if name.startswith(head)}
    return learnt(net.get_submodule(place), own, KEPT)


def written(folder: Path) -> Path | None:
    """What a folder's run has come to, None before its end."""
    return next((folder / name for name in (ADAPTER, WORD) if (folder / name).exists()), None)


def check_empty(folder: Path) -> None:
    """Raises UsageError for a folder with what was learnt."""
    if (found := written(folder)) is not None:
        what = "an adapter" if found.name == ADAPTER else "a learned word"
        raise UsageError(f"{folder} holds {what} already; choose another folder with --out")
