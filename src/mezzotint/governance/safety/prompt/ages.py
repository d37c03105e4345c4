"""Ages below 18, in digits or in words, in every supported language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mezzotint.governance.safety.prompt.ages_otherwise import otherwise
from mezzotint.governance.safety.prompt.guarantees import is_guaranteed
from mezzotint.governance.safety.prompt.school import in_school

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
_GRADE = re.compile(
    r"\b(?:1[0-2]|[1-9])(?:st|nd|rd|th)(?:\s|-)+grade|"
    r"\b(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth)(?:\s|-)+grade(?:r|\s+(?:class|student|"
    r"pupil|girl|boy|kid|child))|"
    r"\b(?:year|grade|form)\s*(?:1[0-3]|[1-9])\s+(?:class|student|pupil|girl|boy|kid|child|schooler)|"
    r"\b(?:[1-6]th|fourth|fifth|sixth)(?:\s|-)+former"
)
_DIGITS = r"(1[0-7]|[1-9])(?![\d.,]\d|\d|\s*(?:months?|weeks?|days|%|\+|[x×]\s*\d|cm\b|mm\b|k\b))"
_WORDS = "(?:one|two|three|four|five|six|seven|eight|nine|ten|(?:elev|fourte|fifte|sixte|sevente)en|twelve|thirteen)\\b"
_PERSON = (
    r"\b(?:girl|boy|child|kid|lad|lass|lassie|daughter|son|"
    r"sister|brother|pupil|student|she|he)"
)
_STOP = r"(?:$|[,;:)]|\.(?!\d))"
_TENS = "".join(
    rf"(?<!{one}[\s\u2010-\u2015-])" for one in ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty")
)
_TO_COME = rf"(?:{_DIGITS}|{_WORDS}|[1-9]\d|eighteen|nineteen|twenty)"
_GROWN = r"\b(?:model|woman|man|female|male)"
"""What a number in brackets counts too, so that one and two are no ages of theirs."""
_MORE = r"(?!one\b|1\b)"
"""Of one thing only is said what it is."""
_OF = re.compile(
    rf"\b(?:girl|boy|child|kid|lad|lass|lassie|daughter|son)\s+of\s+(?:only\s+|just\s+|about\s+)?(?:{_DIGITS}|{_WORDS})|"
    rf"\b(?:at|of)\s+(?:the\s+)?age\s+(?:of\s+)?(?:{_DIGITS}|{_WORDS})|"
    rf"{_PERSON}\s*[,(]\s*(?:aged?\s*)?(?:{_DIGITS}|{_WORDS})\s*(?:[,;.)]|$)|"
    rf"{_GROWN}\s*[,(]\s*(?:aged?\s*)?(?![12]\b|one\b|two\b)(?:{_DIGITS}|{_WORDS})\s*(?:[,;.)]|$)|"
    rf"\b(?:turn(?:s|ed|ing)|barely|not\s+yet|not\s+even)\s+(?:{_DIGITS}|{_WORDS})(?=\s*(?:{_STOP}|(?:last|this|next|today|"
    r"yesterday|and|in|on|who|girl|boy|wearing)\b))|"
    rf"\b(?<!for )(?:just|only|almost|nearly)\s+{_MORE}(?:{_DIGITS}|{_WORDS})(?=\s*{_STOP})|"
    rf"\b(?:{_DIGITS}|{_WORDS})\s+(?:going\s+on|turning)\s+{_TO_COME}\b|"
    r"\b1[0-7]/f\b|\b1[0-7]f\b(?<!1[0246]f)|\b1[0246]f\b(?!\s+(?:cup|bra|bikini|swim\w*)\b)|"
    rf"\bborn\s+(?:only\s+|just\s+)?(?:{_DIGITS}|{_WORDS})\s+years?\s+ago"
)
"""English that gives an age without a word for it: whose it is, what was turned.  12f is a size of bras too."""
_BIRTHDAY = re.compile(
    r"\b(?:(?:[1-9]|1[0-7])(?:st|nd|rd|th)|"
    rf"{_TENS}(?:fif|six|seven|eigh|nin|ten|eleven|twelf|thirteen|fourteen|fifteen|sixteen|seventeen)th)\s+birthday"
)
_OF_A_SHOP = re.compile(r"\b(?:brand|sale|shop|store|company|anniversary)\b")
_OF_SOMEBODY = re.compile(r"\b(?:her|his|their|my|(?:girl|boy|child|kid|daughter|son|teen)\W?s)\s+(?:own\s+)?$")
NEAR = 32
"""Letters on each side of a birthday in which a shop makes it the shop's."""
_HAN = re.compile(r"[一二三四五六七八九十]{1,2}[周週]?(?:岁|歲)")
_ADULT_HAN = re.compile(r"(?:十[八九]|[二三四五六七八九]十[一二三四五六七八九]?)[周週]?(?:岁|歲)")


_HYPHEN = r"[\s\u2010-\u2015-]"
_ENDS = r"(?=\s*(?:$|[^\w\s]))"


def _each(words: str, form: str = "{}") -> list[str]:
    """A pattern of each word."""
    return [form.format(word) for word in words.split()]


@dataclass(frozen=True)
class _Numbers:
    """How a language says ages up to 17 in words.

    ones: patterns of 1 ... 9, which after a word for age may be of something else ("all ages, one size").   ten.
    teens: 11 ... 17.   tens: what stands before one of them in a number above 17 ("twenty six"), each of a fixed
    length.   more: what follows one that is the beginning of another number, or of months.
    age: a word for it, before a number.   old: units of ages alone.   years: units of guarantees too, which make an age
    of a number above ten.
    """

    ones: Sequence[str]
    ten: str
    teens: Sequence[str]
    tens: Sequence[str]
    more: str
    age: str
    old: str
    years: str

    def pattern(self) -> re.Pattern[str]:
        behind = "".join(f"(?<!{one})" for one in self.tens)
        ones, teens, above = ("|".join(some) for some in (self.ones, self.teens, [*self.teens, self.ten]))
        said = (
            f"{behind}(?:{above}|{ones})(?:{self.old})",
            f"{behind}(?:{teens})(?:{self.years})",
            f"(?:{self.age})(?:{above})(?!{self.more})",
            f"(?:{self.age})(?:{ones})(?!{self.more})(?:{_ENDS}|{self.old}|{self.years})",
        )
        return re.compile("|".join(said))


WHOLE = r"\b{}\b"
NEVER = r"(?!)"
_ENGLISH = _Numbers(
    _each("one two three four five six seven eight nine", WHOLE),
    r"\bten\b",
    _each("eleven twelve thirteen fourteen fifteen sixteen seventeen", WHOLE),
    _each("twenty thirty forty fifty sixty seventy eighty ninety hundred", "{}" + _HYPHEN),
    _HYPHEN + r"*(?:months?|weeks?|days|hundred|thousand|%)",
    r"\bage[ds]?\s*(?:of|is|:)?\s*",
    _HYPHEN + "*(?:y\\s?/?\\s?o\\b|y\\.\\s?o\\b|(?:years?|yrs?)" + _HYPHEN + "*(?:old|of age))",
    NEVER,
)
_MALAY = _Numbers(
    _each("satu dua tiga empat lima enam tujuh delapan lapan sembilan", WHOLE),
    r"\bsepuluh\b",
    [r"\bsebelas\b", *_each("dua tiga empat lima enam tujuh", r"\b{}\s+belas\b")],
    _each("puluh ratus", r"{}\s"),
    r"\s*(?:belas|puluh|ratus|ribu|bulan|minggu|hari)",
    r"\b(?:ber)?(?:umur|usia)\s*:?\s*",
    NEVER,
    r"\s+(?:tahun|thn)\b",
)
_ONES_VI = "một hai ba bốn tư năm lăm sáu bảy bẩy"
_VIETNAMESE = _Numbers(
    _each(f"{_ONES_VI} tám chín", WHOLE),
    r"\bmười\b",
    _each(_ONES_VI, r"\bmười\s+{}\b"),
    _each("mươi mười trăm", r"{}\s"),
    r"\s*(?:mươi|tám|chín|trăm|tháng|ngày)",
    r"\btuổi\s*(?:là|:)?\s*",
    r"\s+tuổi\b",
    NEVER,
)
_MARKLESS = _Numbers(  # without marks nam is five and a man, ba is three and a lady, and ten and the tens are one word
    [NEVER],
    NEVER,
    _each("mot hai ba bon tu nam lam sau bay", r"\bmuoi\s+{}\b"),
    _each("hai ba bon tu nam lam sau bay tam chin", r"{}\s"),
    r"\s*(?:thang|ngay)",
    r"\btuoi\s*(?:la|:)?\s*",
    r"\s+tuoi\b",
    NEVER,
)
_ONES_TH = "หนึ่ง สอง สาม สี่ ห้า หก เจ็ด"
_THAI = _Numbers(
    _each(f"{_ONES_TH} แปด เก้า"),
    "สิบ",
    ["สิบเอ็ด", *_each(_ONES_TH, "สิบ{}")],
    _each(f"{_ONES_TH} แปด เก้า ยี่ สิบ ร้อย"),
    r"\s*(?:สิบ|แปด|เก้า|ร้อย|พัน|เดือน|วัน)",
    r"(?:อายุ|วัย)\s*:?\s*",
    r"\s*ขวบ",
    r"\s*ปี",
)
_ONES_FIL = "isa dalawa tatlo apat lima anim pito"
_FILIPINO = _Numbers(
    _each(f"{_ONES_FIL} walo siyam", r"\b{}(?:ng)?\b")
    + _each("uno dos tres kuwatro singko sais siyete otso nuwebe", WHOLE),
    r"\b(?:sampu(?:ng)?|diyes)\b",
    _each(_ONES_FIL, r"\blab(?:ing|in|im)[\s-]?{}(?:ng)?\b")
    + _each("onse dose trese katorse kinse disisais disisiyete", WHOLE),
    [
        r"['’]t\s",
        r"labing[\s-]",
        r"\sy\s",
        r"['’]y\s",
        *_each("bente beinte benti treinta trenta kuwarenta kwarenta singkuwenta singkwenta sisenta sitenta", r"{}\s"),
        *_each("setenta otsenta nobenta", r"{}\s"),
    ],
    r"\s*(?:['’]t|pu|daan|libo|buwan|araw)",
    r"\bedad\s*(?:na|ay|:)?\s*",
    r"(?:\s+na)?\s+(?:taong?\s*gulang|anyos)\b",
    r"(?:\s+na)?\s+taong?\b",
)
_TAMIL = _Numbers(
    _each("ஒரு இரண்டு மூன்று நான்கு ஐந்து ஆறு ஏழு எட்டு ஒன்பது"),
    "பத்து",
    _each("பதினொன்று பதினொரு பன்னிரண்டு பன்னிரெண்டு பதின்மூன்று பதிமூன்று பதினான்கு பதினாலு பதினைந்து") + _each("பதினாறு பதினேழு"),
    ["[\u0b80-\u0bff]", *_each("இருபத்து முப்பத்து நாற்பத்து ஐம்பத்து அறுபத்து எழுபத்து எண்பத்து தொண்ணூற்று", r"{}\s")],
    "[\u0b80-\u0bff]",
    r"(?:வயது|வயசு)\s*:?\s*",
    r"\s*(?:வயது|வயசு)",
    NEVER,
)
_SAID = (*(one.pattern() for one in (_ENGLISH, _MALAY, _MARKLESS, _FILIPINO)), _OF)
_OTHERS = (_THAI.pattern(), _TAMIL.pattern())
_MARKED = _VIETNAMESE.pattern()


def minor_age(text: str, accented: str = "") -> bool:
    """Whether a text names an age below 18; of whom is not asked.

    accented: the same with the marks of its language, "" where they are lost.
    """
    plain = _ADULT_HAN.sub("", text)
    ages = [int(m[1]) for pattern in (_AFTER, _BEFORE) for m in pattern.finditer(plain) if not is_guaranteed(m)]
    in_words = any(pattern.search(plain) for pattern in (*_SAID, _GRADE, _HAN)) or _has_birthday(plain)
    elsewhere = not plain.isascii() and any(pattern.search(plain) for pattern in _OTHERS)
    below = any(age < ADULT for age in ages) or otherwise(plain) or in_school(plain)
    return in_words or elsewhere or below or _MARKED.search(accented) is not None


def _has_birthday(text: str) -> bool:
    """Whether a text names one of the first seventeen of somebody; a shop has birthdays too."""
    return any(
        _OF_SOMEBODY.search(text[: found.start()]) or not _OF_A_SHOP.search(text, *_around(found))
        for found in _BIRTHDAY.finditer(text)
    )


def _around(found: re.Match[str]) -> tuple[int, int]:
    return max(0, found.start() - NEAR), found.end() + NEAR
