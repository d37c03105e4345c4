"""English that says an age below 18 by a bound, in dozens, in Roman numerals or in months."""

from __future__ import annotations

import re

_ENDS = r"(?=\s*(?:$|[,;:!?)]|\.(?!\d)|(?:and|in|on|with|wearing|posing|years?|yrs?|girls?|boys?|models?)\b))"
_OTHERWISE = re.compile(
    rf"(?<!\bor )\b(?:under|below)\s+(?:the\s+age\s+of\s+)?(?:1[0-8]|[5-9]){_ENDS}|"
    r"\byounger\s+than\s+(?:1[0-8]|[5-9])(?!\d|\s*(?:months?|weeks?|days)\b)|"
    r"\b(?:not|isn['’]t)\s+(?:quite\s+|even\s+|yet\s+)?(?:1[0-8]|eighteen|sixteen|seventeen)\s+yet\b|"
    r"(?<![\d.,x/-])(?<!size )\b1[0-7]\s?y\b(?!\s?(?:[-/.]|warranty|guarantee))|"
    r"(?<!two )(?<!three )(?<!four )(?<!five )(?<!several )\bdozen\s+years?\s+old\b|"
    r"\b(?:x(?:vi{0,2}|iv|i{0,3})|ix|iv|vi{0,3}|i{2,3})[\s-]+(?:years?[\s-]+old|y\.?o)\b|"
    r"(?<!\d)(?:2[4-9]|[3-9]\d|1\d\d|20\d|21[0-5])[\s-]*months?[\s-]+old\b"
)
"""Under 216 months; of less than two years babies are, and cheese."""


def otherwise(text: str) -> bool:
    """Whether a text says such an age; of whom is not asked."""
    return _OTHERWISE.search(text) is not None
