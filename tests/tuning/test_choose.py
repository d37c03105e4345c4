"""The moment that is kept follows the stated rule, on evidence made by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mezzotint.evaluation.estimate import Estimate
from mezzotint.tuning.choose import RULE, choose, overstepped
from mezzotint.tuning.evidence import ADHERENCE, DRIFT, Evidence


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value, 16)


def moment(
    fidelity: float = 0.5, adherence: float = 1.0, drift: float = 1.0, copies: float = 0.0, painted: float = 1.0
) -> Evidence:
    shares = exactly(adherence), exactly(painted)
    return Evidence(exactly(fidelity), exactly(0.1), None, *shares, exactly(drift), exactly(copies))


def before(adherence: float, painted: float) -> Evidence:
    """Of a base."""
    return Evidence(exactly(0.2), None, None, exactly(adherence), exactly(painted), None, exactly(0.0))


BASE = before(0.9, 0.9)
SHARES = st.integers(0, 16).map(lambda k: k / 16)
MOMENTS = st.dictionaries(
    st.integers(1, 1000),
    st.builds(moment, st.floats(-1, 1), SHARES, st.floats(0, 10), SHARES, SHARES),
    min_size=1,
    max_size=8,
)


def holds(one: Evidence, base: Evidence) -> bool:
    """The rule as it is stated, said again."""
    assert one.drift is not None
    prompts = all(getattr(one, k).value >= 0.8 * getattr(base, k).value for k in ("adherence", "painted"))
    return prompts and one.drift.value <= 1.5 and one.copies.value == 0


@given(MOMENTS, st.builds(before, SHARES, SHARES))
def test_the_moment_kept_never_oversteps_where_another_does_not(found: dict[int, Evidence], base: Evidence) -> None:
    kept, sound = choose({0: base, **found}), {step for step, one in found.items() if holds(one, base)}
    assert kept.step in found and kept.kept == bool(sound)
    if sound:
        assert kept.step in sound
        assert found[kept.step].fidelity.value == max(found[step].fidelity.value for step in sound)
    else:
        assert overstepped(found[kept.step], base) == min(overstepped(one, base) for one in found.values())


def test_the_most_like_the_photographs_of_those_that_hold() -> None:
    found = {1: moment(0.3), 2: moment(0.6), 3: moment(0.9, copies=0.1), 4: moment(0.95, drift=1.6)}
    assert choose({0: BASE, **found}).step == 2
    found = {1: moment(0.3), 2: moment(0.9, adherence=0.71), 3: moment(0.5, adherence=0.72)}
    assert choose({0: BASE, **found}).step == 3  # 0.72 is 80 % of the base's 0.9
    found = {1: moment(0.3), 2: moment(0.9, painted=0.71), 3: moment(0.5, painted=0.72)}
    assert choose({0: BASE, **found}).step == 3


def test_where_none_holds_the_least_overstepped_is_kept_and_it_is_said() -> None:
    kept = choose({0: BASE, 1: moment(drift=4.0), 2: moment(drift=2.0), 3: moment(copies=1.0)})
    assert kept.step == 2 and not kept.kept and "no moment holds to all of the rule" in kept.why


def test_the_rule_names_its_numbers() -> None:
    assert f"{ADHERENCE:.0%}" == "80%" in RULE and f"drift at most {DRIFT:g}" in RULE
