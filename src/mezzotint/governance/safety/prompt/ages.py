"""Ages below 18, in digits or in words, in every supported language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ADULT = 18
_UNIT = (
    r"(?:\s|-)*(?:y\s?/?\s?o\b|y\.\s?o\.?|yr?s?\b(?:\s|-)*old|years?(?:\s|-)*(?:old|of age)|year-old|yrs?\b|"
    r"tahun|thn\b|taon(?:g)?\s*(?:gulang)?|anyos\b|tuoi\b|[周週]?[岁歲]|ขวบ|ปี|வயது|வயசு)"
)
_AFTER = re.compile(r"(?<!\d)(\d{1,2})" + _UNIT)
_BEFORE = re.compile(
    r"(?:\bage[ds]?|\bumur|\bberumur|\busia|\bberusia|\bedad|อายุ|年龄|年齡|年仅|วัย|வயது)\s*(?:of|is|:|na|ay)?\s*"
    r"(\d{1,2})(?!\d|\s*(?:months?|days|%|\+))"
)
_GRADE = re.compile(r"\b(?:1[0-2]|[1-9])(?:st|nd|rd|th)(?:\s|-)+grade")
_HAN = re.compile(r"[一二三四五六七八九十]{1,2}[周週]?(?:岁|歲)")
_ADULT_HAN = re.compile(r"(?:十[八九]|[二三四五六七八九]十[一二三四五六七八九]?)[周週]?(?:岁|歲)")


@dataclass(frozen=True)
class _Numbers:
    """How a language says 1 … 17 before a word for years, or after a word for age.

    said: patterns of them, none of which is the beginning of a larger number that ``more`` has next.
    tens: what stands before one of them in a number above 17 ("twenty six"), each of a fixed length.
    """

    said: Sequence[str]
    tens: Sequence[str]
    more: str
    years: str
    age: str

    def pattern(self) -> re.Pattern[str]:
        behind = "".join(f"(?<!{one})" for one in self.tens)
        number = f"{behind}(?:{'|'.join(sorted(self.said, key=len, reverse=True))})"
        return re.compile(f"{number}{self.years}|(?:{self.age}){number}(?!{self.more})")


def _each(words: str, form: str = "{}") -> list[str]:
    """A pattern of each word."""
    return [form.format(word) for word in words.split()]


WHOLE = r"\b{}\b"
_ENGLISH = _Numbers(
    _each("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen", WHOLE)
    + _each("sixteen seventeen", WHOLE),
    _each("twenty thirty forty fifty sixty seventy eighty ninety hundred", r"{}[\s-]"),
    r"[\s-]*(?:months?|weeks?|days|hundred|thousand|%)",
    r"(?:\s|-)*(?:y\s?/?\s?o\b|y\.\s?o\b|(?:years?|yrs?)(?:\s|-)*(?:old|of age))",
    r"\bage[ds]?\s*(?:of|is|:)?\s*",
)
_MALAY = _Numbers(
    _each("satu dua tiga empat lima enam tujuh delapan lapan sembilan sepuluh sebelas", WHOLE)
    + _each("dua tiga empat lima enam tujuh", r"\b{}\s+belas\b"),
    _each("puluh ratus", r"{}\s"),
    r"\s*(?:belas|puluh|ratus|ribu|bulan|minggu|hari)",
    r"\s+(?:tahun|thn)\b",
    r"\b(?:ber)?(?:umur|usia)\s*:?\s*",
)
_ONES_VI = "mot hai ba bon tu nam lam sau bay"
_VIETNAMESE = _Numbers(  # read without its marks, where ten and the tens are one word
    [*_each(f"{_ONES_VI} tam chin muoi", WHOLE), *_each(_ONES_VI, r"\bmuoi\s+{}\b")],
    _each(f"{_ONES_VI} tam chin muoi tram", r"{}\s"),
    r"\s*(?:muoi|tam|chin|tram|thang|ngay)",
    r"\s+tuoi\b",
    r"\btuoi\s*(?:la|:)?\s*",
)
_ONES_TH = "หนึ่ง สอง สาม สี่ ห้า หก เจ็ด"
_THAI = _Numbers(
    [*_each(f"{_ONES_TH} แปด เก้า สิบ สิบเอ็ด"), *_each(_ONES_TH, "สิบ{}")],
    _each(f"{_ONES_TH} แปด เก้า ยี่ สิบ ร้อย"),
    r"\s*(?:สิบ|แปด|เก้า|ร้อย|พัน|เดือน|วัน)",
    r"\s*(?:ปี|ขวบ)",
    r"(?:อายุ|วัย)\s*:?\s*",
)
_ONES_FIL = "isa dalawa tatlo apat lima anim pito"
_FILIPINO = _Numbers(
    _each(f"{_ONES_FIL} walo siyam sampu", r"\b{}(?:ng)?\b")
    + _each(_ONES_FIL, r"\blab(?:ing|in|im)[\s-]?{}(?:ng)?\b")
    + _each("uno dos tres kuwatro singko sais siyete otso nuwebe diyes onse dose trese katorse kinse", WHOLE)
    + _each("disisais disisiyete", WHOLE),
    [r"['’]t\s", r"labing[\s-]"],
    r"\s*(?:['’]t|pu|daan|libo|buwan|araw)",
    r"(?:\s+na)?\s+(?:taon(?:g\s*gulang)?|anyos)\b",
    r"\bedad\s*(?:na|ay|:)?\s*",
)
_TAMIL = _Numbers(
    _each("ஒரு இரண்டு மூன்று நான்கு ஐந்து ஆறு ஏழு எட்டு ஒன்பது பத்து பதினொன்று பதினொரு பன்னிரண்டு")
    + _each("பன்னிரெண்டு பதின்மூன்று பதிமூன்று பதினான்கு பதினாலு பதினைந்து பதினாறு பதினேழு"),
    ["[\u0b80-\u0bff]"],
    "[\u0b80-\u0bff]",
    r"\s*(?:வயது|வயசு)",
    r"(?:வயது|வயசு)\s*:?\s*",
)
_SAID = tuple(one.pattern() for one in (_ENGLISH, _MALAY, _VIETNAMESE, _THAI, _FILIPINO, _TAMIL))


def minor_age(text: str) -> bool:
    """Whether a text names an age below 18; of whom is not asked."""
    plain = _ADULT_HAN.sub("", text)
    ages = [int(m) for pattern in (_AFTER, _BEFORE) for m in pattern.findall(plain)]
    in_words = (*_SAID, _GRADE, _HAN)
    return any(age < ADULT for age in ages) or any(pattern.search(plain) for pattern in in_words)
