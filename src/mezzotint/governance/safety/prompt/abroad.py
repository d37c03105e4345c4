"""The plainest words for a naked minor in languages without a list: both must stand near each other, for each alone is
a word of goods, or of another language ("kind" is English too)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADULT_DE = (
    r"(?:\s+(?!unter|neben|hinter|über)\w+(?:e[rsn]?))?\s+(?:frau|mann|männer|dame|leute|pflanz|mensch|model|hund|katze|vogel|"
    r"vögel|baum|bäume|erwachsen|trieb|braut|paar|kunst|mode|linie|kollektion|marke|gemüse)"
)
"""Whom or what "junge" is said of, where it is no noun."""
_SPACED = (
    (r"ni[nñ](?:[ao]s?|it[ao]s?)|nen[ae]s?|chic[ao]s?|menor(?:es)? de edad|menores de|bebés?",
     r"desnud[ao]s?",
     r"(?:color(?:es)?|tonos?|(?<!de )pies?|brazos?|hombros?|ojos?|muros?|suelos?|troncos?|techos?|ladrillos?|"
     r"árbol(?:es)?)\s+desnudos?|(?:piernas?|manos?|espaldas?|pared(?:es)?|bombillas?|ramas?)\s+desnudas?"),
    (r"enfants?|filles?|fillettes?|gar[cç]ons?|gamin(?:e?s?)|bébés?|mineure?s?|[eé]coli[eè]re?s?",
     r"nue?s?(?![- ]p)|d[eé]nud[eé]e?s?|d[eé]shabill[eé]e?s?",
     r"(?:pieds?|bras|(?<!de )dos|œil|oeil|yeux|murs?|tons?|sols?|arbres?|plafonds?|fils?|orteils)\s+nus?|"
     r"(?:jambes?|mains?|[eé]paules?|têtes?|ampoules?|couleurs?|teintes?|cloisons?|briques?|branches?)\s+(?:d[eé])?nu[eé]*s?"),
    (rf"kind(?:er|es|ern)?|m[aä]dchen|jungs|jungen?(?!{_ADULT_DE})|sch[uü]lerin(?:nen)?|kleinkind(?:er)?|s[aä]ugling",
     r"nackt(?:e[rsnm]?)?|nackig(?:e[rsnm]?)?|unbekleidet(?:e[rsnm]?)?|entkleidet(?:e[rsnm]?)?",
     r"nack(?:t|ig)e[rsnm]?\s+(?:fü(?:ß|ss)|fu(?:ß|ss)|arm(?:en?|s)?\b|bein(?:en?|s)?\b|wand|wänd|beton|boden|böden|glühb|"
     r"schulter|rücken|händ|hand|ziegel|mauer|baum|bäum|äst)\w*|(?:wand|wände|mauern?|boden)\s+nackt"),
    (r"bambin[aoei]|ragazzin[aoei]|minorenn[ei]|fanciull[aoei]|neonat[aoei]",
     r"nud[aoi]|spogliat[aoei]|svestit[aoei]",
     r"(?:(?<!in )piedi|colore?|tono|occhio|braccio|muro|muri|pavimento|alberi|mattoni)\s+nud[oi]|"
     r"(?:parete|schiena|spalla|tinta|lampadina)\s+nuda"),
    (r"bambine|ragazzine|minorenni|fanciulle|neonate", r"nude",
     r"(?:color|tonalità|tinta|tinte|colore|gambe|braccia|spalle|mani|pareti|lampadine)\s+nude"),
    (r"menin[ao]s?|crian[cç]as?|garot[ao]s?|menor(?:es)? de idade|menores de|bebês?",
     r"nu(?:a?s?)|despid[ao]s?",
     r"(?:olhos?|(?<!de )p[eé]s?|to(?:m|ns)|bra[cç]os?|ombros?|muros?|tijolos?|galhos?)\s+nus?|"
     r"(?:cor(?:es)?|pernas?|m[aã]os?|costas|paredes?|l[aâ]mpadas?|[aá]rvores?)\s+nuas?|cor\s+nu"),
    (r"kind(?:eren)?|meisjes?|jongens?|jongetjes?|peuters?|kleuters?|baby'?s?",
     r"naakte?|bloot|blote|uitgekleed",
     r"(?:blote|naakte|bloot)\s+(?:voet|been|benen|arm|hand|oog|rug|schouder|hoofd|muur|muren|wand|lamp|gloeilamp|beton|vloer)\w*"),
    (r"[cç]ocuk\w*|k[ıi]z|bebek\w*|o[gğ]lan\w*", r"[cç][ıi]plak",
     r"[cç][ıi]plak\s+(?:aya|g[oö]z|duvar|ampul|kol|bacak|omu|s[ıi]rt|beton|zemin|kablo|a[gğ]a[cç])\w*|duvar\w*\s+[cç][ıi]plak"),
    (r"flick(?:a|or|an)|pojk(?:e|ar|en)|barn(?:et|en)?", r"nak(?:en|na|et)",
     r"nakna\s+(?:f[oö]tter|ben|armar|v[aä]ggar|axlar|h[aä]nder|tr[aä]d|gl[oö]dlampor)|"
     r"naken\s+(?:v[aä]gg|rygg|axel|fot|gl[oö]dlampa)|naket\s+(?:golv|tr[aä]d|betong)\w*"),
    (r"девоч\w+|мальчи\w+|реб[её]н\w+|дет(?:и|ей|ям|ях|ьми|ками|ки|ок)|школьни\w+|подрост\w+|малыш\w*|младен\w+",
     r"гол(?:ая|ый|ые|ого|ой|ую|ых|ое|ым|ыми|ышом|еньк\w+)|наг(?:ая|ой|ие|ого|ую|их|ими|им)|обнаж[её]нн\w+|раздет\w+",
     r"(?:голы|голо|голу|голая|голой|обнаж[её]нн)\w*\s+(?:стен|ног|ступн|рук|плеч|спин|ламп|дерев|лес|ветк|ветв|провод|земл|пол\b|"
     r"бетон|кирпич)\w*|стен\w*\s+гол\w+"),
)  # fmt: skip
"""Spanish, French, German, Italian (twice: "nude" is English too), Portuguese, Dutch, Turkish, Swedish, Russian: words
of minors, words for naked, and naked colours, walls and feet, which are well."""
_BARE_ZH = r"裸(?!足|電球|眼|色|粉|妆|妝|机|機|线|線|麦|麥|车|車|钻|鑽|靴|石|瓶|婚|の(?:木|壁|電球|足|王様))"
_DENSE = (
    (r"子供|子ども|こども|女の子|男の子|女児|男児|幼児|高校生|児童|赤ちゃん",
     rf"{_BARE_ZH}|素っ裸|すっぽんぽん|ヌード(?!カラー)"),
    (r"어린이|소녀|소년|여자\s?아이|남자\s?아이|여아|남아|초등학생|중학생|여중생|여고생|고등학생|아동|미성년|"
     r"아이(?![섀라브크폰패스템보디돌콘언슬웨팟]|비(?!키니))",
     r"알몸(?!의 나무)|(?<!바나)나체(?!리)|벌거벗(?!은\s?(?:벽|나무))|발가벗|옷을?\s?벗"),
)  # fmt: skip
"""Japanese and Korean, whose words have no ends."""
_SHARED = re.compile(r"少女|少年|小学生|中学生")
"""Japanese where kana stand beside them; Chinese, which has a list, where none do."""
_KANA = re.compile(r"[ぁ-んァ-ヶ]")
_STOP = r"\s*[,.;:!?|()\[\]\u2013\u2014/\"“”«»]+\s*"
_SPACE = r"[^\w,.;:!?|()\[\]\u2013\u2014/\"“”«»]+"
_WORDS = rf"(?:{_SPACE}\w+){{0,4}}{_SPACE}"
"""Between both, of one clause."""
_FULLY = (
    rf"(?:(?:\w+mente|\w+ment|tout|toute|todo|toda|ganz|v[oö]llig|helemaal|helt|tamamen|полностью|совсем){_SPACE})?"
)


@dataclass(frozen=True)
class _Pair:
    """near: both in a clause, or the word for naked in one of its own.   well: what is no one's body."""

    naked: re.Pattern[str]
    near: re.Pattern[str]
    well: re.Pattern[str]

    @classmethod
    def of(cls, minor: str, naked: str, well: str) -> _Pair:
        a, b = rf"\b(?:{minor})\b", rf"\b(?:{naked})\b"
        alone = rf"{a}(?:{_SPACE}\w+){{0,4}}{_STOP}{_FULLY}{b}(?=\s*$|{_STOP})"
        before = rf"(?:^|{_STOP}){_FULLY}{b}{_STOP}(?:\w+{_SPACE}){{0,4}}{a}"
        near = re.compile(rf"{a}{_WORDS}{b}|{b}{_WORDS}{a}|{a}{_SPACE}{b}|{b}{_SPACE}{a}|{alone}|{before}")
        return cls(re.compile(b), near, re.compile(rf"\b(?:{well})(?!\w)(?!\s+(?:{minor})\b)"))

    def is_in(self, text: str) -> bool:
        return self.naked.search(text) is not None and self.near.search(self.well.sub(" , , ", text)) is not None


_PAIRS = tuple(_Pair.of(*row) for row in _SPACED)
_UNSPACED = tuple((re.compile(minor), re.compile(naked)) for minor, naked in _DENSE)


def naked_minor(text: str) -> bool:
    """Whether a text has both of one language, near each other; in Japanese and Korean, anywhere."""
    return any(pair.is_in(text) for pair in _PAIRS) or (not text.isascii() and _in_one_run(text))


def _in_one_run(text: str) -> bool:
    shared = _SHARED.search(text) is not None and _KANA.search(text) is not None
    found = [(minor.search(text) is not None, naked.search(text) is not None) for minor, naked in _UNSPACED]
    return any(minor and naked for minor, naked in found) or (shared and found[0][1])
