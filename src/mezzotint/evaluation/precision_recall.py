"""How good single pictures are, and how much of the data they cover: two numbers where a Fréchet distance has one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.evaluation.estimate import Estimate, mean_of, share_of
from mezzotint.evaluation.neighbours import distances, radii

NEIGHBOURS = 5
"""The one that sets a ball's radius."""


@dataclass(frozen=True)
class Fidelity:
    """Shares, higher is better; density may pass 1.  k is the number of neighbours that sets a ball's radius.

    precision, recall: Kynkäänniemi et al., 2019, Improved Precision and Recall Metric, eq. 1-2.
    density, coverage: Naeem et al., 2020, Reliable Fidelity and Diversity Metrics, eq. 4-5.
    """

    k: int
    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def fidelity(generated: Tensor, real: Tensor, k: int = NEIGHBOURS) -> Fidelity:
    r"""All four from features of generated (M, D) and real (N, D) pictures.

    With :math:`B(z)` the ball around z that reaches its k-th nearest neighbour in its own set: precision is the share
    of generated pictures in some real ball, recall the share of real ones in some generated ball, density the mean
    number of real balls around a generated picture over k,
    coverage the share of real balls that hold a generated picture.
    They depend on M and N: compare at equal numbers.  The intervals are of the pictures that are counted: generated
    ones for precision and density, real ones for recall and coverage.  Raises UsageError when a set has k pictures or
    fewer.
    """
    around_real, around_generated = radii(real, k), radii(generated, k)
    inside, covered = [], torch.zeros(len(real), dtype=torch.bool)
    for d in distances(generated, real):
        hits = d <= around_real
        inside.append(hits.sum(1))
        covered |= hits.any(0)
    recalled = [(d <= around_generated).any(1) for d in distances(real, generated)]
    counts = torch.cat(inside).double()
    return Fidelity(
        k,
        precision=share_of(counts > 0),
        recall=share_of(torch.cat(recalled)),
        density=mean_of(counts / k),
        coverage=share_of(covered),
    )
