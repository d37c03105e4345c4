"""What a person should know of licences before anything is learnt, where no use is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mezzotint.governance.licence.ask import shelf_of
from mezzotint.governance.licence.components import EVIDENCE, Component
from mezzotint.governance.licence.facts import declared, told
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.parts import components_of
from mezzotint.governance.licence.terms import (
    Body,
    CommercialUse,
    Contradiction,
    Derivatives,
    Registration,
    RevenueCap,
    Term,
    UserCap,
)
from mezzotint.pretrained.system import System
from mezzotint.tuning.few import few

LIMITED = re.compile(r"\b(nc|nd)\b|non.?commercial|no.?deriv|research.?only")
"""In a licence's name, in small letters: not for trade, or not to be changed."""

BOUNDS = (RevenueCap, UserCap, Registration)
"""Terms that end a grant of trade, or make it wait."""

DENIED = "an adapter of it may not be used in trade, or not at all"
UNKNOWN = "it is not known to allow an adapter in trade"
BOUNDED = "it allows an adapter in trade only up to a cap, or after a registration"


def licence_notes(system: System, use: str | None) -> tuple[str, ...]:
    """Of every part of a system whose licence is not known to allow an adapter in trade, one line; nothing where a use
    is declared, which ``making.licensed`` gives a verdict on.   Raises InputError, UsageError for wrong facts or
    records."""
    said = declared()
    if told(said.facts, use=use).use is not None:
        return ()
    licence = system.card.licence
    if LIMITED.search(licence.lower()):
        return (f"{system.name} has the licence {licence}: {DENIED}",)
    shelf = shelf_of(said)
    return tuple(few(dict.fromkeys(_of(system.name, components_of(system, shelf), shelf.library))))


def _of(name: str, parts: Sequence[Component], library: Library) -> Iterator[str]:
    for part in parts:
        if why := withheld(part, library):
            said = " or ".join(part.licences or part.tags)
            known = f"the licence {said}" if said else "no licence that is known"
            yield f"{name}: {part.told} has {known}: {why}; `mezzotint licence` says more, --use declares a use"


def withheld(part: Component, library: Library) -> str:
    """Why a part is not known to allow an adapter in trade, "" where it is.  Raises InputError for a licence without a
    record."""
    if any(LIMITED.search(said.lower()) for said in (*part.licences, *part.tags)):
        return DENIED
    if len(part.licences) != 1:
        return f"{UNKNOWN} ({EVIDENCE[part.evidence]})"
    terms = library.need(part.licences[0], part.told).terms
    if any(_denies(term.body) for term in terms):
        return DENIED
    if not any(_grants(term) for term in terms) or any(isinstance(term.body, Contradiction) for term in terms):
        return UNKNOWN
    return BOUNDED if any(isinstance(term.body, BOUNDS) for term in terms) else ""


def _denies(body: Body) -> bool:
    """Trade, or adapters."""
    return (isinstance(body, CommercialUse) and body.value == "denied") or (
        isinstance(body, Derivatives) and body.lora == "denied"
    )


def _grants(term: Term) -> bool:
    """Trade, in words that someone read where they stand; adapters, where nothing is said of them, are no more."""
    return isinstance(term.body, CommercialUse) and term.body.value == "allowed" and term.words.verified
