"""Muon: averaged gradients of matrices with their singular values made nearly equal, in the number format that is fast.

Jordan, 2024, Muon: An optimizer for hidden layers in neural networks, https://kellerjordan.github.io/posts/muon/;
Liu et al., 2025, Muon is Scalable for LLM Training, eq. 4.  ``torch.optim.Muon`` computes the same in bfloat16 alone,
which on a processor without instructions for it takes twenty times as long as float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

ROUNDS, COEFFICIENTS = 5, (3.4445, -4.775, 2.0315)
"""Of the iteration, and of its quintic."""

MOMENTUM, SMALLEST = 0.95, 1e-7
"""Of the averaged gradient (Nesterov's); the norm that a gradient is divided by at least."""


def orthogonal(x: Tensor, dtype: torch.dtype) -> Tensor:
    r"""U S' V^T of a matrix (m, n) = U S V^T, S' between 0.7 and 1.2 where S is not tiny; computed in ``dtype``.

    :math:`X \leftarrow aX + (b XX^T + c (XX^T)^2) X` on X of norm 1, ROUNDS times (Newton-Schulz).
    """
    a, b, c = COEFFICIENTS
    x = x.to(dtype)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / x.norm().clamp(min=SMALLEST)
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """w <- (1 - rate decay) w - 0.2 sqrt(max(m, n)) rate orthogonal(momentum), for matrices (m, n) alone.

    The factor gives a step the root mean square of AdamW's (Liu et al., eq. 4).   dtype: of ``orthogonal``.
    State of a matrix: "momentum_buffer", as torch's Muon names it.
    """

    def __init__(
        self, groups: Sequence[Mapping[str, Any]], rate: float, weight_decay: float, dtype: torch.dtype
    ) -> None:
        super().__init__([dict(group) for group in groups], {"lr": rate, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, p.grad, group["lr"], group["weight_decay"])

    def _move(self, p: Tensor, gradient: Tensor, rate: float, decay: float) -> None:
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient, memory_format=torch.preserve_format)
        average = state["momentum_buffer"].lerp_(gradient, 1 - MOMENTUM)
        turned = orthogonal(gradient.lerp(average, MOMENTUM), self._dtype)
        p.mul_(1 - rate * decay).add_(turned, alpha=-0.2 * math.sqrt(max(p.shape)) * rate)
