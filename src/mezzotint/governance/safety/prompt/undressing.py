"""English that takes somebody's clothes off, in more orders than a list can hold."""

from __future__ import annotations

import re

_WHOSE = r"(?:\s+(?:all\s+)?(?:of\s+)?(?:her|his|their|its|the|all))?(?:\s+\w+)?\s+"
_CLOTHES = (
    r"(?:clothes|clothing|dress|blouse|skirt|pants|trousers|jeans|shorts|underwear|underpants|undies|bra|panties|knickers|"
    r"bikini|swimsuit|lingerie|nightgown|pyjamas|pajamas)\b"
)
_TAKE = r"(?:tak(?:e|es|en|ing)|took|pull(?:s|ed|ing)?|peel(?:s|ed|ing)?|tear(?:s|ing)?)"
_SLIP = r"(?:slip(?:s|ped|ping)?|rip(?:s|ped|ping)?)"
"""What is said of a dress and of jeans that are worn, too: somebody's must come off."""
_AWAY = r"\s+off\b(?![\s-]*(?:white|(?:the\s+)?shoulder))"
_DOWN = r"\s+(?:pulled\s+)?down\b(?!\s+(?:jacket|coat|vest|filled|to\s+(?!(?:his|her|their|the|ankles|knees)\b)))"
"""Also what jackets are filled with."""
_UNDRESSES = re.compile(
    rf"\b(?:{_TAKE}|{_SLIP})\s+off{_WHOSE}{_CLOTHES}|\b{_TAKE}{_WHOSE}{_CLOTHES}{_AWAY}|"
    rf"\b{_SLIP}\s+(?:her|his|their)(?:\s+\w+)?\s+{_CLOTHES}{_AWAY}|"
    rf"\bremov(?:e|es|ed|ing){_WHOSE}{_CLOTHES}|"
    rf"\b(?:lift|pull|hik|rais)(?:s|ed|es|ing)?\s+up\s+(?:her|his|their)\s+(?:\w+\s+)?(?:dress|skirt)\b|"
    rf"\b(?:lift|rais)(?:s|ed|es|ing)?\s+(?:her|his|their)\s+(?:\w+\s+)?(?:dress|skirt)\b|"
    rf"\b(?:pull|push|drop)(?:s|ed|ping|ped|ing)?\s+(?:down\s+)?(?:her|his|their)\s+(?:\w+\s+)?"
    rf"(?:pants|trousers|shorts|jeans|underwear|underpants|panties|knickers)(?:\s+down)?\b|"
    rf"\b(?:pants|trousers|shorts|jeans|underwear|underpants|panties|knickers){_DOWN}"
)
_VERBS = (" off", "remov", "lift", "rais", "pull", "hik", "push", "drop", " down")
"""One of these stands in each of them."""


def undresses(text: str) -> bool:
    """Whether somebody does; whose clothes is not asked."""
    return any(verb in text for verb in _VERBS) and _UNDRESSES.search(text) is not None
