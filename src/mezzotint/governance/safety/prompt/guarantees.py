"""Years that are of a guarantee or of a shop: "2 yrs guarantee", "toko bikini sudah 10 tahun"."""

from __future__ import annotations

import re

_SOMEBODY = re.compile(
    r"\b(?:old|gulang|umur|berumur|usia|berusia|edad|age[ds]?|girls?|boys?|child\w*|kids?|teen\w*|minors?|students?|models?|"
    r"pupils?|daughters?|sons?|she|he|(?<!for )(?:her|his|him)|dia|gadis|anak|bocah|siswi|siswa|"
    r"pelajar|murid|budak|remaja|cewek?|cowok?|perempuan|adik|adek|abg|pakai|memakai|pake|wears|wearing|pos(?:e[ds]?|ing)|"
    r"bata|batang|babae\w*|dalaga|(?:woman|man|lady)(?!['’]s)|"
    r"female|male|selfie|sister|brother|lolita|model(?:o|ka)|hoc sinh|nu sinh|be gai|be trai|"
    r"co gai|co be|em gai|nguoi mau)\b|"
    r"อายุ|วัย|เด็ก|นักเรียน|สาว|นางแบบ|หนู|น้อง|สวม|ใส่(?!สบาย)|[岁歲]|孩|学生|學生|少女|少年|模特|儿童|兒童|வயது|வயசு|ขวบ|"
    r"சிறுமி|சிறுவன்|குழந்தை|மாணவி|பெண்"
)
"""Words of an age or of a person, in whose text years are theirs; not of an audience, as "women's" and "wanita" are."""
_WARRANTY = r"(?:garansi|jaminan|waranti|warranty|guarantee|garantiya|bảo hành|bao hanh)"
_BEFORE = re.compile(
    rf"(?:\b{_WARRANTY}(?:\s+resmi)?(?:\s+(?:of|for|selama))?|\bguaranteed\s+for|รับประกัน|ประกัน|เปิดมา|保修|质保)\s*:?\s*$"
)
"""Right before a number."""
_AFTER = re.compile(rf"[\s-]*(?:(?:of|limited|manufacturer|full)\s+)?{_WARRANTY}\b|\s*(?:รับประกัน|保修|质保)")
"""Right after its unit."""
_SHOP = re.compile(r"\b(?:toko|kedai|shop|store)\b.*\b(?:sudah|berdiri|buka|open|opened)(?:\s+(?:for|selama))?\s*$")
_CLAUSES = re.compile(r"[,.;:|!?，。；：！？、]")
_YEARS = re.compile(r"\d\s*(?:yrs?|tahun|thn|taong?|ปี)\s*$")
"""Units that are not of ages alone."""
NEAR = 40
"""Letters before a number in which a shop is looked for, of the same clause."""


def names_somebody(text: str) -> bool:
    """Whether a text has a word for a person, for wearing something, or for an age."""
    return _SOMEBODY.search(text) is not None


def is_guaranteed(found: re.Match[str]) -> bool:
    """Whether a number with years is of a guarantee or of a shop, and no word of the text is of a person."""
    if not _YEARS.search(found.group()) or names_somebody(found.string):
        return False
    before = found.string[max(0, found.start() - NEAR) : found.start()]
    beside = _BEFORE.search(before) or _AFTER.match(found.string, len(found.string[: found.end()].rstrip()))
    return bool(beside) or _SHOP.search(_CLAUSES.split(before)[-1]) is not None
