"""Terms of scripts without spaces in a text that is read from its end.

Such words have no ends, and one that is turned round may lie across two others: "亚麻大衣", a linen coat, holds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mezzotint.governance.safety.prompt.scripts import script_of
from mezzotint.governance.safety.prompt.term import Term

ENOUGH = {"han": 3, "thai": 4, "tamil": 4}
"""Letters of a term that is looked for inside words, by its first; of Thai and Tamil with their signs, which stand in
this order in no word.  Two Chinese letters turned round are by chance everywhere: "女裸色", of a shoe, holds a term."""

MOST = 4
"""Of those that begin in another script."""

ALONE = {"han": 1}
"""Of one that stands alone; shorter ones of other scripts are abbreviations too ("พ.ศ.", of a year)."""
SOME = 3


def backwards(
    text: str, found: Callable[[str], Iterable[Term]], letters: Callable[[str], str], well: Callable[[str], str]
) -> Iterator[Term]:
    """Strong terms and marks of minors of a text that was turned round.

    A long one is looked for anywhere but across a phrase that is well as it stood, any other where it stands alone.
    found: terms anywhere in letters.   letters: of a text.   well: the text as it stood without phrases that are well.
    """
    alone = {letters(one) for one in text.split()}
    for term in found(well(letters(text)[::-1])[::-1]):
        if term.loud and (_is_never_by_chance(term.text) or (term.text in alone and _says_enough(term.text))):
            yield term


def _is_never_by_chance(text: str) -> bool:
    return len(text) >= ENOUGH.get(script_of(text[0]), MOST)


def _says_enough(text: str) -> bool:
    return len(text) >= ALONE.get(script_of(text[0]), SOME)
