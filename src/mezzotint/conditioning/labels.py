"""Prompts for class-conditional models: a label's name, or another word for it -> ``cond``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from mezzotint.errors import ModelError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

_ARTICLE = re.compile(r"^(an?|the)\s+", re.I)
_SEPARATOR = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """A prompt as it is compared: no article, no case, no spaces or marks.  "A T-Shirt" -> "tshirt"."""
    return _SEPARATOR.sub("", _ARTICLE.sub("", text.strip())).casefold()


def _forms(word: str) -> tuple[str, ...]:
    """The word, and its singular or plural as English mostly has them."""
    key = plain(word)
    return (key, key.removesuffix("s"), key.removesuffix("es"), key + "s", key + "es")


@dataclass(frozen=True)
class Labels:
    """The classes of a model, in the order of its label embedding; null, the unconditional value, is ``len(names)``.

    names: as shown to people; a name with slashes, "T-shirt/top", answers to each part.
    synonyms: name -> other words for it.   Raises ModelError where two classes share a word.
    """

    names: tuple[str, ...]
    synonyms: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if not self._index:
            raise ModelError("a model of labels needs at least one")

    @cached_property
    def _index(self) -> dict[str, int]:
        table: dict[str, int] = {}
        for i, name in enumerate(self.names):
            for word in (name, *name.split("/"), *self.synonyms.get(name, ())):
                if table.setdefault(plain(word), i) != i:
                    raise ModelError(f"labels {self.names[table[plain(word)]]!r} and {name!r} share the word {word!r}")
        return table

    @property
    def null(self) -> int:
        """The label that says nothing."""
        return len(self.names)

    def index(self, prompt: str) -> int:
        """The class of a prompt; null for an empty one.  Raises UsageError that lists the nearest labels."""
        if not plain(prompt):
            return self.null
        for form in _forms(prompt):
            if form in self._index:
                return self._index[form]
        raise UsageError(f"unknown label {prompt!r}; {self._hint(prompt)}")

    def _hint(self, prompt: str) -> str:
        words = list(map(plain, re.split(r"\s+", prompt)))
        near = [w for q in (plain(prompt), *words) for w in get_close_matches(q, self._index, n=3, cutoff=0.5)]
        named = list(dict.fromkeys(self.names[self._index[w]] for w in near))[:3]
        known = f"this model knows {', '.join(self.names)}"
        return f"did you mean {' or '.join(map(repr, named))}? {known}" if named else known

    def cond(self, prompts: Sequence[str]) -> dict[str, Tensor]:
        """{"label": (B,) int64}.  Raises UsageError."""
        return label_cond(map(self.index, prompts))

    def null_cond(self, rows: int) -> dict[str, Tensor]:
        """The unconditional value, (rows,)."""
        return label_cond([self.null] * rows)


def label_cond(labels: Iterable[int]) -> dict[str, Tensor]:
    """{"label": (B,) int64} of class numbers."""
    import torch

    return {"label": torch.tensor(list(labels), dtype=torch.int64)}
