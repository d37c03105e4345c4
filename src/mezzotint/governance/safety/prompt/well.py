"""Whether a term is meant as it stands: no phrase that is well lies over it.

Such a phrase holds inside one clause.  What is said of somebody's state right after a mark of a minor is meant, for
"child nude dress on the floor" has no nude dress; nor is a minor with nothing on the top.
"""

from __future__ import annotations

from mezzotint.governance.safety.prompt.ages import minor_age
from mezzotint.governance.safety.prompt.colours import in_a_list, of_an_audience
from mezzotint.governance.safety.prompt.said import Said
from mezzotint.governance.safety.prompt.term import Term, Tokens

_STATES = frozenset(
    ("nude", "naked", "topless", "bottomless", "undressed", "unclad", "nothing", "without", "telanjang"),
)
"""First words of terms for how somebody is."""
_BARE_FEET = frozenset(("kaki", "mata"))
"""Feet and eyes may be bare of anybody's."""
_BETWEEN = frozenset(("is", "being", "posing", "fully", "completely", "totally", "all", "entirely", "stark"))
"""Words that may stand between somebody and their state."""
_NO_THINGS = frozenset(
    ("pink", "beige", "satin", "leather", "mesh", "lace", "matte", "color", "colour", "colored", "coloured", "toned")
)
_GO_ON = frozenset(("in", "on", "at", "with", "by", "and", "is", "sitting", "lying", "posing", "standing"))
"""Words after somebody who is meant; after a name of goods too, but for those of whom they are."""
_AGE = 3
"""Words that an age takes."""
_HALVES = (("on", "top"), ("on", "the"))
"""Ends of phrases that say of people what they say of things."""
_SURFACES = frozenset(
    (
        *("wall", "walls", "desk", "desks", "shelf", "shelves", "plate", "plates", "tray", "trays", "board", "screen"),
        *("page", "menu", "hooks", "hangers", "tablecloth"),
    )
)


def is_meant(term: Term, said: Said, first: int, last: int) -> bool:
    """Of a term that stands, under a disguise or without, in the place of some words."""
    if not said.is_whole(first, last):
        return not (term.category == "undress" and term.tokens[0].startswith("strip"))  # "LED strip, off-white"
    if not term.allow:
        return True
    if term.tokens == ("nude",) and last - first == 1 and _is_a_colour(said, first):
        return False
    right = tuple(said.words[first:last]) == term.tokens or last - first == len(term.tokens) == 1
    read = said if right else said.with_words(first, last, term.tokens)
    return not any(
        read.is_whole(start, start + len(phrase)) and not _of_a_minor(term, read, first, start, phrase)
        for start, phrase in term.phrases_over(read.words, first)
    )


def _is_a_colour(said: Said, at: int) -> bool:
    """Whether a word is one of a list of colours, in a text that names nobody."""
    return in_a_list(said, at) and not said.of_people and not said.of_minors


def _of_a_minor(term: Term, said: Said, at: int, start: int, phrase: Tokens) -> bool:
    """Whether a term is of a minor's state in spite of a phrase that begins at a place."""
    if term.tokens[0] not in _STATES or _BARE_FEET & set(phrase):
        return False
    if of_an_audience(said, at, start, phrase) and _is_of_goods_alone(said, at - 1):
        return False
    if phrase[-2:] in _HALVES:
        return _next(said, start + len(phrase)) not in _SURFACES and bool(_subjects(said, at) & said.of_minors)
    return _stands_behind_a_minor(said, at, start) or _stands_before_a_minor(said, start, phrase)


def _stands_behind_a_minor(said: Said, at: int, start: int) -> bool:
    """Whether a mark of a minor or an age, which is no part of the phrase, stands directly before a place."""
    before = at
    while before > 0 and said.words[before - 1] in _BETWEEN:
        before -= 1
    if 0 < before <= start and said.is_whole(before - 1, at + 1):
        aged = minor_age(" ".join(said.words[max(0, before - _AGE) : before]))
        return before in said.after_minors or aged
    return False


def _is_of_goods_alone(said: Said, audience: int) -> bool:
    """Whether the clause of an audience names nobody else, and the text no age."""
    here = said.clauses[audience]
    others = any(said.clauses[at] == here for at in said.of_people if at != audience)
    return not others and not said.is_aged


def _stands_before_a_minor(said: Said, start: int, phrase: Tokens) -> bool:
    """Whether a phrase that is no thing is said of a minor who is none of a thing either: "nude pink child, beach", and
    not "nude pink kids sandals"."""
    after = start + len(phrase)
    ends = {end for end in (after + 1, after + 2) if end in said.after_minors and said.is_whole(start, end)}
    stops = (end == len(said.words) or not said.is_whole(end - 1, end + 1) or said.words[end] in _GO_ON for end in ends)
    return phrase[-1] in _NO_THINGS and any(stops)


def _next(said: Said, at: int) -> str:
    return said.words[at] if at < len(said.words) else ""


def _subjects(said: Said, at: int) -> set[int]:
    """The clauses that may name whom a term is said of: its own, and the one before where it begins its own."""
    here = said.clauses[at]
    first = at - 1 if at > 0 and said.words[at - 1] == "with" else at
    return {here, here - 1} if _begins(said, first) else {here}


def _begins(said: Said, at: int) -> bool:
    return at == 0 or said.clauses[at - 1] != said.clauses[at]
