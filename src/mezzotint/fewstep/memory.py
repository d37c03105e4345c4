"""Whether what the gradient needs of a whole trajectory fits into memory."""

from __future__ import annotations

import torch
from torch import Tensor

from mezzotint.diffusion.spread import ending_in_data
from mezzotint.fewstep.bases import bases
from mezzotint.fewstep.problem import Problem
from mezzotint.pretrained.memory import available

SHARE = 0.4
"""Of what is free, at most."""


def kept_bytes(problem: Problem, batch: int) -> int:
    """What one evaluation of a batch keeps for its gradient; the weights, kept anyway, are left out."""
    return batch * (_kept(problem, 2) - _kept(problem, 1))


def _kept(problem: Problem, rows: int) -> int:
    levels = ending_in_data(next(iter(bases(problem.schedule, 2).values())))
    some, total = list(problem.learnt[:rows]), 0

    def pack(t: Tensor) -> Tensor:
        nonlocal total
        total += t.untyped_storage().nbytes()
        return t

    x = problem.started(some, levels).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        problem.denoiser(x, levels[1], problem.cond(some))
    return total


def frugal(problem: Problem, calls: int, batch: int) -> bool:
    """Whether evaluations are computed twice rather than kept; their bits are the same."""
    free = available(problem.device)
    return free is not None and kept_bytes(problem, batch) * calls > SHARE * free
