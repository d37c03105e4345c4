"""Disguises of strong phrases of several words, and of strong terms of every language, are undone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from evasions import EVASIONS, OUT_OF_SCOPE
from prompt_texts import BENIGN, PLAIN

from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.term import Term
from mezzotint.governance.safety.prompt.words import MARKS, Decision

LATIN = ("en", "fil", "id", "ms", "vi")
DENSE = ("ta", "th", "zh")
LEAST = 0.9


def _each(disguise: Callable[[str], str]) -> Callable[[str], str]:
    return lambda phrase: " ".join(disguise(word) for word in phrase.split())


PHRASES: Mapping[str, Callable[[str], str]] = {
    **{name: disguise for name, disguise in EVASIONS.items() if name not in OUT_OF_SCOPE},
    "without spaces": lambda w: w.replace(" ", ""),
    "each word spaced": _each(EVASIONS["spaced"]),
    "each word's vowel": _each(EVASIONS["first vowel"]),
    "each word swapped": _each(EVASIONS["swapped"]),
    "a sentence without spaces": lambda w: f"a photo of {w} on a table".replace(" ", ""),
}
SCRIPTLESS = ("homoglyph", "tags")
"""Look-alikes and tags are of Latin letters."""
IN_DENSE = ("plain", "spaced", "dotted", "zero width", "reversed", "right to left", "base64", "hexadecimal", "percent")


@cache
def lists() -> Gate:
    return load(Policy(meaning="off"))


@cache
def strong(language: str, words: bool) -> tuple[Term, ...]:
    """Strong terms of a language; of several words, or of a script without spaces."""
    terms = (t for t in lists().lexicon.terms if t.language == language and t.severity == "strong")
    found = {t.text: t for t in terms if t.category not in MARKS and t.dense != words}
    return tuple(t for t in found.values() if t.dense or len(t.tokens) > 1)


def decided(text: str) -> Decision:
    return lists().check([Text("prompt", text)]).decision


def blocked(terms: tuple[Term, ...], disguise: Callable[[str], str]) -> list[str]:
    """Those that are not."""
    texts = {t.text: f"a photo of {disguise(t.text.rstrip('*'))} on a table" for t in terms}
    return [word for word, text in texts.items() if decided(text) != Decision.BLOCK]


@pytest.mark.parametrize("name", sorted(PHRASES))
@pytest.mark.parametrize("language", LATIN)
def test_a_disguise_hides_no_strong_phrase(language: str, name: str) -> None:
    if language != "en" and name in SCRIPTLESS:
        pytest.skip("of Latin letters without marks alone")
    terms = strong(language, True)[:: 3 if language == "en" else 1]
    if name == "a sentence without spaces":
        terms = tuple(t for t in terms if sum(map(len, t.tokens)) >= 8 and not t.accented)
    missed = blocked(terms, PHRASES[name])
    assert len(missed) <= (1 - LEAST) * len(terms), missed


@pytest.mark.parametrize("name", IN_DENSE)
@pytest.mark.parametrize("language", DENSE)
def test_a_disguise_hides_no_strong_term_of_a_script_without_spaces(language: str, name: str) -> None:
    terms = strong(language, False)
    missed = blocked(terms, EVASIONS[name])
    assert len(missed) <= (1 - LEAST) * len(terms), missed


@pytest.mark.parametrize(
    "text",
    [
        "อายุ ๒๕ ปี เกิด พ.ศ. 2530",
        "亚麻大衣",
        "一片黄色的花",
        "爱做饭的老人",
        "石头阴影",
        "双人食用油套装",
        "激光脱毛仪",
        "枕头乳胶",
        "可爱性格的狗",
        "社交性的宠物",
        "nothinggg on the table",
        "a soooo long list of clothes",
        "self-harmony",
        "a carbon bomber jacket",
        "50% off, what a job!",
        "n*w shoes on s*le",
        "bear bodied jug",
        "a bus from Essex to Scunthorpe and Clitheroe",
        "#NewYorkFashionWeekStreetStyle",
        "uncharacteristically internationalization",
        "a l l  i n  o n e",
        "hoa hồng và nước hoa trên bàn gỗ",
    ],
)
def test_what_only_looks_like_a_disguise_is_none(text: str) -> None:
    assert decided(text) == Decision.ALLOW


def test_plain_prompts_of_every_language_stay_plain() -> None:
    plain = [text for some in (BENIGN, PLAIN) for texts in some.values() for text in texts]
    assert [text for text in plain if decided(text) != Decision.ALLOW] == []


@pytest.mark.parametrize("word", ["裸体", "โป๊เปลือย", "நிர்வாணமாக", "khỏa thân"])
def test_bytes_in_code_are_read_in_every_script(word: str) -> None:
    """The vowel signs of Thai and Tamil are no letters to a pattern, and two Chinese letters are a word."""
    assert decided(base64.b64encode(word.encode()).decode()) == Decision.BLOCK
