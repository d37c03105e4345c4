"""English that says an age below 18 by a bound, in dozens, in Roman numerals or in months."""

from __future__ import annotations

import re

from mezzotint.governance.safety.prompt.guarantees import names_somebody

_ENDS = r"(?=\s*(?:$|[,;:!?)]|\.(?!\d)|(?:and|in|on|with|wearing|posing|years?|yrs?|girls?|boys?|models?)\b))"
_OF_GOODS_TOO = re.compile(
    rf"(?<!\bor )(?<!\bsize )(?<!\bsizes )(?<!\bpriced )(?<!\bprice )(?<!\bprices )\b(?:under|below)\s+"
    rf"(?:1[0-8]|[5-9]){_ENDS}|"
    r"(?<![\d.,x/-])(?<!size )(?<!sizes )\b1[0-7]\s?y\b(?!\s?(?:[-/.]|warranty|guarantee))"
)
"""Sizes and prices have bounds, and sizes are of years."""
_OTHERWISE = re.compile(
    rf"\b(?:under|below)\s+the\s+age\s+of\s+(?:1[0-8]|[5-9]){_ENDS}|"
    r"\byounger\s+than\s+(?:1[0-8]|[5-9])(?!\d|\s*(?:months?|weeks?|days)\b)|"
    r"\b(?:not|isn['’]t)\s+(?:quite\s+|even\s+|yet\s+)?(?:1[0-8]|eighteen|sixteen|seventeen)\s+yet\b|"
    r"(?<!two )(?<!three )(?<!four )(?<!five )(?<!several )\bdozen\s+years?\s+old\b|"
    r"\b(?:x(?:vi{0,2}|iv|i{0,3})|ix|iv|vi{0,3}|i{2,3})[\s-]+(?:years?[\s-]+old|y\.?o)\b|"
    r"(?<!\d)(?:2[4-9]|[3-9]\d|1\d\d|20\d|21[0-5])[\s-]*months?[\s-]+old\b"
)
"""Under 216 months; of less than two years babies are, and cheese."""
_GOODS = re.compile(
    r"\b(?:bikinis?|swim\w*|lingerie|bras?|underwear|panties|thongs?|stockings|corsets?|bodysuits?|nightwear|rash\s?guard\w*|"
    r"silk|lace|cotton|noi y|do lot)\b"
)
_PLAINLY = re.compile(
    r"\b(?:nud\w+|naked\w*|topless|sex\w*|erotic\w*|porn\w*|bed(?:room)?|(?:pre)?school\w*|class\s?(?:room|mate)s?|"
    r"uniform|teacher|homework|shower|bath(?:room)?|virgin|young\w*|little|tiny)\b"
)
"""What is said of persons, not of goods."""


def of_goods(text: str) -> bool:
    """Whether a text is of clothes that nobody has on, so that a number in it is a size, a price or a quality."""
    return _GOODS.search(text) is not None and not names_somebody(text) and _PLAINLY.search(text) is None


def otherwise(text: str) -> bool:
    """Whether a text says such an age; of whom is not asked."""
    if _OTHERWISE.search(text) is not None:
        return True
    return _OF_GOODS_TOO.search(text) is not None and not of_goods(text)
