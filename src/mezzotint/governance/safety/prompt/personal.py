"""Personal data in a text: addresses of mail, numbers of payment cards, identity numbers of the region."""

from __future__ import annotations

import re

_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_IDENTITY = re.compile(r"\b[STFGM]\d{7}[A-Z]\b|(?<!\d)\d{6}-\d{2}-\d{4}(?!\d)")
"""Singapore's NRIC and FIN; Malaysia's MyKad."""


def personal(text: str) -> str | None:
    """The rule that a text breaks: mail, card, identity; None where it holds no such thing."""
    if _MAIL.search(text):
        return "mail"
    if any(luhn(re.sub(r"\D", "", found)) for found in _CARD.findall(text)):
        return "card"
    return "identity" if _IDENTITY.search(text) else None


def luhn(digits: str) -> bool:
    """Whether the check digit is right.  (ISO/IEC 7812-1, annex B)"""
    doubled = (int(d) * (1 + k % 2) for k, d in enumerate(reversed(digits)))
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0
