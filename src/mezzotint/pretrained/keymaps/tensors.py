"""Weights of the original layout as diffusers' and back: strict, nothing lost, nothing made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.keymaps import flux, openclip, sd3, unet, vae
from mezzotint.pretrained.keymaps.layout import Fused, Layout
from mezzotint.pretrained.keymaps.names import both_ways, renamed

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]
LAYOUTS = {
    "unet": unet.layout,
    "vae": vae.layout,
    "openclip": openclip.layout,
    "flux": flux.layout,
    "sd3": sd3.layout,
}
PROJECTION = "text_projection.weight"
KINDS = (*LAYOUTS, "plain", "unprojected")
"""What a part of a file is: by whose names it goes.  plain: by those of transformers.  unprojected: the same, of a CLIP
whose pooled state is not projected: what projects it here is the identity."""


def forward(kind: str, config: Mapping[str, Any], weights: Weights) -> dict[str, Tensor]:
    """The original layout's tensors under diffusers' names.  Raises ModelError naming one that has no place."""
    if kind == "plain":
        return dict(weights)
    if kind == "unprojected":
        return {**weights, PROJECTION: _identity(config)}
    layout, rest = LAYOUTS[kind](config), dict(weights)
    made = _split(rest, layout.fused)
    by_theirs, _ = both_ways(layout.modules)
    for key, value in rest.items():
        name = layout.loose.get(key) or renamed(key, by_theirs)
        made[_known(key, name, made)] = _here(layout, key, value)
    return made


def backward(kind: str, config: Mapping[str, Any], weights: Weights) -> dict[str, Tensor]:
    """``forward`` undone: ``backward(forward(w)) = w``.  Raises ModelError naming one that has no place."""
    if kind == "plain":
        return dict(weights)
    if kind == "unprojected":
        return {k: w for k, w in weights.items() if k != PROJECTION}
    layout, rest = LAYOUTS[kind](config), dict(weights)
    made = _joined(rest, layout.fused)
    _, by_ours = both_ways(layout.modules)
    loose = {ours: theirs for theirs, ours in layout.loose.items()}
    for key, value in rest.items():
        theirs = _known(key, loose.get(key) or renamed(key, by_ours, back=True), made)
        made[theirs] = _there(layout, theirs, value)
    return made


def _identity(config: Mapping[str, Any]) -> Tensor:
    import torch

    return torch.eye(int(config["hidden_size"]))


def _known(key: str, name: str | None, made: Weights) -> str:
    if name is None:
        raise ModelError(f"the tensor {key!r} has no place in this kind of model; the file is of another")
    if name in made:
        raise ModelError(f"the tensor {key!r} is there twice under two names; fetch the file again")
    return name


def _here(layout: Layout, theirs: str, value: Tensor) -> Tensor:
    if theirs in layout.one_by_one and value.ndim == 4:
        return value[..., 0, 0]
    if theirs in layout.transposed:
        return value.T.contiguous()  # so that sums are made in the order of a folder's weights
    return _halves_swapped(theirs, value) if theirs in layout.swapped else value


def _there(layout: Layout, theirs: str, value: Tensor) -> Tensor:
    if theirs in layout.one_by_one and value.ndim == 2:
        return value[..., None, None]
    if theirs in layout.transposed:
        return value.T
    return _halves_swapped(theirs, value) if theirs in layout.swapped else value


def _halves_swapped(theirs: str, value: Tensor) -> Tensor:
    import torch

    if not value.ndim or value.shape[0] % 2:
        raise ModelError(f"the tensor {theirs!r} is {tuple(value.shape)}; expected two halves; fetch the file again")
    return torch.cat([*reversed(value.chunk(2))])


def _split(rest: dict[str, Tensor], fused: Sequence[Fused]) -> dict[str, Tensor]:
    """Takes fused tensors out of ``rest``."""
    made: dict[str, Tensor] = {}
    for one in fused:
        if one.theirs in rest:
            value = rest.pop(one.theirs)
            first = one.width * (len(one.ours) - 1)
            if not value.ndim or value.shape[0] <= first:
                raise ModelError(
                    f"the tensor {one.theirs!r} is {tuple(value.shape)}; expected more than {first} rows; the file is"
                    " for another network"
                )
            made.update({name: value[i * one.width : (i + 1) * one.width] for i, name in enumerate(one.ours[:-1])})
            made[one.ours[-1]] = value[first:]
    return made


def _joined(rest: dict[str, Tensor], fused: Sequence[Fused]) -> dict[str, Tensor]:
    import torch

    made: dict[str, Tensor] = {}
    for one in fused:
        if one.ours[0] in rest:
            made[one.theirs] = torch.cat([rest.pop(name) for name in one.ours])
    return made
