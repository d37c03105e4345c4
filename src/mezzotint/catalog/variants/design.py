"""Which combinations of levels are made: all, or a balanced part of them.

A part has every level of a factor nearly as often as every other (counts differ by 1 at most), and pairs of levels of
two factors as evenly as exchanges can have them, so that the effects of factors are not confounded.
Li & Wu, 1997, Columnwise-Pairwise Algorithms with Applications to the Construction of Supersaturated Designs: levels of
a column are exchanged, which keeps its balance, while that makes pairs more even.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product
from math import lcm, prod

Run = tuple[int, ...]
"""The number of a level for each factor."""

STARTS, TRIES, WORK = 4, 400, 40_000
"""How often it begins anew; exchanges from each beginning, fewer where there are many runs and factors."""


def design(levels: Sequence[int], runs: int | None, seed: int) -> list[tuple[Run, int]]:
    """(combination, number of its copy, from 0) of each variant.

    levels: how many each factor has.   runs: None is every combination once; more than there are combinations makes
    copies of all, then a part.
    """
    whole = prod(levels)
    wanted = whole if runs is None else runs
    copies, rest = divmod(wanted, whole)
    if not levels:
        return [((), copy) for copy in range(wanted)]
    every = list(product(*map(range, levels))) if copies else []
    part = fraction(levels, rest, seed) if rest else []
    return [(run, copy) for copy in range(copies) for run in every] + [(run, copies) for run in part]


def fraction(levels: Sequence[int], runs: int, seed: int) -> list[Run]:
    """A balanced part of all combinations, no combination twice.   The best of some starts."""
    generator = random.Random(seed)
    parts = [_improved(_start(levels, runs, generator), generator) for _ in range(STARTS)]
    best = min(range(STARTS), key=lambda k: _unevenness(parts[k]))
    return sorted(parts[best])


def _start(levels: Sequence[int], runs: int, generator: random.Random) -> list[list[int]]:
    """A balanced column for each factor, no combination twice; levels that come once more are the first ones.

    With N the number of combinations of the factors before, the level of one with n levels in run j is
    j + floor((j mod Nn) / lcm(N, n)) mod n: in every block of lcm(N, n) runs each comes equally often, and the blocks
    are shifted against each other until each combination before has come with all n.
    """
    columns, before = [list[int]() for _ in levels], 1
    for factor in generator.sample(range(len(levels)), len(levels)):
        n, block = levels[factor], lcm(before, levels[factor])
        before *= n
        columns[factor] = [(j + j % before // block - runs % before // block) % n for j in range(runs)]
    return columns


def _improved(columns: list[list[int]], generator: random.Random) -> list[Run]:
    """Levels exchanged within columns, at random, where pairs become no less even."""
    runs, width = len(columns[0]), len(columns)
    best = _unevenness(list(zip(*columns, strict=True)))
    for _ in range(min(TRIES, WORK // (runs * width)) if width > 1 else 0):
        column, i, j = generator.choice(columns), generator.randrange(runs), generator.randrange(runs)
        if column[i] == column[j]:
            continue
        column[i], column[j] = column[j], column[i]
        now = _unevenness(list(zip(*columns, strict=True)))
        if now > best:
            column[i], column[j] = column[j], column[i]
        best = min(best, now)
    return list(zip(*columns, strict=True))


def _unevenness(runs: Sequence[Run]) -> tuple[int, int]:
    """(runs that are there twice, the sum of squares of how often each pair of levels is there)."""
    twice = len(runs) - len(set(runs))
    width = len(runs[0])
    counts = (Counter((run[a], run[b]) for run in runs) for a, b in combinations(range(width), 2))
    return twice, sum(n * n for count in counts for n in count.values())


def balance(columns: Sequence[Sequence[int]], levels: Sequence[int]) -> list[int]:
    """Of each factor, by how much the counts of its levels differ."""
    counted = [Counter(column) for column in columns]
    return [max(c[k] for k in range(n)) - min(c[k] for k in range(n)) for c, n in zip(counted, levels, strict=True)]
