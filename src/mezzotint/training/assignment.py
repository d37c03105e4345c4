"""Which noise goes to which sample of a batch: transport within it straightens what the network must learn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.training.task import Coupling


@dataclass(frozen=True)
class Assign(Coupling):
    r"""Reorders the noise of rows computed at once to minimise
    :math:`\sum_i \lVert x_{0,i}-\varepsilon_{\pi(i)}\rVert^2`.

    The marginal of eps stays.  Exact (scipy's linear_sum_assignment, Crouse, 2016); 5 ms for 256 rows.
    Li et al., 2024, Immiscible Diffusion, alg. 1;  Tong et al., 2024, Improving and Generalizing Flow-Based Generative
    Models with Minibatch Optimal Transport, sec. 3.

    Args: x0, eps: (B, *).  groups: (B,) or None; noise is exchanged only within rows of equal group (class labels):
        without that the pairing would leak the label into the noise.
    Returns: (B, *), a permutation of the rows of eps.
    """

    def __call__(self, x0: Tensor, eps: Tensor, groups: Tensor | None = None) -> Tensor:
        from scipy.optimize import linear_sum_assignment

        gain = (x0.flatten(1).float() @ eps.flatten(1).float().T).double().cpu()
        order = torch.arange(len(x0))
        for rows in _groups(order, groups):
            _, match = linear_sum_assignment(gain[rows][:, rows].numpy(), maximize=True)
            order[rows] = rows[torch.from_numpy(match)]
        return eps[order.to(eps.device)]


assign = Assign()


def _groups(order: Tensor, groups: Tensor | None) -> list[Tensor]:
    """The row numbers of each group; one list of all rows when there are no groups."""
    if groups is None:
        return [order.clone()]
    return [torch.nonzero(groups.cpu() == g).squeeze(1) for g in torch.unique(groups.cpu())]
