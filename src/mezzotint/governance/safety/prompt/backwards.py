"""Terms of scripts without spaces in a text that is read from its end.

Such words have no ends, and one that is turned round may lie across two others: "亚麻大衣", a linen coat, holds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mezzotint.governance.safety.prompt.scripts import script_of
from mezzotint.governance.safety.prompt.term import Term

ENOUGH = {"han": 2, "thai": 4, "tamil": 4}
"""Letters of a term that is looked for inside words, by its first; of Thai and Tamil with their signs, which stand in
this order in no word."""

MOST = 4
"""Of those that begin in another script."""

ALONE = {"han": 1}
"""Of one that stands alone; shorter ones of other scripts are abbreviations too ("พ.ศ.", of a year)."""
SOME = 3

_CROSSED = """
杀人 殺人 发情 發情 食人 不穿 轻生 輕生 口交 支那 阴道 陰道 阴部 陰部 大麻
操你 黄片 黃片 做爱 做愛 制毒 製毒 毛片 性爱 性愛 性交 露点 露點 春宫 精液
自杀 自殺 自伤 自傷 自尽 自盡 断头 斷頭 上吊 群交 脱光 脫光 乳头 乳頭 露乳
毒品
"""
CROSSED = frozenset(_CROSSED.split())
"""Terms whose two letters, turned round, end one ordinary word and begin the next."""


def backwards(text: str, found: Callable[[str], Iterable[Term]], letters: Callable[[str], str]) -> Iterator[Term]:
    """Strong terms and marks of minors of a text that was turned round.

    A long one, and one that lies across no two words, is looked for anywhere, any other where it stands alone.
    found: terms anywhere in letters.   letters: of a text.
    """
    alone = {letters(one) for one in text.split()}
    for term in found(letters(text)):
        if term.loud and (_is_never_by_chance(term.text) or (term.text in alone and _says_enough(term.text))):
            yield term


def _is_never_by_chance(text: str) -> bool:
    return text not in CROSSED and len(text) >= ENOUGH.get(script_of(text[0]), MOST)


def _says_enough(text: str) -> bool:
    return len(text) >= ALONE.get(script_of(text[0]), SOME)
