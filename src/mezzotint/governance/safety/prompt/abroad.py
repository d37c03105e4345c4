"""The plainest words for a naked minor in languages without a list: both must stand in a text, for each alone is a word
of goods, or of another language ("kind" is English too)."""

from __future__ import annotations

import re

_MINORS_AND_NAKED = (
    (r"ni[nñ](?:[ao]s?|it[ao]s?)|nen[ae]s?|chic[ao]s?|menor(?:es)?|bebés?",
     r"(?<!color )(?<!pies )(?<!tono )desnud[ao]s?"),
    (r"enfants?|filles?|fillettes?|gar[cç]ons?|gamin(?:e?s?)|bébés?|mineure?s?|[eé]coli[eè]re?s?",
     r"(?<!dos )(?<!pieds )(?<!jambes )(?<!bras )(?<!œil )(?<!oeil )(?<!mains )(?<!paules )(?<!tête )nue?s?(?![- ]p)|"
     r"d[eé]nud[eé]e?s?|d[eé]shabill[eé]e?s?"),
    (r"kind(?:er|es|ern)?|m[aä]dchen|jungen?|sch[uü]lerin(?:nen)?|kleinkind(?:er)?|s[aä]ugling",
     r"nackt(?:e[rsnm]?)?|unbekleidet(?:e[rsnm]?)?|entkleidet(?:e[rsnm]?)?"),
    (r"bambin[aoei]|ragazzin[aoei]|minorenn[ei]|fanciull[aoei]|neonat[aoei]",
     r"(?<!piedi )(?<!occhio )nud[aoi]|spogliat[aoei]|svestit[aoei]"),
    (r"menin[ao]s?|crian[cç]as?|garot[ao]s?|menor(?:es)?|bebês?",
     r"(?<!olho )(?<!p[eé]s )nu(?:a?s?)|pelad[ao]s?|despid[ao]s?"),
    (r"kind(?:eren)?|meisjes?|jongens?|jongetjes?|peuters?|kleuters?|baby'?s?",
     r"naakte?|(?:bloot|blote)(?! (?:voet|been|benen|arm|hand|oog))|uitgekleed"),
    (r"[cç]ocuk\w*|k[ıi]z|bebek\w*|o[gğ]lan\w*", r"[cç][ıi]plak(?! (?:ayak|g[oö]z))"),
    (r"flick(?:a|or|an)|pojk(?:e|ar|en)|barn(?:et|en)?", r"nak(?:en|na|et)(?! fot)"),
    (r"девоч\w+|мальчи\w+|реб[её]н\w+|дет(?:и|ей|ям|ях)|школьни\w+|подрост\w+|малыш\w*|младен\w+",
     r"гол(?:ая|ый|ые|ого|ой|ую|ых|ое|ым|еньк\w+)|наг(?:ая|ой|ие|ого|ую|их)|обнаж[её]нн\w+|раздет\w+"),
)  # fmt: skip
"""Spanish, French, German, Italian, Portuguese, Dutch, Turkish, Swedish, Russian: words of minors, words for naked."""
_DENSE = (
    (r"子供|子ども|こども|少女|少年|女の子|男の子|女児|男児|幼児|小学生|中学生|高校生|児童|赤ちゃん",
     r"裸(?!足|電球|眼)|全裸|素っ裸|すっぽんぽん|ヌード(?!カラー)"),
    (r"어린이|소녀|소년|여자\s?아이|남자\s?아이|여아|남아|초등학생|중학생|여중생|여고생|고등학생|아동|미성년|아이(?![섀라브크폰패스템보디돌])",
     r"알몸|나체|벌거벗|발가벗|옷을?\s?벗"),
)  # fmt: skip
"""Japanese and Korean, whose words have no ends."""
_PAIRS = tuple(
    (re.compile(minor), re.compile(naked))
    for minor, naked in (*((rf"\b(?:{a})\b", rf"\b(?:{b})\b") for a, b in _MINORS_AND_NAKED), *_DENSE)
)


def naked_minor(text: str) -> bool:
    """Whether a text has both of one language."""
    return any(naked.search(text) is not None and minor.search(text) is not None for minor, naked in _PAIRS)
