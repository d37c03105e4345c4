"""What a codec is: the only place, beside a state's shape, that knows the modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from mezzotint.errors import InputError


class Codec(Protocol):
    """Data <-> state: ``encode`` (B, *data) -> (B, *shape), ``decode`` back.

    Laws: decode(encode(x)) is x, to the codec's stated tolerance; encode's answer has ``shape``; a row depends on
    itself alone.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample's state."""
        ...

    def encode(self, data: Tensor) -> Tensor: ...
    def decode(self, state: Tensor) -> Tensor: ...


def check_rows(kind: str, x: Tensor, shape: tuple[int, ...]) -> None:
    """Raises InputError unless x is (B, *shape)."""
    if tuple(x.shape[1:]) != shape or x.ndim != len(shape) + 1:
        raise InputError(f"{kind}: expected (B, {', '.join(map(str, shape))}), got {tuple(x.shape)}; resize it first")


@dataclass(frozen=True)
class Identity:
    """Data that is its own state: vectors, points, embeddings."""

    shape: tuple[int, ...]

    def encode(self, data: Tensor) -> Tensor:
        check_rows("data", data, self.shape)
        return data

    def decode(self, state: Tensor) -> Tensor:
        check_rows("state", state, self.shape)
        return state


@dataclass(frozen=True)
class Vector:
    """A vector (B, width) as the state (B, 1, width) of a one-dimensional network."""

    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, self.width)

    def encode(self, data: Tensor) -> Tensor:
        check_rows("vectors", data, (self.width,))
        return data[:, None]

    def decode(self, state: Tensor) -> Tensor:
        check_rows("state", state, self.shape)
        return state[:, 0]
