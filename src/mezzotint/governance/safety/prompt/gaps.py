"""Words with one gap in them: "na ked", or one that goes on in the next line.

Two neighbours are one word where one of them alone is none: "pen is" are two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mezzotint.governance.safety.prompt.lexicon import Lexicon
from mezzotint.governance.safety.prompt.said import Said
from mezzotint.governance.safety.prompt.term import Term, words_of
from mezzotint.governance.safety.prompt.well import is_meant

FEWEST = 5
"""Letters of a whole that counts in any text; where people are named one less."""
_GAP = re.compile(r"[-\u2010]?[ \n]")
_OWN = re.compile(r"['’‘]")
_COMMON = words_of(
    "abs acre acres age aged ages al altar an anti ape aped ars arson as ass at aura baby back bait bang bare "
    "bath be bed bing bit black blood blouse blow bond boo born bottom boy boys bull bulls bus bust but butt by "
    "cam camel cart child chin choir clad cloth clothed co cock core course crack cream cum da damn dance "
    "daughter de deep des di die dies do dom dome domed domes down dress dressed dresses dumb east en erect erie "
    "est exhibition face fans fish flesh flirt foot fore four gang gen girl girls go god goo grade grand had hand "
    "harm he head headed header heading hen hero high hit hits hole hong hook horn host hot house houses hub "
    "human in inc ink inspiration inter is it italia italics italy its jack jail job jobs jock kid kin king kings "
    "la lab lap lass less lest li lift lifting light like linger love lu lynch ma making mas mass mate me men "
    "mole moan moon mother murder neo net nets new no nor nos nu ok on only op or ors own pa pak pan pants pass "
    "pe pen per perm phil pie pin pole por pre pub pup rally rap rat re real really red reed rely res rey rim "
    "ripped ripping rob robb rope roping rousing rug rule sacred sar scene school se self shed shirt shop shot "
    "shots skin skirt skirts sky so soaked soft some son st stab stage stages star stars station stations step "
    "steps sting strap streak strip sub sucker tease tee teen teenage terror three throat ties to toe top towel "
    "trails tripped tripper tripping try ty under up us wan wear wet who young zoo"
)
"""Words that are the beginning or the end of such a word by chance."""
_TWO = frozenset((("un", "dress"), ("un", "dresses")))
"""Of the United Nations."""


def gapped(said: Said, lexicon: Lexicon) -> Iterator[Term]:
    """The terms that two neighbours make: strong ones and marks of minors, short ones where somebody is named; beside a
    minor all that no minor is."""
    for at in range(len(said.words) - 1):
        whole = said.words[at] + said.words[at + 1]
        for term in lexicon.spelt.get(whole, ()):
            counts = (term.loud and (len(whole) >= FEWEST or said.of_people)) or said.of_minors
            if counts and _is_gap(said, at) and is_meant(term, said, at, at + 2):
                yield term


def _is_gap(said: Said, at: int) -> bool:
    """Whether the space after a place is inside a word."""
    pair = said.words[at], said.words[at + 1]
    behind = at > 0 and len(pair[0]) == 1 and _OWN.search(said.gaps[at - 1]) is not None
    return _GAP.fullmatch(said.gaps[at]) is not None and not behind and not _are_words(pair)


def _are_words(pair: Sequence[str]) -> bool:
    return tuple(pair) in _TWO or all(len(one) == 1 or one in _COMMON for one in pair)
