"""A layer with a low-rank addition, learnt without the gradient of the layer's own weight."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def summed(weight: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
    """W + s B A in the format of W.   weight: (out, in).  down: A, (r, in).  up: B, (out, r)."""
    kind = weight.dtype
    return torch.addmm(weight, up.to(kind), down.to(kind), alpha=scale)


class _Thin(torch.autograd.Function):
    """y = x (W + s B A)^T + b.  With g the gradient of y, summed over all rows n:

    dx = g (W + s B A),  dB = s g^T (x A^T),  dA = s (g B)^T x;  W and b have none.

    One product of the layer's size each way where PEFT's three layers take one and two thin ones: the sum costs
    out x in x r, and a row of x out x in.  The sum is made again for the way back: kept, it would double the weights.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, down, up)
        ctx.scale = scale
        return F.linear(x, summed(weight, down, up, scale), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, None, None, Tensor, Tensor, None]:
        x, weight, down, up = ctx.saved_tensors
        rows, flat = (t.reshape(-1, t.shape[-1]) for t in (g, x))
        a, b = down.to(x.dtype), up.to(x.dtype)
        dx = g @ summed(weight, down, up, ctx.scale) if ctx.needs_input_grad[0] else None
        dup = ctx.scale * (rows.T @ (flat @ a.T)).to(up.dtype)
        ddown = ctx.scale * ((rows @ b).T @ flat).to(down.dtype)
        return dx, None, None, ddown, dup, None


def thin_linear(x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float) -> Tensor:
    """x (…, in) -> (…, out): ``F.linear`` with W + s B A, in the format of W.

    down: (r, in), up: (out, r), float32 or the format of W; only x, down and up get gradients.
    Hu et al., 2021, LoRA, eq. 3.
    """
    made: Tensor = _Thin.apply(x.to(weight.dtype), weight, bias, down, up, scale)  # type: ignore[no-untyped-call]
    return made
