"""What a kind of network's two layouts differ in: names, tensors that one has as one and the other as several, halves
in the other order, axes exchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mezzotint.pretrained.keymaps.names import Module


@dataclass(frozen=True)
class Fused:
    """One tensor there, several here, along its first axis.

    width: rows of each but the last, which has the rest.
    """

    theirs: str
    ours: tuple[str, ...]
    width: int


@dataclass(frozen=True)
class Layout:
    """modules: renamed by path.  fused: one there, several here.  loose: tensors that are no module's, theirs -> ours.
    swapped: theirs whose two halves come in the other order here.  transposed: theirs that lie the other way around.
    one_by_one: theirs that are convolutions of one pixel there and linear here.
    """

    modules: tuple[Module, ...]
    fused: tuple[Fused, ...] = ()
    loose: Mapping[str, str] = field(default_factory=dict)
    swapped: frozenset[str] = frozenset()
    transposed: frozenset[str] = frozenset()
    one_by_one: frozenset[str] = frozenset()


def fused(theirs: str, ours: str, names: Iterable[str], width: int) -> tuple[Fused, Fused]:
    """A linear layer there, ``names`` under the path ``ours`` here: its weight and its bias."""
    paths = tuple(f"{ours}.{name}" if ours else name for name in names)
    weight, bias = (
        Fused(f"{theirs}.{kind}", tuple(f"{path}.{kind}" for path in paths), width) for kind in ("weight", "bias")
    )
    return weight, bias


def both(*paths: str) -> frozenset[str]:
    """The weight and the bias of layers."""
    return frozenset(f"{path}.{kind}" for path in paths for kind in ("weight", "bias"))
