"""A low-rank change of a network whose strength is a function of the guidance scale: at scale 1 it is nothing at all.

The change is made into the weights, so that an evaluation costs what it costs without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mezzotint.errors import ModelError
from mezzotint.nets.shared import shared

LEAST = 8
"""A map with fewer inputs or outputs is left alone: its change would be as large as itself."""


@dataclass(frozen=True, eq=False)
class Scaled:
    r"""One weight's: :math:`\Delta W(t) = B\,\mathrm{diag}(t\,(1 + h\,(1 - t)))\,A` with t = (s - 1)/(s_{max} - 1).

    down: A, (r, in).  up: B, (out, r).  bend: h, (r,): how far from proportional each rank is.  ``in`` is all axes of
    the weight but the first.
    What guidance adds is (s - 1)(c - u), so that t is its first order; Hu et al., 2021, LoRA, eq. 3, at every t.
    """

    down: Tensor
    up: Tensor
    bend: Tensor

    def at(self, t: float) -> Tensor:
        """What is added to the weight, (out, in), of the tensors' dtype; differentiable."""
        return (self.up * (t * (1 + self.bend * (1 - t)))) @ self.down

    def on(self, device: str) -> Scaled:
        """The same on a device."""
        return Scaled(self.down.to(device), self.up.to(device), self.bend.to(device))


Changes = Mapping[str, Scaled]
"""By the path of the layer."""


def weights(net: nn.Module) -> dict[str, Tensor]:
    """Path -> weight of every map and convolution that a change may go on, in the network's order."""
    found: dict[str, Tensor] = {}
    for path, layer in net.named_modules():
        weight = dict(layer.named_parameters(recurse=False)).get("weight")
        if weight is None or isinstance(layer, nn.Embedding) or weight.ndim < 2:
            continue
        if min(len(weight), weight[0].numel()) >= LEAST:
            found[path] = weight
    return found


def sizes(known: Mapping[str, Tensor], rank: int) -> dict[str, tuple[int, int, int]]:
    """Path -> (out, in, rank) of each change; the rank is at most the smaller side."""
    shapes = {path: (len(w), w[0].numel()) for path, w in known.items()}
    return {path: (out, fan_in, min(rank, out, fan_in)) for path, (out, fan_in) in shapes.items()}


def count(known: Mapping[str, Tensor], rank: int) -> int:
    """How many numbers all changes of a rank are."""
    return sum(r * (out + fan_in + 1) for out, fan_in, r in sizes(known, rank).values())


def parted(theta: Tensor, known: Mapping[str, Tensor], rank: int) -> dict[str, Scaled]:
    """The changes in one vector (count,), layer by layer: down, up, bend; views of it, so differentiable."""
    made: dict[str, Scaled] = {}
    start = 0
    for path, (out, fan_in, r) in sizes(known, rank).items():
        down, up, bend = torch.split(theta[start : start + r * (out + fan_in + 1)], [r * fan_in, r * out, r])
        made[path] = Scaled(down.view(r, fan_in), up.view(out, r), bend)
        start += r * (out + fan_in + 1)
    return made


def begun(known: Mapping[str, Tensor], rank: int, seed: int) -> Tensor:
    """The vector that changes nothing: A normal of variance 1/in, B and h zero; (count,) float32."""
    generator = torch.Generator().manual_seed(seed)
    parts: list[Tensor] = []
    for out, fan_in, r in sizes(known, rank).values():
        down = torch.randn(r * fan_in, generator=generator) * fan_in**-0.5
        parts += [down, torch.zeros(r * out + r)]
    return torch.cat(parts)


def moved(known: Mapping[str, Tensor], changes: Changes, t: float) -> dict[str, Tensor]:
    """Parameter's name -> the weight with its change, summed in float32, in the weight's own dtype; differentiable."""
    made: dict[str, Tensor] = {}
    for path, change in changes.items():
        weight = known[path]
        made[f"{path}.weight"] = (weight.float() + change.at(t).reshape(weight.shape)).to(weight.dtype)
    return made


def check(known: Mapping[str, Tensor], changes: Changes) -> None:
    """Raises ModelError where a change has no layer, or does not fit it."""
    for path, change in changes.items():
        if path not in known:
            raise ModelError(f"the network has no layer {path!r} to guide; the file is for another network")
        weight, r = known[path], len(change.down)
        fits = change.down.shape == (r, weight[0].numel()) and change.up.shape == (len(weight), r)
        if not fits or change.bend.shape != (r,):
            raise ModelError(f"{path} has weights of {tuple(weight.shape)}; the file is for another network")


def wearing(net: nn.Module, changes: Changes, t: float) -> nn.Module:
    """A network with the changes in its weights, which shares all others with ``net``; that stays as it is.

    Raises ModelError where they do not fit.
    """
    known, made = weights(net), shared(net)
    check(known, changes)
    for path, change in changes.items():
        weight = moved(known, {path: change}, t)[f"{path}.weight"]
        made.get_submodule(path)._parameters["weight"] = nn.Parameter(weight, requires_grad=False)
    return made
