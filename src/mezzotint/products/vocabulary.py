"""What products are called: catalog name -> class, and the words that captions use for a class."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mezzotint.errors import InputError


@dataclass(frozen=True)
class Vocabulary:
    """Classes of products and their words.

    words: class -> the words that captions use, the class's own first.
    asked: class -> more words that prompts use for it, and captions do not.
    exact: catalog name, or "name:Category", in lower case -> class.
    natural: classes that have their own colours and are never painted.
    left_out, left_out_categories: names and categories that are no products.
    """

    words: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, tuple[str, ...]]
    exact: Mapping[str, str]
    natural: frozenset[str]
    left_out: frozenset[str]
    left_out_categories: frozenset[str]

    def keeps(self, name: str, category: str) -> bool:
        """Whether a catalog entry is a product to photograph."""
        return category not in self.left_out_categories and name.lower() not in self.left_out

    def class_of(self, name: str, category: str) -> str:
        """The class of a catalog entry: listed by its name, else of the longest word that ends it.

        Raises InputError where no class fits.
        """
        low = name.lower()
        for key in (f"{low}:{category}", low):
            if key in self.exact:
                return self.exact[key]
        endings = [(len(word), kind) for word, kind in self._spoken() if low == word or low.endswith(" " + word)]
        if not endings:
            raise InputError(f"no class of product for {name!r}; add it to products/vocabulary.toml")
        return max(endings)[1]

    def _spoken(self) -> list[tuple[str, str]]:
        return [(word.lower(), kind) for kind, said in self.words.items() for word in said]


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that ships, ``products/vocabulary.toml``."""
    table = tomllib.loads((files("mezzotint.products") / "vocabulary.toml").read_text("utf-8"))
    exact: dict[str, str] = {}
    for kind, entry in table["classes"].items():
        for name in entry.get("from", ()):
            if exact.setdefault(name, kind) != kind:
                raise InputError(f"vocabulary.toml: {name!r} is in two classes, {exact[name]!r} and {kind!r}")
    words = {kind: (kind, *entry.get("say", ())) for kind, entry in table["classes"].items()}
    asked = {kind: tuple(entry["ask"]) for kind, entry in table["classes"].items() if "ask" in entry}
    leave = table["leave_out"]
    natural = frozenset(table["colours"]["natural"])
    return Vocabulary(words, asked, exact, natural, frozenset(leave["names"]), frozenset(leave["categories"]))
