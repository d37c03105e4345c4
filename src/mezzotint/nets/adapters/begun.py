"""What an adapter's tensors are before the first update, method by method: a change of nothing, or nearly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.nets.adapters.changes import Change, change_of
from mezzotint.nets.adapters.falling import Falling, check_least
from mezzotint.nets.adapters.lora import Layer, low_rank

Tensors = Mapping[str, Tensor]
"""A layer's tensors by what they are, as files say it: down, up, magnitude, lokr_w1, …"""


def as_learnt(tensors: Tensors) -> Tensors:
    """A file says just what is learnt."""
    return tensors


@dataclass(frozen=True, eq=False)
class Begun:
    """One layer's change before the first update.

    tensors: what is learnt, float32.  alpha: as files have it, None where the method has none.
    said: from what is learnt to what a file says of it.  least: its rank at full noise, None where it never falls.
    """

    tensors: Tensors
    alpha: float | None = None
    said: Callable[[Tensors], Tensors] = as_learnt
    least: int | None = None

    def change(self, tensors: Tensors) -> Change:
        """What some values of the tensors say; differentiable."""
        return self.meant(self.said(tensors))

    def meant(self, found: Tensors) -> Change:
        """The change that a file's tensors say."""
        low = low_rank(found, self.alpha)
        if self.least is not None and low is not None:
            return Falling(low, self.least)
        made = change_of(found, self.alpha, low)
        assert made is not None
        return made


Begin = Callable[[Layer, torch.Generator], Begun]
"""A layer and the randomness of its start -> its change."""


def _drawn(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """(rows, columns), uniform within sqrt(3 / columns): of variance 1 / columns, as PEFT's A.

    Its writers' kaiming_uniform with a = sqrt 5 has a third of that variance.
    """
    bound = 1 / math.sqrt(columns)
    return (2 * torch.rand(rows, columns, generator=generator) - 1) * bound


def _sizes(layer: Layer) -> tuple[int, int]:
    """(out, in x kernel) of a layer's weight."""
    return len(layer.weight), layer.weight[0].numel()


def checked_rank(rank: int, layer: Layer) -> int:
    """Raises UsageError where a rank is more than a layer has."""
    most = min(_sizes(layer))
    if rank > most:
        raise UsageError(f"rank {rank} is larger than a layer of {tuple(layer.weight.shape)}; expected at most {most}")
    return rank


@dataclass(frozen=True)
class LoRA:
    """A drawn, B zero.  Hu et al., 2021, LoRA, sec. 4.1.   alpha: the change is (alpha / rank) B A; None is the rank.

    With alpha = a sqrt(rank) this is rank-stabilised LoRA (Kalajdzievski, 2023, eq. 3) of alpha a.
    """

    rank: int = 16
    alpha: float | None = None

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        rank = checked_rank(self.rank, layer)
        out, inner = _sizes(layer)
        kernel = layer.weight.shape[2:]
        down = _drawn(rank, inner, generator).reshape(rank, -1, *kernel)
        up = torch.zeros(out, rank, *(1 for _ in kernel))
        return Begun({"down": down, "up": up}, float(rank if self.alpha is None else self.alpha))


@dataclass(frozen=True)
class TLoRA:
    """LoRA whose rank falls with noise, to ``least``: see ``falling``.   Soboleva et al., 2025, T-LoRA, sec. 3.2."""

    inner: LoRA
    least: int

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        check_least(self.least, self.inner.rank)
        return replace(self.inner(layer, generator), least=self.least)


@dataclass(frozen=True)
class DoRA:
    """LoRA, and the norm of each row of the weight learnt beside it.  Liu et al., 2024, DoRA, eq. 5."""

    inner: LoRA

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        begun = self.inner(layer, generator)
        weight = layer.weight.detach().float()
        norm = torch.linalg.vector_norm(weight.flatten(1), dim=1)
        magnitude = norm.reshape(-1, *(1 for _ in weight.shape[1:]))
        return Begun({**begun.tensors, "magnitude": magnitude}, begun.alpha)


@dataclass(frozen=True)
class PiSSA:
    """B and A begin as the weight's first ``rank`` singular directions, which are taken out of it.

    A file says it as LoRA of twice the rank on the base's own weight: B A - B₀ A₀.
    Meng et al., 2024, PiSSA: Principal Singular Values and Singular Vectors Adaptation, eq. 2 to 4.
    """

    rank: int = 16

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        rank = checked_rank(self.rank, layer)
        weight = layer.weight.detach().float()
        u, s, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
        root = s[:rank].sqrt()
        up = (u[:, :rank] * root).reshape(-1, rank, *(1 for _ in weight.shape[2:])).contiguous()
        down = (root[:, None] * v[:rank]).reshape(rank, *weight.shape[1:]).contiguous()

        def said(tensors: Tensors) -> Tensors:
            b, a = tensors["up"], tensors["down"]  # what is kept of a run lies on the processor, the base need not
            return {**tensors, "down": torch.cat([a, down.to(a.device)]), "up": torch.cat([b, -up.to(b.device)], 1)}

        return Begun({"down": down, "up": up}, 2.0 * rank, said)


def largest_divisor(n: int, most: int) -> int:
    """The largest divisor of n that is at most ``most``."""
    return next(k for k in range(min(n, most), 0, -1) if n % k == 0)


@dataclass(frozen=True)
class LoKr:
    """ΔW = (alpha / rank) C ⊗ (B A): C whole, of at most ``factor`` rows and columns, zero at the start.

    Edalati et al., 2022, KronA, eq. 5; Yeh et al., 2024, LyCORIS, sec. 3.
    """

    rank: int = 8
    alpha: float | None = None
    factor: int = 8

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        out, inner, *kernel = layer.weight.shape
        left_out, left_in = (largest_divisor(n, self.factor) for n in (out, inner))
        right_out, right_in = out // left_out, inner // left_in
        left = torch.zeros(left_out, left_in)
        columns = right_in * math.prod(kernel)
        if self.rank * (right_out + columns) >= right_out * columns:
            right = _drawn(right_out, columns, generator).reshape(right_out, right_in, *kernel)
            return Begun({"lokr_w1": left, "lokr_w2": right}, 1.0)
        a, b = _drawn(right_out, self.rank, generator), _drawn(self.rank, columns, generator)
        tensors = {"lokr_w1": left, "lokr_w2_a": a, "lokr_w2_b": b.reshape(self.rank, right_in, *kernel)}
        return Begun(tensors, float(self.rank if self.alpha is None else self.alpha))


@dataclass(frozen=True)
class LoHa:
    """ΔW = (alpha / rank) (A₁ B₁) ⊙ (A₂ B₂), A₂ zero at the start.  Hyeon-Woo et al., 2022, FedPara, eq. 2."""

    rank: int = 8
    alpha: float | None = None

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        rank = checked_rank(self.rank, layer)
        out, inner = _sizes(layer)
        tensors = {
            "hada_w1_a": _drawn(out, rank, generator),
            "hada_w1_b": _drawn(rank, inner, generator),
            "hada_w2_a": torch.zeros(out, rank),
            "hada_w2_b": torch.randn(rank, inner, generator=generator),
        }
        return Begun(tensors, float(rank if self.alpha is None else self.alpha))


@dataclass(frozen=True)
class OFT:
    """W' = R W, R a diagonal of rotations of at most ``size`` outputs each, the identity at the start.

    Qiu et al., 2023, Controlling Text-to-Image Diffusion by Orthogonal Finetuning, sec. 4; as LyCORIS' Diag-OFT has it.
    """

    size: int = 8

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        out = len(layer.weight)
        size = largest_divisor(out, self.size)
        if size < 2:
            raise UsageError(f"{out} outputs have no blocks of 2 to {self.size}; expected a larger rank")
        return Begun({"oft_blocks": torch.zeros(out // size, size, size)})


@dataclass(frozen=True)
class Full:
    """ΔW itself."""

    def __call__(self, layer: Layer, generator: torch.Generator) -> Begun:
        return Begun({"diff": torch.zeros(layer.weight.shape)})
