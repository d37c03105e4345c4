"""Years at school, which make an age below 18 where no word for a pupil stands beside them."""

from __future__ import annotations

import re

from mezzotint.governance.safety.prompt.ages_otherwise import of_goods

_ENDS = r"(?=\s*(?:$|[,;:!?)]|\.(?!\d)|(?:and|in|at|on|with|wearing|posing|student|girl|boy)\b))"
_STUFF = r"(?:steel|titanium|silk|cotton|wool|cashmere|linen|leather|polyester|nylon)"
_NOT_STUFF = "".join(rf"(?<!{one} )" for one in ("steel", "titanium", "silk", "cotton", "wool", "cashmere", "leather"))
_OF_GOODS_TOO = re.compile(
    rf"\bin\s+(?:the\s+)?(?:year|grade|form)\s+(?:1[0-3]|[1-9])(?!\d|\s*(?:of|maths|workbook|{_STUFF})\b)|"
    rf"{_NOT_STUFF}\bgrade\s*(?:1[0-2]|[1-9]){_ENDS}|"
    rf"\bkelas\s+(?:1[0-2]|[2-9]){_ENDS}|"
    r"\blop\s+(?:1[0-2]|[1-9])(?![\d.]|\s*(?:lop|mm|cm|g|xe)\b)"
)
"""Stuffs have grades, and without its marks a class is a tyre in Vietnamese."""
_IN_SCHOOL = re.compile(
    r"\bkelas\s+(?:1[0-2]|[1-9]|[ivx]{1,4})\s+(?:sd|smp|sma|smk|mi|mts)\b|"
    r"\b(?:tingkatan|darjah)\s+(?:[1-6]|satu|dua|tiga|empat|lima|enam)\b|\bbaitang\s+(?:1[0-2]|[1-9])\b|"
    r"(?<![\u0e00-\u0e7f])[มป]\.\s?[1-6](?!\d)|(?<!年)(?<!月)初[一二三](?![日夜天晚])|"
    r"高[一二三][女男学學生]|[一二三四五六七八九]年[级級]|[1-9]年[级級]"
)
"""Of Indonesian, Malay, Filipino, Thai and Chinese."""


def in_school(text: str) -> bool:
    """Whether a text names a year at school; whose is not asked."""
    return _IN_SCHOOL.search(text) is not None or (_OF_GOODS_TOO.search(text) is not None and not of_goods(text))
