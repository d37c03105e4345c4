"""What a network is, as data: frozen, comparable, JSON-safe (see :mod:`mezzotint.nets.build`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mezzotint.errors import ModelError


@dataclass(frozen=True)
class TextConfig:
    """Token states (B, L, dim) as conditioning.

    mode: "in_context" puts the projected tokens in front of the picture's; "cross" adds cross-attention to each block.
    length: the L that :func:`mezzotint.nets.flops` counts; any L runs.
    """

    dim: int
    mode: Literal["in_context", "cross"] = "cross"
    length: int = 77

    def __post_init__(self) -> None:
        _check_one_of("text mode", self.mode, ("in_context", "cross"))


@dataclass(frozen=True)
class DiTConfig:
    """A diffusion transformer on a state (in_channels, *size).

    dims: number of spatial axes, 1, 2 or 3.   patch: tokens are patch ** dims, or one number an axis.
    mlp_ratio: hidden width of the gated MLP over ``width`` (8/3 costs as much as a plain MLP of 4), rounded to 32.
    num_classes: labels 0 ... num_classes - 1, null = num_classes; None = no labels.
    position: "rope" is relative alone; "rope+absolute" adds waves of the coordinates, as shares of the whole size.
    noise_range: lowest and highest frequency of the noise-level waves, cycles per unit of c_noise.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 1
    size: tuple[int, ...] = (28, 28)
    patch: int | tuple[int, ...] = 2
    width: int = 256
    depth: int = 8
    heads: int = 4
    mlp_ratio: float = 8 / 3
    norm: Literal["rms", "layer"] = "rms"
    num_classes: int | None = None
    text: TextConfig | None = None
    position: Literal["rope", "rope+absolute"] = "rope+absolute"
    rope_base: float = 100.0
    noise_range: tuple[float, float] = (1 / 64, 8.0)

    def __post_init__(self) -> None:
        _check_size(self.dims, self.size, self.patches)
        _check_one_of("norm", self.norm, ("rms", "layer"))
        _check_one_of("position", self.position, ("rope", "rope+absolute"))
        if self.width % self.heads or self.head_dim % 2:
            raise ModelError(
                f"DiTConfig: width {self.width} needs heads that divide it evenly, got {self.heads}; use 64 a head"
            )

    @property
    def patches(self) -> tuple[int, ...]:
        """Patch size of each axis."""
        return (self.patch,) * self.dims if isinstance(self.patch, int) else self.patch

    @property
    def grid(self) -> tuple[int, ...]:
        """Tokens along each axis at the configured size."""
        return tuple(n // p for n, p in zip(self.size, self.patches, strict=True))

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def hidden(self) -> int:
        """Hidden width of the gated MLP."""
        return max(32, 32 * round(self.mlp_ratio * self.width / 32))

    @property
    def tokens(self) -> int:
        """Tokens of the state at the configured size."""
        return math.prod(self.grid)


@dataclass(frozen=True)
class UNetConfig:
    """A magnitude-preserving U-Net on a state (in_channels, *size).

    width: channels at full size; multipliers: factor on it, one a resolution (each halves every axis of ``stride``).
    blocks: residual blocks a resolution; attention: indices of the resolutions with self-attention.
    stride: which axes shrink, one number (1 or 2) an axis; None = all by 2 (a video keeps its frames with (1, 2, 2)).
    balance: share of the new branch in each sum (0.3 in the paper); dropout: probability, in training alone.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 1
    size: tuple[int, ...] = (28, 28)
    width: int = 64
    multipliers: tuple[int, ...] = (1, 2, 2)
    blocks: int = 2
    attention: tuple[int, ...] = (2,)
    head_dim: int = 64
    num_classes: int | None = None
    text: TextConfig | None = None
    stride: tuple[int, ...] | None = None
    balance: float = 0.3
    dropout: float = 0.0
    noise_range: tuple[float, float] = (1 / 64, 8.0)

    def __post_init__(self) -> None:
        if set(self.strides) - {1, 2}:
            raise ModelError(f"UNetConfig: stride must be 1 or 2 on each axis, got {self.stride}")
        factor = tuple(s ** (len(self.multipliers) - 1) for s in self.strides)
        _check_size(self.dims, self.size, factor)
        for level in self.attention:
            if not 0 <= level < len(self.multipliers) or self.channels[level] % self.head_dim:
                raise ModelError(
                    f"UNetConfig: attention at level {level} needs a level below {len(self.multipliers)} whose "
                    f"channels are a multiple of head_dim {self.head_dim}; channels are {self.channels}"
                )
        if self.text is not None and (self.text.mode != "cross" or not self.attention):
            raise ModelError("UNetConfig: text needs mode 'cross' and a level with attention; it has no token context")

    @property
    def strides(self) -> tuple[int, ...]:
        """By how much each axis shrinks from one resolution to the next."""
        return (2,) * self.dims if self.stride is None else self.stride

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each resolution."""
        return tuple(self.width * m for m in self.multipliers)


def _check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ModelError(f"network config: {name} must be one of {', '.join(known)}, got {value!r}")


def _check_size(dims: int, size: tuple[int, ...], divisor: tuple[int, ...]) -> None:
    if dims not in (1, 2, 3) or len(size) != dims or len(divisor) != dims:
        raise ModelError(
            f"network config: dims must be 1, 2 or 3, size and patch one number an axis; got {dims}, {size}, {divisor}"
        )
    if any(n < 1 or p < 1 or n % p for n, p in zip(size, divisor, strict=True)):
        raise ModelError(
            f"network config: size {size} must be divisible by {divisor}; change the size, the patch or the levels"
        )
