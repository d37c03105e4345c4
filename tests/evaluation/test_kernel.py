"""The kernel distance: the formula by loops, unbiased, and an interval that holds what it should."""

import pytest
import torch

from mezzotint.errors import UsageError
from mezzotint.evaluation import kernel
from mezzotint.evaluation.kernel import LEAST, kernel_distance, squared_mmd


def rows(n, seed, shift=0.0, d=6):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def by_loops(a, b):
    def k(x, y):
        return (float(x @ y) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    aa = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    bb = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return aa + bb - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


@pytest.mark.parametrize("held", [3, 1024])
def test_it_is_the_formula_in_pieces_of_any_size(monkeypatch, held):
    monkeypatch.setattr(kernel, "ROWS", held)
    a, b = rows(9, 0), rows(7, 1, 0.3)
    assert squared_mmd(a, b).value == pytest.approx(by_loops(a, b), rel=1e-10)


def test_its_error_is_the_jackknife_s():
    a, b = rows(9, 0), rows(7, 1, 0.3)
    found = squared_mmd(a, b)
    less_a = torch.tensor([by_loops(torch.cat([a[:i], a[i + 1 :]]), b) for i in range(9)])
    less_b = torch.tensor([by_loops(a, torch.cat([b[:i], b[i + 1 :]])) for i in range(7)])
    variance = 8 * less_a.var(correction=0) + 6 * less_b.var(correction=0)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * float(variance.sqrt()), rel=1e-6)


def test_it_is_unbiased_where_a_biased_estimate_is_not():
    found = torch.tensor([squared_mmd(rows(20, 2 * s), rows(15, 2 * s + 1)).value for s in range(400)])
    assert abs(float(found.mean())) < 3 * float(found.std()) / 20


def test_nineteen_intervals_of_twenty_hold_the_truth():
    shift = 0.4
    truth = squared_mmd(rows(6000, 900, shift), rows(6000, 901)).value
    found = [squared_mmd(rows(150, 2 * s, shift), rows(120, 2 * s + 1)) for s in range(200)]
    held = sum(e.low <= truth <= e.high for e in found) / len(found)
    assert 0.88 <= held <= 0.99


def test_few_pictures_are_refused():
    with pytest.raises(UsageError, match=f"needs {LEAST} reference pictures, got 199"):
        kernel_distance(rows(LEAST, 0), rows(199, 1))
    assert kernel_distance(rows(LEAST, 0), rows(LEAST, 1)).n == LEAST
