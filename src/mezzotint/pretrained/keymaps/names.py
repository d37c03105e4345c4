"""Renaming that can be undone: modules by their path, then the names inside of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Pairs = Sequence[tuple[str, str]]
"""(theirs, ours) each."""


@dataclass(frozen=True)
class Module:
    """A module's path in the original layout and in diffusers', and the names inside, the longest first; what is not
    listed is called the same."""

    theirs: str
    ours: str
    inside: tuple[tuple[str, str], ...] = ()


def renamed(key: str, modules: Mapping[str, Module], *, back: bool = False) -> str | None:
    """A key's other name, None for one that is in none of the modules.

    modules: by their paths in the layout that the key is of.  back: from diffusers' to the original.
    """
    parts = key.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = modules.get(".".join(parts[:cut]))
        if module is not None:
            target = module.theirs if back else module.ours
            return f"{target}.{_inside('.'.join(parts[cut:]), module, back)}"
    return None


def _inside(rest: str, module: Module, back: bool) -> str:
    for theirs, ours in module.inside:
        old, new = (ours, theirs) if back else (theirs, ours)
        if rest == old or rest.startswith(f"{old}."):
            return new + rest[len(old) :]
    return rest


def both_ways(modules: Sequence[Module]) -> tuple[dict[str, Module], dict[str, Module]]:
    """(by the original path, by diffusers')."""
    return {m.theirs: m for m in modules}, {m.ours: m for m in modules}
