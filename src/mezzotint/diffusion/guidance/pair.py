"""The two answers that guidance compares: how they are asked for, and how they are merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level, expand
from mezzotint.errors import UsageError

Scale = float | Tensor
"""A guidance scale: one number, or (B,) where the rows of a batch differ."""

Ask = Callable[[Denoiser, Tensor, Level, Cond, Cond], tuple[Posterior, Posterior]]
"""(denoiser, x, level, cond, weak cond) -> (strong, weak): ``apart``, ``together`` or ``sharing``."""


class Rule(Protocol):
    """Merges a strong and a weak answer: (strong, weak, scale, x (B, *), level) -> Posterior.  Scale 1 gives strong."""

    def __call__(self, strong: Posterior, weak: Posterior, scale: Scale, x: Tensor, level: Level) -> Posterior: ...


class Contrast(Protocol):
    """A denoiser that is the merge of two answers: ``Guided`` or ``Autoguided``."""

    def pair(self, x: Tensor, level: Level, cond: Cond) -> tuple[Posterior, Posterior]: ...
    def merge(self, strong: Posterior, weak: Posterior, x: Tensor, level: Level) -> Posterior: ...


def extrapolate(weak: Tensor, strong: Tensor, scale: Scale) -> Tensor:
    """weak + scale (strong - weak), to the bit weak at 0 and strong at 1; (B, *), summed in float32 at least."""
    if not isinstance(scale, Tensor):
        return torch.lerp(weak, strong, scale)
    wide = torch.promote_types(strong.dtype, torch.float32)
    return torch.lerp(weak.to(wide), strong.to(wide), expand(scale.to(wide), strong)).to(strong.dtype)


def linear(strong: Posterior, weak: Posterior, scale: Scale, x: Tensor, level: Level) -> Posterior:
    r"""The plain rule, :math:`u + s\,(c - u)`: s = 1 is off, Stable Diffusion's 7.5 is s.

    Ho & Salimans, 2022, Classifier-Free Diffusion Guidance, eq. 6, with s = 1 + w.
    """
    return replace(strong, mean=extrapolate(weak.mean, strong.mean, scale))


def without(cond: Cond, null: Cond, batch: int) -> Cond:
    """The conditioning with ``null`` in the place of its names; null values of one row serve the whole batch."""
    return {**cond, **{k: v.expand(batch, *v.shape[1:]) if v.shape[0] == 1 else v for k, v in null.items()}}


def apart(denoiser: Denoiser, x: Tensor, level: Level, cond: Cond, weak: Cond) -> tuple[Posterior, Posterior]:
    """Two calls of batch B.  Always possible: the two conditionings may differ in length, wrappers may hold B rows."""
    return denoiser(x, level, cond), denoiser(x, level, weak)


def together(denoiser: Denoiser, x: Tensor, level: Level, cond: Cond, weak: Cond) -> tuple[Posterior, Posterior]:
    """One call of batch 2B: cheaper where small batches do not fill the device.

    Equal to ``apart`` within the tolerance that a network keeps between batch shapes.  The denoiser must hold no
    per-row state of its own (``Inpainted`` and the like go outside).  Raises UsageError when names or shapes of the
    conditionings differ.
    """
    b = len(x)
    return _halves(denoiser(torch.cat((x, x)), _twice(level, b), _doubled(cond, weak)), b)


def sharing(denoiser: Denoiser, x: Tensor, level: Level, cond: Cond, weak: Cond) -> tuple[Posterior, Posterior]:
    """``together`` for a network that takes x (B, *) once with conditions of 2B rows, and computes what it is not told
    of them once for both.

    Raises UsageError as ``together``.
    """
    return _halves(denoiser(x, level, _doubled(cond, weak)), len(x))


def _doubled(cond: Cond, weak: Cond) -> Cond:
    """Both, one after the other, (2B, *)."""
    for name in cond.keys() | weak.keys():
        if name not in cond or name not in weak or cond[name].shape != weak[name].shape:
            raise UsageError(
                f"the two conditionings differ in {name!r} and cannot share a batch; use apart for together"
            )
    return {k: torch.cat((cond[k], weak[k])) for k in cond}


def _twice(level: Level, batch: int) -> Level:
    def rows(a: Tensor) -> Tensor:
        return a if a.ndim == 0 else torch.cat([a.expand(batch, *a.shape[1:])] * 2)

    return Level(rows(level.alpha), rows(level.sigma), None if level.index is None else rows(level.index))


def _halves(doubled: Posterior, b: int) -> tuple[Posterior, Posterior]:
    return _half(doubled, slice(0, b)), _half(doubled, slice(b, 2 * b))


def _half(p: Posterior, rows: slice) -> Posterior:
    return Posterior(p.mean[rows], None if p.logvar is None else p.logvar[rows], None if p.eps is None else p.eps[rows])
