"""Denoisers that remember: each trajectory begins with a memory of its own, so that no other can reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class Remembering:
    """A denoiser whose answers may depend on what it was asked before in the same trajectory.

    make: one with an empty memory.  Called as it is, outside of a trajectory, it remembers nothing.
    """

    make: Callable[[], Denoiser]

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        return self.make()(x, level, cond)


def begun(denoiser: Denoiser) -> Denoiser:
    """The denoiser of one trajectory: every ``Remembering`` in it, however deep in guidance, with a memory of its own.

    One that holds none is given back as it is.
    """
    if isinstance(denoiser, Remembering):
        return denoiser.make()
    made: Denoiser = _within(denoiser)
    return made


def _holding(part: object) -> bool:
    """Whether it may hold denoisers in its fields: what wraps them, guidance above all, is a dataclass."""
    return is_dataclass(part) and callable(part)


def _within(whole: Any) -> Any:
    """The same with every denoiser in its fields begun."""
    parts = {f.name: getattr(whole, f.name) for f in fields(whole) if f.init} if _holding(whole) else {}
    anew = {name: begun(part) for name, part in parts.items() if _holding(part)}
    changed = {name: part for name, part in anew.items() if part is not parts[name]}
    return replace(whole, **changed) if changed else whole
