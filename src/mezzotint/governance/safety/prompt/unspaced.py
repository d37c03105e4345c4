"""Terms of scripts without spaces, anywhere in a text, but for those that lie wholly inside a phrase that is well.

Such a phrase is looked for in the text as it stands, so that it crosses no sign and no space that is not its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from mezzotint.governance.safety.prompt.lexicon import Lexicon, is_letter
from mezzotint.governance.safety.prompt.term import Term


def unspaced(text: str, lexicon: Lexicon) -> Iterator[Term]:
    """Those of a text, read without the signs between its letters."""
    kept = [at for at, c in enumerate(text) if is_letter(c)]
    spans = [found.span() for found in lexicon.well.finditer(text)]
    ends = [end for _, end in spans]
    for at, term in _standing("".join(text[k] for k in kept), lexicon):
        first, last = kept[at], kept[at + len(term.text) - 1]
        span = bisect_left(ends, last + 1)
        if span == len(spans) or spans[span][0] > first:
            yield term


def within(text: str, lexicon: Lexicon) -> Iterator[Term]:
    """Terms in a text of letters alone, whatever lies over them."""
    return (term for _, term in _standing(text, lexicon))


def _standing(text: str, lexicon: Lexicon) -> Iterator[tuple[int, Term]]:
    for at in range(len(text)):
        for size in lexicon.dense_sizes.get(text[at], ()):
            yield from ((at, term) for term in lexicon.dense.get(text[at : at + size], ()))
