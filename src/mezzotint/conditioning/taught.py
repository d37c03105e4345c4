"""Words that a text encoder was taught, each as vectors in the place of tokens: where a text says them.

Gal et al., 2022, An Image is Worth One Word: Personalizing Text-to-Image Generation using Textual Inversion, sec. 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import Tensor


class Taught(Protocol):
    """A word that was learned."""

    @property
    def words(self) -> tuple[str, ...]:
        """What a text may say, in small letters."""
        ...

    @property
    def keys(self) -> Mapping[str, str]:
        """The encoders that know it -> where their vectors lie."""
        ...

    @property
    def many(self) -> int:
        """In the place of how many tokens it stands."""
        ...

    def vectors(self, encoder: str) -> Tensor:
        """(many, D) float32, of one encoder."""
        ...


AnyTaught = TypeVar("AnyTaught", bound=Taught)


def pieces(text: str, learned: Sequence[AnyTaught]) -> Iterator[tuple[int, str | AnyTaught]]:
    """A text in pieces, each with where it begins: learned words, longest first where they overlap, and what lies
    between.  A word within another, such as cat in catalog, is not said."""
    by_word = {word: one for one in learned for word in one.words}
    if not by_word:
        yield 0, text
        return
    words = sorted(by_word, key=len, reverse=True)
    pattern = "|".join(f"({_whole(word)})" for word in words)
    at = 0
    for found in re.finditer(pattern, text, re.IGNORECASE):
        if text[at : found.start()].strip():
            yield at, text[at : found.start()]
        assert found.lastindex is not None
        # By its number: what matches without regard to case, as ſ does s, is not always a lower form of the word.
        yield found.start(), by_word[words[found.lastindex - 1]]
        at = found.end()
    if text[at:].strip():
        yield at, text[at:]


UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
"""Letters of scripts that put no spaces between words: there a word stands within others."""

LETTER = rf"[^\W{UNSPACED}]"


def _whole(word: str) -> str:
    """The pattern of a word that is not part of a longer one; where it begins or ends with a sign, or a letter of a
    script without spaces, that ends it."""
    before, after = (re.match(LETTER, end) for end in (word[:1], word[-1:]))
    return f"{f'(?<!{LETTER})' if before else ''}{re.escape(word)}{f'(?!{LETTER})' if after else ''}"


def numbered(learned: Sequence[AnyTaught], encoder: str, first: int) -> dict[AnyTaught, range]:
    """The token numbers of each word for one encoder, from ``first`` on, beyond its vocabulary."""
    found, at = {}, first
    for one in learned:
        if encoder in one.keys:
            found[one] = range(at, at + one.many)
            at += one.many
    return found
