"""Dates of birth that make a person a minor today, in every supported language.

Such a text names no age, and the same words mean a child this year and an adult in eighteen: so the date of the day is
read, once for each request, by the gate, and handed down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from mezzotint.governance.safety.prompt.ages import ADULT
from mezzotint.governance.safety.prompt.guarantees import names_somebody

BUDDHIST = 543
"""Years that the Thai calendar is ahead."""

_DAY = r"(?:[0-3]?\d(?:st|nd|rd|th)?\s*(?:of\s*)?[,./ -]?\s*)?"
_MONTH = (
    r"(?:(?:jan|feb|mar|apr|m[ae][iy]|jun|jul|aug|ago|sep|o[ck]t|nov|de[cs])[a-z]*\.?|th[aá]ng\s*\d{1,2}|\d{1,2}|"
    r"[\u0e00-\u0e7f.]{2,12})[,./ -]*(?:[0-3]?\d(?:st|nd|rd|th)?\s*[,./ -]\s*|(?:of|tahun|nam|năm)\s+)?"
)
_YEAR = r"(?<!\d)((?:19|20|21|2[45])\d\d)(?!\d)"
_BEFORE = (
    r"\bborn\b|\bb\.|\bbirth\s*-?\s*(?:year|date|day)\b|\b(?:year|date)\s+of\s+birth\b|\bbirthyear\b|\bd\.?o\.?b\b\.?|"
    r"\b(?:di)?lahir(?:kan)?\b|\bkelahiran\b|\bipinanganak\b|\bisinilang\b|\b(?:sinh|nam\s+sinh|năm\s+sinh)\b|(?P<short>\bsn\b)|"
    r"เกิด|生于|生於|出生(?:于|於|年份|日期)|பிறந்த(?:\s*ஆண்டு|\s*வருடம்|\s*தேதி)?"
)
_LITTLE = (
    r"(?:\s|:|=|-|\b(?:in|on|of|is|the|year|around|about|circa|pada|di|tahun|thn|tgl|tanggal|noong|taong|nam|năm|ngày|ngay)\b|"
    r"เมื่อ|วันที่|ปี|พ\.?\s*ศ\.?|ค\.?\s*ศ\.?|年)*"
)
_AFTER = (
    r"(?:\s*年)?(?:\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*[日号])?)?\s*(?:出生|出世|生(?![产產活态態日长長物命意]))|"
    r"(?:\s*-?\s*(?:இல்|ல்|ஆம்\s*ஆண்டு|ம்\s*ஆண்டு))*\s*பிறந்த|[\s-]*born\b"
)
_BORN = re.compile(rf"(?:{_BEFORE}){_LITTLE}(?:{_DAY}{_MONTH})?{_YEAR}|{_YEAR}(?:[-/.]\d{{1,2}}){{0,2}}(?:{_AFTER})")
_DIGITS = re.compile(r"\d\d")
_DECADE = re.compile(r"(?<![\d:.])(\d\d)[后後](?![天日年月小分秒秋盖蓋壳殼置座摄攝])")
"""Of the Chinese: born after 2010; not the back cover or the rear camera of a telephone."""
_SHORT = re.compile(r"\bborn\s+(?:in\s+)?(?:the\s+year\s+)?['’‘`](\d\d)(?!\d|s\b)")
"""Born in '12."""
_VIETNAMESE = re.compile(r"[\u00c0-\u01b0\u1ea0-\u1ef9]|\b(?:gai|trai|sinh|nguoi|nam|nu|chau|em|be|khoa than)\b")
"""Letters of it, or words without their marks: two letters for "born" that are a serial number elsewhere."""
_MAKER = (
    r"(?:brand|label|company|shop|atelier|boutique|(?:bikini|lingerie|swimwear|underwear|fashion|couture|design|clothing)"
    r"\s+(?:house|line|store|studio|collection))"
)
_BRAND = re.compile(
    rf"\b{_MAKER}\s+(?:(?:that\s+|which\s+)?(?:was|is)\s+)?(?:(?:proudly|originally|officially|first|only|just)\s+)?$"
)
"""What may be born as a child is; nothing between, so that it hides nobody."""
_OURS = re.compile(rf"\s*,\s*our\s+(?:\w+\s+)?{_MAKER}\b")
"""Of a text that begins with the birth, so that it names nobody before."""


def born_a_minor(text: str, today: date) -> bool:
    """Whether a text names a year of birth after which nobody is 18 for certain; of whom is not asked.

    Of a year the last day counts, for its month is not read: who was born in it may be younger than most.
    """
    with_digits = _DIGITS.search(text) is not None
    return with_digits and any(date(year, 12, 31) > _eighteen_years_before(today) for year in _years(text, today))


def _eighteen_years_before(today: date) -> date:
    return today.replace(year=today.year - ADULT, day=min(today.day, 28) if today.month == 2 else today.day)


def _years(text: str, today: date) -> Iterator[int]:
    """Of births, in the common calendar; years to come too, for they are no adult's."""
    for found in _BORN.finditer(text):
        if not _is_of_nobody(found, text):
            year = next(int(group) for group in found.groups() if group and group.isdecimal())
            yield year - BUDDHIST if year > today.year + BUDDHIST // 2 else year
    yield from (2000 + int(found) for found in _DECADE.findall(text) if 2000 + int(found) <= today.year)
    for found in _SHORT.finditer(text):
        if not _is_of_a_maker(found, text) and 2000 + int(found[1]) <= today.year:
            yield 2000 + int(found[1])


def _is_of_nobody(found: re.Match[str], text: str) -> bool:
    number = found["short"] is not None and _VIETNAMESE.search(text) is None
    return number or _is_of_a_maker(found, text)


def _is_of_a_maker(found: re.Match[str], text: str) -> bool:
    if names_somebody(text):
        return False
    ours = found.start() == 0 and _OURS.match(text, found.end()) is not None
    return ours or _BRAND.search(text[: found.start()]) is not None
