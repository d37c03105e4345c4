"""Ages below 18, in digits or in words, in every supported language."""

from __future__ import annotations

import re

ADULT = 18
_WORDS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen"),
)
_UNIT = (
    r"(?:\s|-)*(?:y\s?/?\s?o\b|y\.\s?o\.?|yr?s?\b(?:\s|-)*old|years?(?:\s|-)*(?:old|of age)|year-old|yrs?\b|"
    r"tahun|thn\b|taon(?:g)?\s*(?:gulang)?|tuoi|岁|歲|ขวบ|ปี|வயது|வயசு)"
)
_AFTER = re.compile(r"(?<!\d)(\d{1,2})" + _UNIT)
_BEFORE = re.compile(
    r"(?:\bage[ds]?|\bumur|\bberumur|\busia|\bberusia|\bedad|อายุ|年龄|年齡|年仅|วัย|வயது)\s*(?:of|is|:|na|ay)?\s*"
    r"(\d{1,2})(?!\d|\s*(?:months?|days|%|\+))"
)
_SAID = re.compile(
    rf"\b(?:{'|'.join(_WORDS)})(?:\s|-)+(?:year|yr)s?(?:\s|-)+old|\bage[ds]? (?:{'|'.join(_WORDS)})\b|"
    r"\b(?:1[0-2]|[1-9])(?:st|nd|rd|th)(?:\s|-)+grade|[一二三四五六七八九十]{1,2}(?:岁|歲)"
)
_ADULT_HAN = re.compile(r"(?:十[八九]|[二三四五六七八九]十[一二三四五六七八九]?)(?:岁|歲)")


def minor_age(text: str) -> bool:
    """Whether a text names an age below 18; of whom is not asked."""
    plain = _ADULT_HAN.sub("", text)
    ages = [int(m) for pattern in (_AFTER, _BEFORE) for m in pattern.findall(plain)]
    return any(age < ADULT for age in ages) or _SAID.search(plain) is not None
