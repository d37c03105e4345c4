"""Years that are of a guarantee or of a shop: "2 yrs guarantee", "toko bikini sudah 10 tahun"."""

from __future__ import annotations

import re

_OF_GOODS = re.compile(
    r"\b(?:garansi|jaminan|waranti|warranty|guaranteed?|garantiya|bảo hành|bao hanh|toko|kedai|shop|store)\b|"
    r"รับประกัน|ประกัน|เปิดมา|ร้าน|保修|质保|"
    r"\bsudah\b"
)
_OF_SOMEBODY = re.compile(
    r"\b(?:old|gulang|umur|berumur|usia|berusia|edad|aged?|girls?|boys?|child\w*|kids?|teen\w*|minors?|students?|models?|pupils?|"
    r"daughters?|sons?|she|he|dia|gadis|anak|bocah|siswi|siswa|pelajar|murid|budak|remaja|cewek|cowok|perempuan|bata|batang|"
    r"babae\w*|dalaga)\b|อายุ|วัย|เด็ก|นักเรียน|สาว|นางแบบ|หนู|[岁歲]|வயது|வயசு|ขวบ"
)
"""Words of an age or of a person, in whose clause years are theirs."""
_CLAUSES = re.compile(r"[,.;:|!?，。；：！？、]")
_YEARS = re.compile(r"\d\s*(?:yrs?|tahun|thn|taong?|ปี)$")
"""Units that are not of ages alone."""
NEAR = 40
"""Letters on each side that are read, of the same clause."""


def is_guaranteed(found: re.Match[str]) -> bool:
    """Whether a number with years is of a guarantee or of a shop, and no word beside it is of a person."""
    if not _YEARS.search(found.group()):
        return False
    text = found.string
    before = _CLAUSES.split(text[max(0, found.start() - NEAR) : found.start()])[-1]
    after = _CLAUSES.split(text[found.end() : found.end() + NEAR])[0]
    clause = before + found.group() + after
    return _OF_GOODS.search(clause) is not None and _OF_SOMEBODY.search(clause) is None
