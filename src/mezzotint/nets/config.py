"""What a network is, as data: frozen, comparable, JSON-safe (see :mod:`mezzotint.nets.build`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mezzotint.errors import ModelError
from mezzotint.pictures.factor import factor


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
    vector: length of the embedding it is told; None = none.
    position: "rope" is relative alone; "rope+absolute" adds waves of the coordinates, as shares of the whole size.
    rope_base, rope_step: how rotary positions turn, as ``rope.Turns`` has it.
    noise_range: lowest and highest frequency of the noise-level waves, cycles per unit of c_noise.
    overlap: in 2-D, pixels by which a token's square reaches over its neighbours', in and out; large patches have no
    seams then.
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
    vector: int | None = None
    text: TextConfig | None = None
    position: Literal["rope", "rope+absolute"] = "rope+absolute"
    rope_base: float = 100.0
    rope_step: float = 1.0
    noise_range: tuple[float, float] = (1 / 64, 8.0)
    overlap: int = 0

    def __post_init__(self) -> None:
        _check_size(self.dims, self.size, self.patches)
        _check_one_of("norm", self.norm, ("rms", "layer"))
        _check_one_of("position", self.position, ("rope", "rope+absolute"))
        if self.overlap and (self.dims != 2 or not 0 < self.overlap <= min(self.patches)):
            raise ModelError(
                f"DiTConfig: overlap {self.overlap} needs 2 axes and at most the patch, {min(self.patches)} pixels"
            )
        if not 0 < self.rope_step < math.inf:
            raise ModelError(f"DiTConfig: rope_step must be above 0, got {self.rope_step}")
        if self.width % self.heads or self.head_dim % 2:
            raise ModelError(
                f"DiTConfig: width {self.width} needs heads that divide it evenly, got {self.heads}; use 64 a head"
            )

    @property
    def patches(self) -> tuple[int, ...]:
        """Patch size of each axis."""
        return (self.patch,) * self.dims if isinstance(self.patch, int) else self.patch

    @property
    def windows(self) -> tuple[int, ...]:
        """What a token sees and says of each axis: its patch and the overlaps on both sides."""
        return tuple(p + 2 * self.overlap for p in self.patches)

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

    fold: in 2-D, cells of fold x fold pixels become channels at the door and pixels again at the end.
    width: channels at full (folded) size; multipliers: factor on it, one a resolution (each halves every axis of
    ``stride``).
    blocks: residual blocks a resolution; attention: indices of the resolutions with self-attention.
    middle: a transformer on the smallest resolution, patch 1, between encoder and decoder; its text is the network's.
    stride: which axes shrink, one number (1 or 2) an axis; None = all by 2 (a video keeps its frames with (1, 2, 2)).
    balance: share of the new branch in each sum (0.3 in the paper); dropout: probability, in training alone.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 1
    size: tuple[int, ...] = (28, 28)
    fold: int = 1
    width: int = 64
    multipliers: tuple[int, ...] = (1, 2, 2)
    blocks: int = 2
    attention: tuple[int, ...] = (2,)
    head_dim: int = 64
    num_classes: int | None = None
    vector: int | None = None
    text: TextConfig | None = None
    middle: DiTConfig | None = None
    stride: tuple[int, ...] | None = None
    balance: float = 0.3
    dropout: float = 0.0
    noise_range: tuple[float, float] = (1 / 64, 8.0)

    def __post_init__(self) -> None:
        if set(self.strides) - {1, 2}:
            raise ModelError(f"UNetConfig: stride must be 1 or 2 on each axis, got {self.stride}")
        if self.fold != 1 and self.dims != 2:
            raise ModelError(f"UNetConfig: fold {self.fold} needs 2 axes, this network has {self.dims}")
        _check_size(self.dims, self.size, self.factor)
        for level in self.attention:
            if not 0 <= level < len(self.multipliers) or self.channels[level] % self.head_dim:
                raise ModelError(
                    f"UNetConfig: attention at level {level} needs a level below {len(self.multipliers)} whose "
                    f"channels are a multiple of head_dim {self.head_dim}; channels are {self.channels}"
                )
        self._check_middle()
        if self.text is not None and (self.text.mode != "cross" or not self.attention):
            raise ModelError("UNetConfig: text needs mode 'cross' and a level with attention; it has no token context")

    def _check_middle(self) -> None:
        if self.middle is None:
            return
        last = self.channels[-1]
        small = tuple(n // f for n, f in zip(self.size, self.factor, strict=True))
        wanted = (self.dims, last, last, small, (1,) * self.dims)
        m = self.middle
        if (m.dims, m.in_channels, m.out_channels, m.size, m.patches) != wanted or m.num_classes or m.vector:
            raise ModelError(
                f"UNetConfig: middle must take and give {last} channels of {small} with patch 1 and no labels,"
                f" got {m.in_channels}, {m.out_channels} of {m.size} with patch {m.patch}"
            )
        if self.text is not None:
            raise ModelError("UNetConfig: text is read by the middle or by the levels with attention, not by both")

    @property
    def factor(self) -> tuple[int, ...]:
        """Pixels along each axis for one at the smallest resolution."""
        return tuple(self.fold * s ** (len(self.multipliers) - 1) for s in self.strides)

    @property
    def strides(self) -> tuple[int, ...]:
        """By how much each axis shrinks from one resolution to the next."""
        return (2,) * self.dims if self.stride is None else self.stride

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each resolution."""
        return tuple(self.width * m for m in self.multipliers)


@dataclass(frozen=True)
class UpsamplerConfig:
    """A network that is shown a smaller picture, enlarged to the state's size and noised: see ``nets.upsampler``.

    inner: takes twice the state's channels, gives the state's, and is told a vector of ``LEVEL_WAVES`` numbers.
    """

    inner: UNetConfig

    def __post_init__(self) -> None:
        i = self.inner
        if (i.in_channels, i.vector) != (2 * i.out_channels, LEVEL_WAVES):
            raise ModelError(
                f"UpsamplerConfig: inner must take twice the {i.out_channels} channels that it gives and a vector of"
                f" {LEVEL_WAVES}, got {i.in_channels} and {i.vector}"
            )


@dataclass(frozen=True)
class AutoencoderConfig:
    """An autoencoder of pictures (channels, *size), 2-D.

    latent: channels of the latent.  fold: cells of fold x fold pixels become channels at the door.
    widths: channels of each resolution, the folded one first; each further one halves both axes.
    blocks: residual blocks a resolution (the decoder has one more).
    """

    channels: int = 3
    size: tuple[int, int] = (256, 256)
    latent: int = 16
    fold: int = 4
    widths: tuple[int, ...] = (64, 128, 192)
    blocks: int = 1

    def __post_init__(self) -> None:
        _check_size(2, self.size, (self.factor, self.factor))

    @property
    def factor(self) -> int:
        """Pixels along an axis for one of the latent."""
        return factor(self.fold, self.widths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a latent."""
        return (self.latent, self.size[0] // self.factor, self.size[1] // self.factor)


@dataclass(frozen=True)
class EmbedderConfig:
    """Pictures (channels, *size) and texts to one space of ``width`` dimensions: see ``nets.embedder``.

    sentence: length of a text's embedding.  widths: channels of each resolution of the picture's side, folded first.
    """

    channels: int = 3
    size: tuple[int, int] = (64, 64)
    fold: int = 4
    widths: tuple[int, ...] = (64, 128, 256)
    blocks: int = 1
    sentence: int = 384
    width: int = 128


@dataclass(frozen=True)
class JudgeConfig:
    """A network that names what a product picture (channels, *size) shows: see ``nets.judge``.

    kinds, views: how many of each it tells apart.   widths: channels of each resolution, the folded one first.
    """

    kinds: int
    views: int
    channels: int = 3
    size: tuple[int, int] = (128, 128)
    fold: int = 4
    widths: tuple[int, ...] = (48, 96, 192, 256)
    blocks: int = 1


@dataclass(frozen=True)
class RankerConfig:
    """A network that names what the latent (channels, *size) of a product picture shows: see ``nets.ranker``.

    kinds, views, colours: how many of each it tells apart.   widths: channels of each resolution, the finest first.
    """

    kinds: int
    views: int
    colours: int
    channels: int = 16
    size: tuple[int, int] = (16, 16)
    widths: tuple[int, ...] = (96, 160, 240)
    blocks: int = 1


LEVEL_WAVES = 64
"""Numbers that tell an upsampler how noisy its smaller picture is."""


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
