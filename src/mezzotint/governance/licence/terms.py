"""The terms of a licence: what each kind says, and the words it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Words:
    """Where a term stands.   quote: verbatim.  verified: whether someone read it there; else the term never loosens."""

    quote: str
    clause: str
    source: str
    retrieved: date
    verified: bool = True


@dataclass(frozen=True)
class CommercialUse:
    """Whether each purpose is granted: trade, a company's tests outside production, research; "silent" is not said."""

    value: str
    testing: str
    research: str


@dataclass(frozen=True)
class RevenueCap:
    """The grant ends at (inclusive) or above (exclusive) a revenue a year.   counts: you, or you+affiliates."""

    amount: Decimal
    currency: str
    boundary: str
    counts: str = "you+affiliates"


@dataclass(frozen=True)
class UserCap:
    """The same by users or visits a month.   only_if: image_core_business, or "" where nobody is exempt."""

    metric: str
    amount: Decimal
    boundary: str
    only_if: str = ""


@dataclass(frozen=True)
class Territory:
    """Countries without a grant.   applies_to: weights, outputs."""

    exclude: tuple[str, ...]
    applies_to: tuple[str, ...]


@dataclass(frozen=True)
class Registration:
    """Trade needs a registration with the steward."""

    url: str


@dataclass(frozen=True)
class Attribution:
    """A text or a credit that must be shown."""

    text: str
    when: str


@dataclass(frozen=True)
class NoticeFile:
    """A text that copies must carry."""

    text: str
    when: str


@dataclass(frozen=True)
class FlowDown:
    """What recipients must get or be bound to: license_copy, use_restrictions."""

    what: str
    when: str


@dataclass(frozen=True)
class UsePolicy:
    """Uses that are forbidden.   categories: content flags that deny at once."""

    categories: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True)
class Outputs:
    """Who owns what is made; whether it may be used in trade; whether other models may learn from it."""

    ownership: str
    commercial: str
    train_other_models: str


@dataclass(frozen=True)
class Derivatives:
    """What binds a fine-tune, adapter or merge (lora) and a distilled model (distil): free, same_terms, denied."""

    lora: str
    distil: str
    naming: str = ""


@dataclass(frozen=True)
class DeployerDuty:
    """Something that whoever runs the model must do.   any_of: safeguards one of which does it."""

    id: str
    text: str
    any_of: tuple[str, ...]
    when: str
    due: str


@dataclass(frozen=True)
class Contradiction:
    """Clauses that say opposite things on trade; a person must decide."""

    terms: tuple[str, ...]


Body = (
    CommercialUse
    | RevenueCap
    | UserCap
    | Territory
    | Registration
    | Attribution
    | NoticeFile
    | FlowDown
    | UsePolicy
    | Outputs
    | Derivatives
    | DeployerDuty
    | Contradiction
)

KINDS: dict[str, type[Body]] = {
    "commercial_use": CommercialUse,
    "revenue_cap": RevenueCap,
    "user_cap": UserCap,
    "territory": Territory,
    "registration": Registration,
    "attribution": Attribution,
    "notice_file": NoticeFile,
    "flow_down": FlowDown,
    "use_policy": UsePolicy,
    "outputs": Outputs,
    "derivatives": Derivatives,
    "deployer_duty": DeployerDuty,
    "contradiction": Contradiction,
}
EXAMINED = tuple(kind for kind in KINDS if kind != "contradiction")
"""Every record says something of each of these, or that the text is silent."""


@dataclass(frozen=True)
class Term:
    """One term with its words."""

    kind: str
    body: Body
    words: Words
