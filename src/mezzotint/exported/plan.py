r"""A solver on a grid as numbers: what each network call is fed, and what the picture is, as sums of what came before.

Every solver here is linear in the denoiser's answers and in the noise, so that call j of a trajectory is fed

.. math:: y_j = a_j\, y_{j-1} + \sum_k c_{jk}\, \hat x_{0,k} + \sum_d n_{jd}\, z_d, \qquad
          \hat x_{0,j} = c_{skip} y_j + c_{out} F(c_{in} y_j, c_{noise}, y)

with z_d the noise of draw d; the end is one more such sum.  ``solved`` finds the coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import ModelError

State = NDArray[np.float32]
"""(B, *)."""

Term = tuple[int, float]
"""(which answer or draw, its coefficient)."""


@dataclass(frozen=True)
class Sum:
    """carry: of the state of the call before.  answers: (number of the call, coefficient) each.  draws: (draw,
    coefficient) each."""

    carry: float
    answers: tuple[Term, ...]
    draws: tuple[Term, ...]


@dataclass(frozen=True)
class Call:
    """One call of the network.

    state: what it is fed.  skip, out, inp, noise: of the parametrisation (``diffusion.parametrisation.Coeffs``).
    """

    state: Sum
    skip: float
    out: float
    inp: float
    noise: float


@dataclass(frozen=True)
class Program:
    """A trajectory: its calls in order, and the state at its end."""

    calls: tuple[Call, ...]
    end: Sum

    @property
    def reach(self) -> int:
        """How many of the latest answers any sum needs."""
        sums = [call.state for call in self.calls]
        lags = [j - k for j, s in enumerate([*sums, self.end]) for k, _ in s.answers]
        return max(lags, default=1)


@dataclass(frozen=True)
class Way:
    """One way to sample a stage, by the words that choose it.

    names, grids: every name of the solver that means this one, and of its grid.  qualities: the presets that it is.
    solver, grid, levels_sha256: as receipts say them.  scale: the preset's guidance.
    """

    names: tuple[str, ...]
    grids: tuple[str, ...]
    qualities: tuple[str, ...]
    steps: int
    scale: float
    solver: Mapping[str, Any]
    grid: Mapping[str, Any]
    levels_sha256: str
    program: Program

    @property
    def learned(self) -> bool:
        """Whether its solver was fitted, for its number of steps alone."""
        return bool(self.solver["name"] == "learned")


Answer = Callable[[State, Call], State]
"""(y (B, *), the call) -> the denoiser's answer x0 (B, *)."""

Draw = Callable[[int], State]
"""Number of a draw -> its noise (B, *)."""


def total(terms: Sequence[tuple[float, State]]) -> State:
    """The sum of c x; terms of 0 are not read."""
    made: State | None = None
    for c, x in terms:
        made = np.multiply(x, np.float32(c)) if made is None else made + np.multiply(x, np.float32(c))
    assert made is not None
    return made


def walk(program: Program, answer: Answer, draw: Draw) -> Iterator[State]:
    """The trajectory: each call's state, then the end, (B, *) each.

    Of the answers only those are kept that a later sum needs.
    """
    answers: dict[int, State] = {}
    y: State | None = None
    for j, call in enumerate(program.calls):
        y = summed(call.state, y, answers, draw)
        yield y
        answers[j] = answer(y, call)
        answers.pop(j - program.reach, None)
    yield summed(program.end, y, answers, draw)


def summed(said: Sum, before: State | None, answers: Mapping[int, State], draw: Draw) -> State:
    """One sum; (B, *)."""
    carried = [] if before is None or said.carry == 0 else [(said.carry, before)]
    told = [(c, answers[k]) for k, c in said.answers]
    return total([*carried, *told, *((c, draw(d)) for d, c in said.draws)])


def to_json(way: Way) -> dict[str, Any]:
    """As a JSON value."""
    return asdict(way)


def from_json(value: Any) -> Way:
    """The inverse.  Raises ModelError for another value."""
    try:
        program = Program(tuple(_call(c) for c in value["program"]["calls"]), _sum(value["program"]["end"]))
        lists = {name: tuple(value[name]) for name in ("names", "grids", "qualities")}
        return Way(**{**value, **lists, "program": program})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the plan is damaged ({error!r}); export the model again") from error


def _call(value: Any) -> Call:
    return Call(**{**value, "state": _sum(value["state"])})


def _sum(value: Any) -> Sum:
    return Sum(float(value["carry"]), _terms(value["answers"]), _terms(value["draws"]))


def _terms(value: Any) -> tuple[Term, ...]:
    return tuple((int(k), float(c)) for k, c in value)
