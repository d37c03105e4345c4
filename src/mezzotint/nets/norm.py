"""Normalisation without learned weights: statistics in float32, few passes over the activations."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_EPS = 1e-5


def inverse_norm(x: Tensor, dim: int = -1) -> Tensor:
    """1 / max(||x||, 1e-5) along ``dim``, which stays as an axis of 1; float32 (float64 for float64).

    Times a scale in the dtype of x it normalises x in two passes.  Differentiable to any order, forward and reverse.
    """
    plain = not (x.requires_grad and torch.is_grad_enabled())
    # Entering a Function costs more than the norm of a small picture; the compiler derives a better one by itself.
    if plain or torch.compiler.is_compiling():
        return _inverse_norm(x, dim)
    r: Tensor = _InverseNorm.apply(x, dim)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return r


def _inverse_norm(x: Tensor, dim: int) -> Tensor:
    wide = torch.promote_types(x.dtype, torch.float32)
    norm: Tensor = torch.linalg.vector_norm(x, dim=dim, keepdim=True, dtype=wide)
    return norm.clamp_min(_EPS).reciprocal()


def unit(x: Tensor, scale: float, dim: int = -1) -> Tensor:
    """x at norm ``scale`` along ``dim``, dtype of x; scale = sqrt(size) is RMS normalisation."""
    return x * (inverse_norm(x, dim) * scale).to(x.dtype)


def normalise(x: Tensor, norm: str) -> Tensor:
    """RMS ("rms") or layer ("layer") normalisation over the last axis, without weights."""
    d = x.shape[-1]
    return F.layer_norm(x, (d,)) if norm == "layer" else unit(x, math.sqrt(d))


def gain_of(scale: Tensor, norm: str) -> Tensor:
    """1 + scale for :func:`modulate`, from scale (*, d); for "rms" times sqrt(d), the ratio of norm and RMS."""
    return (1 + scale) * (math.sqrt(scale.shape[-1]) if norm == "rms" else 1.0)


def modulate(x: Tensor, gain: Tensor, shift: Tensor, norm: str) -> Tensor:
    """(1 + scale) norm(x) + shift with gain = gain_of(scale): constants live in the small factors."""
    normed = F.layer_norm(x, x.shape[-1:]) if norm == "layer" else x * inverse_norm(x).to(x.dtype)
    return torch.addcmul(shift, normed, gain)


class _InverseNorm(torch.autograd.Function):
    """dr = -r^3 x . dx: one pass back where the derivative of a norm takes three."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dim: int) -> Tensor:
        return _inverse_norm(x, dim)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)
        ctx.dim = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, r = ctx.saved_tensors
        return (grad * r**3).neg().to(x.dtype) * x, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        x, r = ctx.saved_tensors
        dot = (x * tangent).sum(ctx.dim, keepdim=True, dtype=r.dtype)
        out: Tensor = -(r**3) * dot
        return out
