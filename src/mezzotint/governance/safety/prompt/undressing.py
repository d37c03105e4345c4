"""English that takes somebody's clothes off, in more orders than a list can hold."""

from __future__ import annotations

import re

_OF_DOLLS = r"(?:baby|babies|kids?|childrens?|toddlers?|infants?|newborns?|dolls?)"
"""Whose clothes are goods: nobody's on whom they are."""
_WHOSE = (
    r"(?:\s+(?:all|of|her|his|their|its|the|any|every|a|(?!(?:doll|barbie|bear|mannequin)['’])\w+['’]s)){0,3}"
    rf"(?:\s+(?!{_OF_DOLLS}\b)\w+)?\s+"
)
_HERS = r"(?:her|his|their)(?:\s+own)?\s+(?:\w+\s+)?"
_GOODS = (
    r"(?![\s-]+(?:shoes?|boots?|hats?|hooks?|hangers?|pegs?|pins?|tags?|price|stains?|wrinkles|creases|lint|labels?|buttons?|"
    r"box(?:es)?|racks?|brands?|coat|knot|bun|piles?|stacks?|patterns?|layers?|lids?|shel(?:f|ves)|part|half|drawer|of|score|"
    r"note)\b)"
)
_BODY = (
    r"(?:\w+\s+)?(?:body|shoulders?|waist|hips|chest|legs?|girl|boy|child|kid|woman|man|person|model|student|teen\w*|"
    r"toddler|baby|photo|picture|image|figure|subject)\b"
)
_ELSEWHERE = rf"(?!\s+(?:from|out\s+of)\s+(?:the|a|an|its)\s+(?!{_BODY}))"
"""Clothes come from the closet and out of the puddle, too."""
_TOPS = r"(?:shirts?|t[\s-]?shirts?|tees?|tops?|dress(?:es)?|skirts?|blouses?|nightgown|nightie|uniform|robe)\b"
_LEGS = r"(?:pants|trousers|shorts|jeans|underwear|underpants|panties|knickers)"
_CLOTHES = (
    rf"(?:clothes|clothing|{_TOPS}|{_LEGS}|undies|bra|bikini|swimsuit|lingerie|pyjamas|pajamas|diapers?|napp(?:y|ies))\b"
    rf"{_GOODS}{_ELSEWHERE}"
)
_TAKE = r"(?:tak(?:e|es|en|ing)|took|pull(?:s|ed|ing)?|peel(?:s|ed|ing)?|tear(?:s|ing)?)"
_SLIP = r"(?:slip(?:s|ped|ping)?|rip(?:s|ped|ping)?)"
"""What is said of a dress and of jeans that are worn, too: somebody's must come off."""
_AWAY = (
    r"\s+off\b(?![\s-]*(?:white|(?:the\s+)?shoulder))"
    r"(?!\s+(?:of\s+)?(?:the|a|an)\s+(?:line|rack|hangers?|shelf|hook|rail|peg|jar|bottle|box)\b)"
)
_ANKLES = r"(?:(?:his|her|their|the)\s+)?(?:ankles?|knees?|thighs?|hips?|calves|feet|floor|shins?)\b"
_NO_LID = rf"(?!\s+(?:the|a)\s+tops?\s+off\s+(?:of\s+)?(?:the|a|an|his|her|its|their)\s+(?!{_BODY}))"
_DOWN = (
    rf"\s+(?:pulled\s+)?down\b(?![\s-]+(?:jackets?|coats?|vests?|pillows?|fill(?:ed|ing)?|insulat\w*|lined|lining|"
    rf"in\s+(?:price|size|cost)|by\s+\d|from|\d|to\s+(?!{_ANKLES})))"
)
"""Also what jackets are filled with, and where prices and stocks go."""
_LIFT = r"(?:lift|pull|hik|rais|roll|tug)(?:s|ed|es|ing)?"
_ONE = (
    r"(?:child|kid|toddler|pre-?teen|teen|teenager|tween|minor|girl|boy|schoolgirl|schoolboy|student|pupil|lad|lass|daughter|"
    r"son|nephew|niece|she|he)"
)
_BEFORE_SOMEBODY = (
    r"(?=\s*(?:$|[.,;:!?)]|(?:at|before|slowly|herself|himself|naked|nude|bare|by|while|"
    r"for\s+(?:the|a|her|his|him|you|me|us|camera)|(?:in|on)\s+(?:the|a|her|his|front|camera)|to\s+(?:her|his|the)|"
    r"out\s+of)\b))"
)
"""What follows a verb and no noun: "child strips of paper" are goods."""
_NO = r"(?:no|without)\s+(?:an?\s+|any\s+|her\s+|his\s+)?"
_WORN = rf"(?:shirt|top|t-shirt|dress|skirt|bra|clothes|bottoms|{_LEGS})\b"
_UNDRESSES = re.compile(
    rf"\b(?:{_TAKE}|{_SLIP})\s+off{_WHOSE}{_CLOTHES}|\b{_TAKE}{_NO_LID}{_WHOSE}{_CLOTHES}{_AWAY}|"
    rf"\b{_SLIP}\s+(?:her|his|their)(?:\s+\w+)?\s+{_CLOTHES}{_AWAY}|"
    rf"\bremov(?:e|es|ed|ing){_WHOSE}{_CLOTHES}|"
    rf"\b{_LIFT}\s+up\s+{_HERS}{_TOPS}{_GOODS}{_ELSEWHERE}|"
    rf"\b(?:lift|rais)(?:s|ed|es|ing)?\s+{_HERS}{_TOPS}{_GOODS}{_ELSEWHERE}|"
    rf"\b{_LIFT}\s+(?:{_HERS}|the\s+)?(?:shirt|t-shirt|dress|skirt|blouse)\s+(?:up|over|above)\b{_ELSEWHERE}|"
    rf"\b{_ONE}\s+(?:is\s+)?lift(?:s|ed|ing)\s+(?:up\s+)?{_TOPS}{_GOODS}{_ELSEWHERE}|"
    rf"\b(?:pull|push|drop)(?:s|ed|ping|ped|ing)?\s+(?:down\s+)?(?:her|his|their)\s+(?:\w+\s+)?"
    rf"{_LEGS}(?:\s+down)?\b{_ELSEWHERE}|"
    rf"\b{_LEGS}{_DOWN}|"
    rf"\b{_ONE}\s+(?:\w+ly\s+)?strips{_BEFORE_SOMEBODY}|"
    rf"\b{_NO}{_WORN}\s*(?:,\s*(?:and\s+|or\s+)?|and\s+|or\s+|nor\s+)(?:{_NO})?{_WORN}"
    r"(?!\s+(?:(?:is|are)\s+)?(?:included|needed|required|supplied)\b)"
)
_VERBS = (
    *(" off", "remov", "lift", "rais", "pull", "hik", "push", "drop", " down", "roll", "tug", " strips"),
    *("no ", "without "),
)
"""One of these stands in each of them."""


_DIAPER = re.compile(r"\b(?:diapers?|napp(?:y|ies))\b")
_CARE = re.compile(
    r"\b(?:mother|mom|mum|mommy|mummy|dad|daddy|father|parents?|nurse|midwife|nanny|grandmother|grandma|grandfather|"
    r"caregiver|chang(?:e|es|ed|ing)|bins?|pails?|disposal|mats?)\b"
)
_SHIRT = re.compile(r"\bhis\s+(?:own\s+)?(?:wet\s+|sandy\s+)?(?:t[\s-]?)?shirt\b")
_SWIMS = re.compile(
    r"\b(?:beach|seaside|pool|poolside|lake|river|swim|swims|swimming|waterpark|football|soccer|match)\b"
)
_TOP = re.compile(r"^(?!.*(?:\b(?:her|his|their|girls?|boys?|shirts?|pants)\b|['’]s\b)).*\b(?:tops?|skirts?)\b")
"""Nobody's by a word."""
_OBJECTS = re.compile(
    r"\b(?:dress\s+forms?|mannequins?|tailor['’]?s?\s+dumm(?:y|ies)|duvets?|quilts?|comforters?|"
    r"(?:toy|play)\s+kitchens?|lunch\s?box(?:es)?|jars?|markers?)\b"
)
"""What has a top and wears none."""
_MORE = re.compile(
    r"\b(?:camera|webcam|photo\s?shoot|selfie|bed|bedroom|hotel|motel|shower|posing|poses?|slowly|seduc\w*|"
    r"strip\w*|watch\w*|touch\w*|expos\w*|pants|trousers|shorts|trunks|underwear|underpants|everything|all|clothes|"
    r"skinny|bare|man|men|stranger|adult|alone)\b"
)
"""What makes more of it than care or the heat."""
_EVERYDAY = ((_DIAPER, _CARE), (_SHIRT, _SWIMS), (_TOP, _OBJECTS))


def undresses(text: str) -> bool:
    """Whether somebody does; whose clothes is not asked.  A diaper that is changed, a boy's shirt at the beach
    and the top of a thing are none, where nothing else is said."""
    if not any(verb in text for verb in _VERBS):
        return False
    if _MORE.search(text):
        return _UNDRESSES.search(text) is not None
    everyday = [clothes for clothes, when in _EVERYDAY if when.search(text)]
    return any(not any(one.search(found.group()) for one in everyday) for found in _UNDRESSES.finditer(text))
