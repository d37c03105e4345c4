"""Countries by ISO 3166-1, and the European Union as its members and their territories in it."""

from __future__ import annotations

from collections.abc import Iterable

from mezzotint.errors import UsageError

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
CODES = frozenset(_CODES.split())
_EU = """
AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
"""
EU = frozenset(_EU.split())
_OF_EU = """
AX GF GP MF MQ RE YT
"""
OF_EU = frozenset(_OF_EU.split())
"""Territories of members that the treaties count to the Union."""

_OF_US = """
AS GU MP PR UM VI
"""
OF_US = frozenset(_OF_US.split())
SPREAD = {"EU": EU | OF_EU, "US": frozenset({"US"}) | OF_US}
"""Names that stand for several codes."""

HINTS = {"UK": "GB", "EL": "GR", "SU": "RU"}


def countries(names: Iterable[str], where: str) -> frozenset[str]:
    """Codes, with the names that stand for several spread out.  Raises UsageError for what is no code."""
    return frozenset(code for name in names for code in _spread(name.strip().upper(), name, where))


def _spread(code: str, said: str, where: str) -> frozenset[str]:
    if code in SPREAD:
        return SPREAD[code]
    if code not in CODES:
        hint = (
            f"the code is {HINTS[code]}" if code in HINTS else "expected two letters of ISO 3166-1, such as SG, or EU"
        )
        raise UsageError(f"{where}: {said!r} is no country's code; {hint}")
    return frozenset({code})
