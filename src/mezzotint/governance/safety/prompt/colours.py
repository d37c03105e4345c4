"""Where "nude" is a colour beside others ("red, nude, pink"), or of the goods of an audience ("kids nude boots")."""

from __future__ import annotations

import re

from mezzotint.governance.safety.prompt.said import Said
from mezzotint.governance.safety.prompt.term import Tokens, words_of

_COLOURS = words_of(
    "apricot aqua beige berry blue blush bordeaux bronze brown burgundy camel caramel champagne charcoal "
    "chocolate copper coral cream crimson cyan emerald fuchsia gold green indigo ivory khaki lavender lilac "
    "magenta maroon mauve mint mustard navy ochre olive orange peach pink plum purple red rose rosewood ruby rust "
    "salmon scarlet silver tan taupe teal terracotta turquoise violet wine yellow"
)
_OF_PHOTOGRAPHS = frozenset(("black", "white", "gray", "grey", "sepia"))
"""Colours of a picture too, so that they alone make no list of goods."""
_HEADS = frozenset(("colours", "colors", "shades", "tones", "colourways", "colorways"))
"""Words before a list of colours."""
_GOODS = words_of(
    "lipstick lipsticks polish polishes gloss eyeshadow eyeshadows shades colours colors tones palette swatches "
    "collection set shoes boots sandals heels pumps flats belts bags handbags scarves tights"
)
"""Words after one."""
_NEXT = re.compile(r" ?[,/&+:]? ?")
_AND = ("and", "or")
_AUDIENCES = frozenset(("kids", "girls", "boys", "children", "childrens", "women", "womens", "toddlers", "infants"))
_SHOP = words_of(
    "boots shoes sandals flats belt belts bag bags handbag handbags clutch lipstick lipsticks polish tights gloss"
)
"""Last words of phrases for goods that anybody may have."""
_NOT_AFTER = frozenset(("only", "up", "off", "down"))
"""What is said of who is in them, after them."""
_NOT_WITH = words_of("posing pose poses spread bed bedroom boudoir lying sitting standing camera body portrait figure")
"""The same, anywhere, and where somebody is whom no word names."""


def in_a_list(said: Said, at: int) -> bool:
    """Whether a word stands in a list of colours: behind one that no photograph is of, or behind a word for colours,
    and before another; or at its end.  Who is named in the text is not asked."""
    before, after = _neighbour(said, at, -1), _neighbour(said, at, 1)
    left = _word(said, before)
    if before is None or left not in _COLOURS | _HEADS or _NOT_WITH & set(said.words):
        return False
    if after is None:
        return _ends(said, at) and left in _COLOURS and _word(said, _neighbour(said, before, -1)) in _COLOURS
    return _word(said, after) in _COLOURS | _OF_PHOTOGRAPHS and (_ends(said, after) or _goes_on(said, after))


def _neighbour(said: Said, at: int, step: int) -> int | None:
    """The place of the next word of a list, across a comma or "and"; None where there is none."""
    there, parted = at + step, False
    while 0 <= there < len(said.words):
        gap, joins = said.gaps[min(there, there - step)], said.words[there] in _AND
        if not _NEXT.fullmatch(gap):
            return None
        parted = parted or joins or bool(gap.strip())
        if not joins:
            return there if parted else None
        there += step
    return None


def _word(said: Said, at: int | None) -> str:
    return "" if at is None else said.words[at]


def _ends(said: Said, at: int) -> bool:
    """Whether a list ends with a word, or with the goods that it is of."""
    last = at + 1 == len(said.words)
    return last or not _NEXT.fullmatch(said.gaps[at]) or (said.gaps[at] == " " and said.words[at + 1] in _GOODS)


def _goes_on(said: Said, at: int) -> bool:
    return _neighbour(said, at, 1) is not None


def of_an_audience(said: Said, at: int, start: int, phrase: Tokens) -> bool:
    """Whether a phrase is of goods for many, who stand directly before it: "kids nude boots".

    at: of the word itself, which begins the phrase.   Whoever else is named in the clause is not asked.
    """
    last = start + len(phrase) - 1
    if said.words[last] not in _SHOP and last + 1 < len(said.words) and said.is_whole(last, last + 2):
        last += 1  # "nude leather" of shoes
    if at != start or at == 0 or said.words[at - 1] not in _AUDIENCES or said.words[last] not in _SHOP:
        return False
    after = said.words[last + 1 :]
    goes_on = bool(after) and said.is_whole(last, last + 2)
    worn = goes_on and (after[0] in _NOT_AFTER or list(after) == ["on"])
    return not worn and _NOT_WITH.isdisjoint(said.words)
