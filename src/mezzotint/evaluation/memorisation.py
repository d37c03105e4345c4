"""Whether a model repeats its training pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.estimate import Estimate, share_of
from mezzotint.evaluation.neighbours import nearest

COPY_RATIO = 1 / 3
"""Below it the nearest training picture stands out so far from the second that the picture counts as a copy."""


@dataclass(frozen=True)
class Memorisation:
    """What the nearest neighbours of n generated pictures say.

    copies: share whose nearest picture of all that were learnt from is closer than COPY_RATIO of the second nearest: a
        ratio, for the nearest distance falls by itself where there are more.
        Yoon et al., 2023, Diffusion Probabilistic Models Generalize when They Fail to Memorize, sec. 3.
    nearer_train: share nearer to the training set than to a held-out set of the same size; 1/2 without memorising.
        Meehan, Chaudhuri & Dasgupta, 2020, A Non-Parametric Test to Detect Data-Copying, sec. 3, without the cells.
    nearest: the most suspicious pictures, (generated index, training index, ratio), ratio ascending.
    """

    n: int
    copies: Estimate
    nearer_train: Estimate
    nearest: tuple[tuple[int, int, float], ...]


def ratios(generated: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest over second-nearest training distance (M,), 0 for an exact copy, and the nearest one's index (M,)."""
    found, index = nearest(generated, train, 2)
    return found[:, 0] / found[:, 1].clamp(min=torch.finfo(found.dtype).tiny), index[:, 0]


def evenly(rows: Tensor, n: int) -> Tensor:
    """n of the rows, spread over all of them in their order."""
    return rows[torch.linspace(0, len(rows) - 1, n).round().long()]


def memorisation(
    generated: Tensor, train: Tensor, held_out: Tensor, show: int = 16, learnt: Tensor | None = None
) -> Memorisation:
    """Args: features, or pixels as rows: generated (M, D), train (N, D), held_out (N', D), N >= N'.   learnt: all that
    was learnt from (N'', D), in which copies are looked for; None is train.

    The two-set test uses N' training rows spread evenly over the training set, so that size favours neither.
    Raises UsageError when there is more held-out than training data, or fewer than two training rows.
    """
    if len(held_out) > len(train):
        raise UsageError(f"{len(held_out)} held-out samples, {len(train)} for training; expected no more held out")
    ratio, index = ratios(generated, train if learnt is None else learnt)
    nearer = nearest(generated, evenly(train, len(held_out)), 1)[0] < nearest(generated, held_out, 1)[0]
    worst = ratio.argsort()[:show].tolist()
    listed = tuple((i, int(index[i]), float(ratio[i])) for i in worst)
    return Memorisation(len(generated), share_of(ratio < COPY_RATIO), share_of(nearer), listed)
