"""What each kind of term means for the facts: the strictness, and what is to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mezzotint.governance.licence.facts import Facts
from mezzotint.governance.licence.money import Money, above
from mezzotint.governance.licence.terms import (
    Attribution,
    CommercialUse,
    Contradiction,
    DeployerDuty,
    Derivatives,
    FlowDown,
    NoticeFile,
    Outputs,
    Registration,
    RevenueCap,
    Term,
    Territory,
    UsePolicy,
    UserCap,
)
from mezzotint.governance.licence.territory import countries
from mezzotint.governance.licence.verdict import Condition
from mezzotint.governance.licence.words import Decision

OUTSIDE = ("hosted_service", "weights_redistributed", "embedded_product")
"""Deliveries by which others use the model itself."""

COPIES = ("weights_redistributed", "embedded_product")
"""Deliveries by which others get the weights."""


@dataclass(frozen=True)
class Finding:
    """A term's answer.   code: stable.   condition: what is to be done."""

    decision: Decision
    code: str
    text: str
    condition: Condition | None = None


@dataclass(frozen=True)
class Asked:
    """The facts, and the licence that a term is of."""

    facts: Facts
    licence: str

    def met(self, id: str) -> str:
        """Whether a condition is said to be met: yes or unknown."""
        said = set(self.facts.met)
        return "yes" if {id, f"{self.licence}:{id}"} & said else "unknown"

    @property
    def paid(self) -> bool:
        return self.licence in self.facts.paid


def _needed(id: str, text: str, met: str, due: str) -> Finding:
    return Finding(Decision.ALLOWED_WITH_CONDITIONS, id, text, Condition(id, text, met, due))


def _missing(what: str, how: str) -> Finding:
    return Finding(Decision.UNKNOWN, f"{what}_missing", f"{what.replace('_', ' ')} is not known; {how}")


def _contract(asked: Asked, otherwise: Finding) -> Finding:
    """A refusal of the public licence, where a paid one is held: that contract governs, and a person knows it."""
    if not asked.paid:
        return otherwise
    return _needed("paid_licence", "the paid licence that is declared governs: keep to its terms", "yes", "with_use")


def _commercial(body: CommercialUse, asked: Asked) -> Finding | None:
    answers = {"commercial": body.value, "testing": body.testing, "research": body.research}
    purpose = asked.facts.purpose
    found = {answers[purpose]} if purpose else set(answers.values())
    if len(found) > 1:
        return _missing("use", "say --use, --stage and --delivery, or use in [licence] of mezzotint.toml")
    answer = found.pop()
    what = f"{purpose or 'any'} use"
    if answer == "denied":
        denied = Finding(Decision.DENIED, "purpose_denied", f"{what} is not granted")
        return _contract(asked, denied) if purpose == "commercial" else denied
    return Finding(Decision.UNKNOWN, "purpose_silent", f"{what} is not spoken of") if answer == "silent" else None


def _revenue(body: RevenueCap, asked: Asked) -> Finding | None:
    facts, cap = asked.facts, Money(body.amount, body.currency)
    if facts.revenue is None:
        return _missing("revenue", "say --revenue, or revenue in [licence] of mezzotint.toml")
    over = above(facts.revenue, cap, body.boundary, facts.rates, facts.today)
    if over:
        edge = "reaches" if body.boundary == "inclusive" else "is above"
        denied = Finding(Decision.DENIED, "revenue_cap", f"a revenue of {facts.revenue} {edge} {cap} a year")
        return _contract(asked, denied)
    if over is None:
        how = "give a rate of the last 92 days in [licence.rates] of mezzotint.toml, or the revenue in that currency"
        return Finding(Decision.UNKNOWN, "revenue_near", f"{facts.revenue} against {cap} is not sure: {how}")
    if body.counts == "you+affiliates" and not facts.affiliates_included:
        return _missing("affiliates_included", "their revenue counts too: affiliates_included in [licence]")
    return None


def _users(body: UserCap, asked: Asked) -> Finding | None:
    facts = asked.facts
    if body.only_if and facts.image_core_business is False:
        return None
    counts = {"mau": facts.mau, "muu": facts.muu, "visits": facts.visits}
    count = counts[body.metric]
    if count is None:
        return _missing(body.metric, f"{body.metric} in [licence] of mezzotint.toml: the largest of any month")
    if not (count >= body.amount if body.boundary == "inclusive" else count > body.amount):
        return None
    if body.only_if and facts.image_core_business is None:
        return _missing("image_core_business", "whether making pictures is your business, in [licence]")
    denied = Finding(Decision.DENIED, "user_cap", f"{count:,} {body.metric} a month are above {body.amount:,}")
    return _contract(asked, denied)


def _territory(body: Territory, asked: Asked) -> Finding | None:
    facts, barred = asked.facts, countries(body.exclude, "record")
    places = ["organisation", "servers"] if "weights" in body.applies_to else []
    if facts.delivery != "internal" or "outputs" in body.applies_to:
        places += ["end_users"]
    places += ["recipients"] if "outputs" in body.applies_to else []
    hit = {place: sorted(facts.territories.get(place, frozenset()) & barred) for place in places}
    if any(hit.values()):
        named = ", ".join(f"{place.replace('_', ' ')} in {', '.join(codes)}" for place, codes in hit.items() if codes)
        return Finding(Decision.DENIED, "territory", f"not granted in {', '.join(body.exclude)}: {named}")
    if not all(facts.territories.get(place) for place in places):
        return _missing("territory", "say --territory, or territory in [licence] of mezzotint.toml")
    return None


def _registration(body: Registration, asked: Asked) -> Finding | None:
    if asked.facts.purpose not in ("commercial", None):
        return None
    met = "yes" if asked.licence in asked.facts.registrations else "no"
    where = f" at {body.url}" if body.url else ""
    return _needed(
        "registration", f"register with the steward{where}, then name it in registrations", met, "before_use"
    )


def _begins(when: str, facts: Facts) -> bool | None:
    """Whether a duty has begun; None is not known."""
    if when == "always":
        return True
    if facts.delivery is None:
        return None
    if when == "share":
        return facts.delivery != "internal"
    return facts.delivery in (OUTSIDE if when == "service" else COPIES)


def _duty(id: str, text: str, when: str, asked: Asked) -> Finding | None:
    begins = _begins(when, asked.facts)
    if begins is None:
        return _missing("delivery", "say --delivery, or delivery in [licence] of mezzotint.toml")
    due = "before_use" if when in ("always", "service") else "release"
    return _needed(id, text, asked.met(id), due) if begins else None


def _attribution(body: Attribution, asked: Asked) -> Finding | None:
    return _duty("attribution", f"show: {body.text}", body.when, asked)


def _notice(body: NoticeFile, asked: Asked) -> Finding | None:
    return _duty("notice_file", f"copies carry a notice: {body.text}", body.when, asked)


def _flow(body: FlowDown, asked: Asked) -> Finding | None:
    texts = {"license_copy": "recipients get a copy of the licence"}
    bound = "your terms of service bind recipients to the licence's use restrictions"
    return _duty(body.what, texts.get(body.what, bound), body.when, asked)


def _policy(body: UsePolicy, asked: Asked) -> Finding | None:
    flagged = sorted(set(body.categories) & set(asked.facts.content_flags))
    if flagged:
        return Finding(Decision.DENIED, "use_policy", f"its use policy forbids {', '.join(flagged)}")
    where = f" at {body.url}" if body.url else ""
    return _needed("use_policy", f"keep to its use restrictions{where}", asked.met("use_policy"), "with_use")


def _outputs(body: Outputs, asked: Asked) -> Finding | None:
    facts = asked.facts
    learning = "train_on_outputs" in facts.actions and body.train_other_models != "free"
    found = [_training(body.train_other_models, asked)] if learning else []
    if facts.purpose in ("commercial", None) and body.commercial == "denied":
        unsure = Finding(Decision.UNKNOWN, "outputs_denied", "outputs may not be used in trade; say --use")
        denied = Finding(Decision.DENIED, "outputs_denied", "what it makes may not be used in trade or production")
        found.append(_contract(asked, denied) if facts.purpose else unsure)
    return max(found, key=lambda one: one.decision, default=None)


def _training(answer: str, asked: Asked) -> Finding:
    text = "other models may not learn from what it makes"
    if answer == "denied":
        return Finding(Decision.DENIED, "train_on_outputs", text)
    if answer == "silent":
        return Finding(Decision.UNKNOWN, "train_on_outputs", "whether models may learn from its outputs is not said")
    return _needed(
        "derivative_terms",
        "what learns from its outputs stays under its terms",
        asked.met("derivative_terms"),
        "release",
    )


def _derivatives(body: Derivatives, asked: Asked) -> Finding | None:
    tuned, distilled = bool({"lora", "fine_tune", "merge"} & set(asked.facts.actions)), "distil" in asked.facts.actions
    answers = {*([body.lora] if tuned else []), *([body.distil] if distilled else [])} - {"free"}
    if "denied" in answers:
        return Finding(Decision.DENIED, "derivatives_denied", "changed versions are not granted")
    named = f", named {body.naming}" if body.naming else ""
    text = f"what is made of it stays under its terms{named}"
    return _needed("derivative_terms", text, asked.met("derivative_terms"), "release") if answers else None


def _deployer(body: DeployerDuty, asked: Asked) -> Finding | None:
    begins = _begins(body.when, asked.facts)
    if begins is None:
        return _missing("delivery", "say --delivery, or delivery in [licence] of mezzotint.toml")
    if not begins:
        return None
    held = asked.facts.safeguards
    met = "unknown" if held is None else "yes" if set(held) & set(body.any_of) else "no"
    how = f"; then name one of {', '.join(body.any_of)} in safeguards"
    return _needed(body.id, f"{body.text}{how}", met, body.due)


def _contradiction(body: Contradiction, asked: Asked) -> Finding | None:
    if asked.facts.purpose in ("testing", "research"):
        return None
    text = f"{' and '.join(body.terms)} say opposite things; counsel must decide"
    return Finding(Decision.UNKNOWN, "contradiction", text)


RULES: dict[str, Callable[[Any, Asked], Finding | None]] = {
    "commercial_use": _commercial,
    "revenue_cap": _revenue,
    "user_cap": _users,
    "territory": _territory,
    "registration": _registration,
    "attribution": _attribution,
    "notice_file": _notice,
    "flow_down": _flow,
    "use_policy": _policy,
    "outputs": _outputs,
    "derivatives": _derivatives,
    "deployer_duty": _deployer,
    "contradiction": _contradiction,
}


def applied(term: Term, asked: Asked) -> Iterable[Finding]:
    """What a term gives; one that nobody verified gives ``unknown`` beside, so that it never loosens."""
    found = RULES[term.kind](term.body, asked)
    if found is not None:
        yield found
    if not term.words.verified:
        yield Finding(Decision.UNKNOWN, "unverified", f"nobody has read the {term.kind.replace('_', ' ')} in the text")
