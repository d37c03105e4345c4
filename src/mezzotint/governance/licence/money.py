"""Amounts in a currency, and whether one is above a cap in another by a dated rate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from mezzotint.errors import UsageError

_CURRENCIES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CURRENCIES.split())
"""ISO 4217, without funds and metals."""

FRESH = timedelta(days=92)
"""How old a rate may be."""

MARGIN = Decimal("0.05")
"""A converted amount this near to a cap is neither above nor below it."""

_AMOUNT = re.compile(r"\s*([-+]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?)\s*([A-Za-z]+)\s*")


@dataclass(frozen=True)
class Money:
    """An amount, 0 or more, in a currency of ISO 4217."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"


@dataclass(frozen=True)
class Rate:
    """What one unit of a currency is worth in US dollars, and the day that is of."""

    usd: Decimal
    date: date


def money(text: str, where: str) -> Money:
    """ "2e6USD", "2,000,000 USD" -> Money.  Raises UsageError for no amount, a negative one, an unknown currency."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise UsageError(f"{where}: {text!r} is no amount; expected a number and a currency, such as 2e6USD")
    try:
        amount = Decimal(found[1].replace(",", "").replace("_", ""))
    except InvalidOperation as error:
        raise UsageError(f"{where}: {text!r} is no amount; expected such as 2e6USD") from error
    if amount < 0:
        raise UsageError(f"{where}: {text!r} is negative; expected 0 or more")
    return Money(amount, currency(found[2], where))


def currency(text: str, where: str) -> str:
    """A code of ISO 4217 in capitals.  Raises UsageError for another."""
    code = text.upper()
    if code not in CURRENCIES:
        near = get_close_matches(code, sorted(CURRENCIES), n=3, cutoff=0.6)
        hint = f"did you mean {', '.join(near)}?" if near else "expected three letters of ISO 4217, such as USD"
        raise UsageError(f"{where}: unknown currency {text!r}; {hint}")
    return code


def above(have: Money, cap: Money, boundary: str, rates: Mapping[str, Rate], today: date) -> bool | None:
    """Whether an amount is beyond a cap: at it where the boundary is inclusive, above it where it is exclusive.

    None is not known: no rate at hand, one that is too old or of a day to come, or a converted amount within 5 % of it.
    """
    if have.currency == cap.currency:
        return _beyond(have.amount, cap.amount, boundary)
    worth, limit = _usd(have, rates, today), _usd(cap, rates, today)
    if worth is None or limit is None or abs(worth - limit) <= MARGIN * limit:
        return None
    return worth > limit


def _beyond(amount: Decimal, cap: Decimal, boundary: str) -> bool:
    return amount >= cap if boundary == "inclusive" else amount > cap


def _usd(one: Money, rates: Mapping[str, Rate], today: date) -> Decimal | None:
    if one.currency == "USD":
        return one.amount
    rate = rates.get(one.currency)
    if rate is None or not timedelta(0) <= today - rate.date <= FRESH:
        return None
    return one.amount * rate.usd
