"""Contents as the tensors of a file of a layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.nets.adapters.contents import Contents, Held
from mezzotint.nets.adapters.joint import together
from mezzotint.nets.adapters.layouts import Part
from mezzotint.pretrained.exchange.names import Layout, Place, places
from mezzotint.pretrained.system import System

Keyed = Mapping[Place, Held]
"""Layers of a file -> what is said of each."""

PEFT = {"down": "lora_A.weight", "up": "lora_B.weight", "magnitude": "lora_magnitude_vector"}
KOHYA = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight", "magnitude": "dora_scale"}
COMFYUI = {"down": "lora_A.weight", "up": "lora_B.weight", "magnitude": "dora_scale"}
PLAIN = ("peft", "diffusers")
"""Layouts of PEFT's tensors: LoRA and DoRA alone, alphas beside the tensors."""


def keyed(contents: Contents, system: System, layout: Layout) -> dict[Part, Keyed]:
    """Contents by the layers of a file.   Raises UsageError for what the layout has no form for."""
    known = places(system, layout)
    made = {part: _keyed(layers, known.get(part, ()), layout) for part, layers in contents.items() if layers}
    if layout in PLAIN:
        for layers in made.values():
            check_plain(layers, layout)
    return made


def _keyed(layers: Mapping[str, Held], known: Sequence[Place], layout: Layout) -> Keyed:
    made: dict[Place, Held] = {}
    used: set[str] = set()
    for place in known:
        if place.name in layers:
            made[place] = layers[place.name]
            used.add(place.name)
        elif inside := [path for path, _ in place.pieces if path in layers]:
            made[place] = _together(layers, place, layout)
            used.update(inside)
    if rest := [path for path in layers if path not in used]:
        raise UsageError(f"{layout} files have no name for {rest[0]}, one of {len(rest)} layers; choose another --to")
    return made


def _together(layers: Mapping[str, Held], place: Place, layout: Layout) -> Held:
    try:
        return together(layers, place.pieces)
    except ValueError as error:
        paths = ", ".join(path for path, _ in place.pieces if path in layers)
        raise UsageError(
            f"{layout} files have {paths} in one layer, {place.name}: {error}; choose --to diffusers"
        ) from error


def check_plain(layers: Keyed, layout: Layout) -> None:
    """Raises UsageError where a network has more than LoRA, or DoRA of rows, in all of its layers alike."""
    for place, one in layers.items():
        if more := sorted(set(one.tensors) - set(PEFT)):
            raise UsageError(
                f"{layout} files have no form for {_called(one, more[0])} ({place.name}); choose --to kohya or comfyui"
            )
        magnitude = one.tensors.get("magnitude")
        if magnitude is not None and len(magnitude) != len(one.tensors["up"]):
            raise UsageError(
                f"{layout} files have no form for DoRA by columns ({place.name}); choose --to kohya or comfyui"
            )
    some = {"magnitude" in one.tensors for one in layers.values()}
    if len(some) > 1:
        raise UsageError(f"{layout} files have DoRA in all layers or none; choose --to kohya or comfyui")


def _called(one: Held, what: str) -> str:
    names = {"mid": "Tucker cores", "diff": "full differences", "diff_b": "biases", "w_norm": "normalisation layers"}
    return names.get(what, {"loha": "LoHa", "lokr": "LoKr"}.get(one.method.partition("+")[0], what))


def tensors_of(layers: Keyed, layout: Layout) -> dict[str, Tensor]:
    """The tensors of a network's layers by their keys."""
    made: dict[str, Tensor] = {}
    for place, one in layers.items():
        tails = _tails(one, layout)
        for what, tensor in one.tensors.items():
            made[f"{place.stem}.{tails.get(what, what)}"] = _as_written(what, tensor, layout)
        if layout not in PLAIN and one.alpha is not None:
            made[f"{place.stem}.alpha"] = torch.tensor(one.alpha)
    return made


def _tails(one: Held, layout: Layout) -> Mapping[str, str]:
    if layout in PLAIN:
        return PEFT
    return KOHYA if layout == "kohya" or "mid" in one.tensors else COMFYUI


def _as_written(what: str, tensor: Tensor, layout: Layout) -> Tensor:
    """PEFT has the norms of a matrix's rows as a vector, and those of a convolution's in the second axis."""
    if what != "magnitude" or layout not in PLAIN:
        return tensor
    return tensor.flatten() if tensor.ndim == 2 else tensor.transpose(0, 1)
