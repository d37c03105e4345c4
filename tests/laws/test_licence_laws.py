"""The laws of the licence engine: neither a component more nor a worse fact ever loosens; what is not known is never
allowed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from licence_case import LIBRARY, SHOP, TODAY, found, signatures

from mezzotint.governance.licence.components import EVIDENCE, SURE, Component
from mezzotint.governance.licence.facts import Facts
from mezzotint.governance.licence.library import index
from mezzotint.governance.licence.money import Money, Rate
from mezzotint.governance.licence.words import ACTIONS, DELIVERIES, PLACES, ROLES, SAFEGUARDS, STAGES, USES, Decision

IDS = sorted(index())
CODES = ("SG", "ID", "DE", "GB", "KR", "US", "PR", "RE")
FLAGS = ("military", "surveillance", "illegal", "medical_advice", "undermine_china")
CONDITIONS = ("attribution", "notice_file", "license_copy", "use_restrictions", "use_policy", "derivative_terms")


def some(of: tuple[str, ...] | list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(list(of)), unique=True, max_size=4).map(tuple)


amounts = st.sampled_from([0, 999_999, 1_000_000, 1_000_001, 9_999_999, 10_000_000, 20_000_001, 10**12])
moneys = st.builds(Money, amounts.map(Decimal), st.sampled_from(["USD", "EUR", "XXX"]))
counts = st.none() | st.sampled_from([0, 1_000_000, 1_000_001, 100_000_001, 700_000_001])
codes = st.frozensets(st.sampled_from(CODES), max_size=3)
signed = st.sampled_from([{}, signatures(), signatures(TODAY.replace(year=2025))])
rates = st.sampled_from([{}, {"EUR": Rate(Decimal("1.1"), TODAY)}])
facts = st.builds(
    Facts,
    use=st.none() | st.sampled_from(USES), stage=st.sampled_from(STAGES),
    delivery=st.none() | st.sampled_from(DELIVERIES), actions=some(ACTIONS), revenue=st.none() | moneys,
    affiliates_included=st.none() | st.booleans(), mau=counts, muu=counts, visits=counts,
    image_core_business=st.none() | st.booleans(), territories=st.dictionaries(st.sampled_from(PLACES), codes),
    safeguards=st.none() | some(SAFEGUARDS), registrations=some(IDS), paid=some(IDS), met=some(CONDITIONS),
    content_flags=some(FLAGS), rates=rates, signed=signed, today=st.just(TODAY),
)  # fmt: skip
components = st.builds(
    Component,
    role=st.sampled_from(ROLES),
    name=st.sampled_from(["one", "two"]),
    licences=st.lists(st.sampled_from(IDS), unique=True, max_size=2).map(tuple),
    evidence=st.sampled_from(sorted(EVIDENCE)),
    note=st.sampled_from(["", "look"]),
)
many = st.lists(components, min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(many, components, facts)
def test_a_component_more_never_loosens(parts: list[Component], more: Component, said: Facts) -> None:
    less, all_of_it = found(said, *parts), found(said, *parts, more)
    assert all_of_it.decision >= less.decision
    assert set(less.blocking) <= set(all_of_it.blocking)
    assert less.refusal is None or all_of_it.refusal is not None


@settings(max_examples=200, deadline=None)
@given(many, facts, st.randoms(use_true_random=False))
def test_the_order_of_components_says_nothing(parts: list[Component], said: Facts, random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(said, *parts).decision == found(said, *shuffled).decision


def worse(said: Facts, code: str, flag: str, action: str, factor: int) -> list[Facts]:
    """The same facts with one more of the bad kind each."""
    grown = None if said.revenue is None else replace(said.revenue, amount=said.revenue.amount * factor + 1)
    counted = {"mau": said.mau, "muu": said.muu, "visits": said.visits}
    there = {place: said.territories[place] | {code} for place in said.territories if said.territories[place]}
    return [
        replace(said, territories=there),
        replace(said, content_flags=(*said.content_flags, flag)),
        replace(said, actions=(*said.actions, action)),
        replace(said, revenue=grown),
        *(replace(said, **{m: n * factor + 1}) for m, n in counted.items() if n is not None),
        replace(said, registrations=()), replace(said, paid=()), replace(said, met=()), replace(said, signed={}),
        *([] if said.safeguards is None else [replace(said, safeguards=())]),
    ]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(many, facts, st.sampled_from(CODES), st.sampled_from(FLAGS), st.sampled_from(ACTIONS), st.integers(1, 1000))
def test_a_worse_fact_never_loosens(
    parts: list[Component], said: Facts, code: str, flag: str, action: str, factor: int
) -> None:
    before = found(said, *parts)
    for after in worse(said, code, flag, action, factor):
        now = found(after, *parts)
        assert now.decision >= before.decision
        assert before.refusal is None or now.refusal is not None


@settings(max_examples=200, deadline=None)
@given(many, facts)
def test_what_is_not_sure_is_never_allowed(parts: list[Component], said: Facts) -> None:
    verdict = found(said, *parts)
    unsure = any(one.evidence not in SURE or len(one.licences) != 1 for one in parts)
    drafts = any(LIBRARY.need(i, "").review.status == "draft" for p in parts for i in p.licences)
    if unsure or (drafts and not said.signed):
        assert verdict.decision >= Decision.UNKNOWN and verdict.refusal is not None


@pytest.mark.parametrize("id", IDS)
def test_a_term_that_nobody_read_never_loosens(id: str) -> None:
    record = LIBRARY.need(id, "")
    if any(not term.words.verified for term in record.terms) or record.unexamined:
        for said in (SHOP, replace(SHOP, use="evaluation", stage="evaluation", delivery="internal")):
            assert found(said, id).decision >= Decision.UNKNOWN


@settings(max_examples=200, deadline=None)
@given(many, facts, st.sampled_from(["use", "delivery", "revenue", "affiliates_included", "mau", "muu", "visits"]))
def test_a_fact_less_is_never_allowed_where_it_was_needed(parts: list[Component], said: Facts, name: str) -> None:
    """What is allowed without a fact is allowed whatever the fact."""
    without = found(replace(said, **{name: None}), *parts)
    if without.decision <= Decision.ALLOWED_WITH_CONDITIONS:
        assert found(said, *parts).decision <= Decision.ALLOWED_WITH_CONDITIONS
