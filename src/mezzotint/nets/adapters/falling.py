r"""LoRA whose rank falls with noise: what is drawn first is learnt with fewer numbers, so that little of a few
photographs' layout is learnt by heart.

.. math:: W_t = W + \tfrac{\alpha}{r}\, B\, M_t A, \qquad r(t) = \lfloor (r - r_{min})(1 - t) \rfloor + r_{min}

M_t keeps the first r(t) rows of A; t is the coordinate of the model's schedule, 0 clean, 1 noise.
Soboleva et al., 2025, T-LoRA: Single Image Diffusion Model Customization Without Overfitting, sec. 3.2.

A layer is told t in a network of its own that shares every weight (``at``): no state is changed, so that requests at
other levels run beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Posterior, Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.adapters.changes import Change
from mezzotint.nets.adapters.lora import Layer, LowRank, adapted
from mezzotint.nets.shared import alike, put


@dataclass(frozen=True, eq=False)
class Falling:
    """A ``Change`` of another rank at each level.   low: with all of its rank.   least: r_min, of 0 … its rank.

    Raises UsageError for a least rank above the rank, and where it is asked for one difference of a weight.
    """

    low: LowRank
    least: int
    bias: None = None

    def __post_init__(self) -> None:
        check_least(self.least, self.low.rank)

    @property
    def scaled(self) -> bool:
        return self.low.scaled

    def delta(self, weight: Tensor) -> Tensor:
        raise UsageError("an adapter whose rank falls with noise has no one weight to merge into; put it on")


def check_least(least: int, rank: int) -> None:
    """Raises UsageError for a rank at full noise that is none of a rank."""
    if not 0 <= least <= rank:
        raise UsageError(f"rank at noise is {least}; expected 0 to the rank, {rank}")


def rank_at(t: Tensor, rank: int, least: int) -> Tensor:
    """r(t), int64 of the shape of t."""
    return ((rank - least) * (1 - t.double())).floor().long() + least


class Told(nn.Module):
    """The coordinate t that a layer is asked at, () or one a row, (B,); None until ``at`` says it."""

    def __init__(self) -> None:
        super().__init__()
        self.t: Tensor | None = None


def at(net: nn.Module, t: Tensor) -> nn.Module:
    """A network that shares every weight with ``net`` and is asked at t, () or (B,); ``net`` stays as it is, and is the
    answer where no layer asks for t.

    Raises UsageError for more than one t a row.
    """
    if t.ndim > 1:
        raise UsageError("an adapter whose rank falls with noise takes one level a picture, not one a frame")
    return _at(net, t)


def _at(net: nn.Module, t: Tensor) -> nn.Module:
    if isinstance(net, Told):
        made = Told()
        made.t = t
        return made
    parts = {name: None if part is None else _at(part, t) for name, part in net._modules.items()}
    # Most parts of a network hold no such layer: they are the same ones, which saves most of the time.
    return net if all(new is net._modules[name] for name, new in parts.items()) else alike(net, parts)


def added(x: Tensor, layer: Layer, low: LowRank, least: int, told: Told) -> Tensor:
    """What is added to a layer's answer to x (B, …): s B M_t A x.  Raises ModelError where nobody said t."""
    t = told.t
    if t is None or (t.ndim == 1 and len(t) != len(x)):
        raise ModelError("a layer whose rank falls with noise was not told the level of every row")
    down, up = low.down.to(x.dtype), (low.up * low.scale).to(x.dtype)
    kept = rank_at(t, low.rank, least)
    if t.ndim == 0:
        k = int(kept)
        return _thin(x, layer, down[:k], up[:, :k], None) if k else x.new_zeros(())
    acts = torch.arange(low.rank, device=kept.device) < kept[:, None]
    return _thin(x, layer, down, up, acts.to(x.device))


def _thin(x: Tensor, layer: Layer, down: Tensor, up: Tensor, mask: Tensor | None) -> Tensor:
    """mask: (B, r) bool, of the rows of A that act."""
    if isinstance(layer, nn.Conv2d):
        thin = F.conv2d(x, _square(down, layer), None, layer.stride, layer.padding, layer.dilation)
        thin = thin if mask is None else thin * mask[:, :, None, None]
        return F.conv2d(thin, up.flatten(1)[..., None, None])
    thin = F.linear(x, down.flatten(1))
    thin = thin if mask is None else thin * mask.reshape(len(mask), *(1,) * (x.ndim - 2), -1)
    return F.linear(thin, up.flatten(1))


def _square(down: Tensor, layer: nn.Conv2d) -> Tensor:
    return down.reshape(len(down), -1, *layer.weight.shape[2:])


class Worn(nn.Module):
    """A layer and what is added to it at each level.   changes: with how strongly each is put on."""

    def __init__(self, layer: nn.Module, plain: Layer, changes: Sequence[tuple[Falling, float]]) -> None:
        super().__init__()
        self.layer, self._plain, self.told = layer, (plain,), Told()
        like = plain.weight
        for i, (change, weight) in enumerate(changes):
            self.register_buffer(f"down_{i}", change.low.down.to(like), persistent=False)
            up = (change.low.up.float() * (change.low.scale * weight)).to(like)
            self.register_buffer(f"up_{i}", up, persistent=False)
        self.least = tuple(change.least for change, _ in changes)

    @property
    def weight(self) -> Tensor:
        """The layer's own, for code that asks for a dtype or device."""
        return self._plain[0].weight

    @property
    def bias(self) -> Tensor | None:
        return self._plain[0].bias

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        for i, least in enumerate(self.least):
            low = LowRank(self.get_buffer(f"down_{i}"), self.get_buffer(f"up_{i}"))
            y = y + added(x, self._plain[0], low, least, self.told)
        return y


def adapted_at(net: nn.Module, stacks: Mapping[str, Sequence[tuple[Change, float]]]) -> nn.Module:
    """``lora.adapted``, with changes whose rank falls among them: the network is then asked by ``at`` alone.

    Raises as ``adapted``.
    """
    plain = {path: [one for one in stack if not isinstance(one[0], Falling)] for path, stack in stacks.items()}
    made = adapted(net, {path: stack for path, stack in plain.items() if stack})
    for path, stack in stacks.items():
        falling = [(change, weight) for change, weight in stack if isinstance(change, Falling)]
        if falling:
            layer = net.get_submodule(path)
            assert isinstance(layer, Layer)
            put(made, path, Worn(made.get_submodule(path), layer, falling))
    return made


@dataclass(frozen=True)
class ByLevel:
    """A denoiser whose network is another one at each level.

    network: that ``adapted_at`` made.  t: logsnr -> the coordinate of the model's schedule.
    """

    network: Callable[[], nn.Module]
    parametrisation: Parametrisation
    t: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Preconditioned(at(self.network(), self.t(level.logsnr)), self.parametrisation)(x, level, cond)
