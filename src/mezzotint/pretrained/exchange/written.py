"""Contents as the tensors of a file of a layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.nets.adapters.contents import Contents, Held
from mezzotint.nets.adapters.joint import together
from mezzotint.nets.adapters.layouts import Part
from mezzotint.pretrained.exchange.names import Keyed, Layout, Place, places
from mezzotint.pretrained.exchange.peft_lycoris import LOHA, LOKR, decompose_factor
from mezzotint.pretrained.system import System

PEFT = {"down": "lora_A.weight", "up": "lora_B.weight", "magnitude": "lora_magnitude_vector"}
KOHYA = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight", "magnitude": "dora_scale"}
COMFYUI = {"down": "lora_A.weight", "up": "lora_B.weight", "magnitude": "dora_scale"}
BESIDE = ("peft", "diffusers")
"""Layouts of PEFT's tensors, with alphas beside them."""


def keyed(contents: Contents, system: System, layout: Layout) -> dict[Part, Keyed]:
    """Contents by the layers of a file.   Raises UsageError for what the layout has no form for."""
    known = places(system, layout)
    made = {part: _keyed(layers, known.get(part, ()), layout) for part, layers in contents.items() if layers}
    for layers in made.values():
        _check_rotations(layers, layout)
        if layout in BESIDE:
            _check(layers, layout)
    return made


def _check_rotations(layers: Keyed, layout: Layout) -> None:
    """Raises UsageError for PEFT's rotations, which turn inputs: no other tool's do, and their blocks are not kept as
    PEFT has them."""
    for place, one in layers.items():
        if turned := sorted(set(one.tensors) & {"oft_R", "boft_R", "boft_s"}):
            raise UsageError(
                f"{layout} files have no form for PEFT's {turned[0]} ({place.name}); keep the file as it is"
            )


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
            f"{layout} files have {paths} in one layer, {place.name}: {error}; choose --to peft"
        ) from error


def _check(layers: Keyed, layout: Layout) -> None:
    """Raises UsageError for what PEFT's tensors have no form for."""
    methods = sorted({one.method for one in layers.values()})
    if len(methods) > 1:
        raise _formless(layout, f"{' and '.join(methods)} in one network")
    if layout == "diffusers" or methods[0] in ("lora", "dora"):
        return _check_thin(layers, layout)
    for place, one in layers.items():
        if not set(one.tensors) <= (LOHA if methods[0] == "loha" else LOKR):
            raise _formless(layout, f"{_called(one)} ({place.name})")
    if methods[0] == "lokr" and decompose_factor(layers) is None:
        raise _formless(layout, "LoKr of these factors, which no decompose_factor gives")
    return None


def _check_thin(layers: Keyed, layout: Layout) -> None:
    """Raises UsageError for more than LoRA, or DoRA of rows."""
    for place, one in layers.items():
        if set(one.tensors) - set(PEFT):
            raise _formless(layout, f"{_called(one)} ({place.name})")
        if "magnitude" in one.tensors and len(one.tensors["magnitude"]) != len(one.tensors["up"]):
            raise _formless(layout, f"DoRA by columns ({place.name})")


def _formless(layout: Layout, what: str) -> UsageError:
    return UsageError(f"{layout} files have no form for {what}; choose --to kohya or comfyui")


TUCKER = ("mid", "hada_t1", "hada_t2", "lokr_t2")
CALLED = {"loha": "LoHa", "lokr": "LoKr", "oft": "rotations", "full": "full differences"}


def _called(one: Held) -> str:
    """What about a layer is unusual."""
    if set(one.tensors) & set(TUCKER):
        return "Tucker cores"
    if "w_norm" in one.tensors:
        return "normalisation layers"
    name, _, dora = one.method.partition("+")
    return "biases" if name == "lora" else CALLED[name] + (" with DoRA" if dora else "")


def tensors_of(layers: Keyed, layout: Layout) -> dict[str, Tensor]:
    """The tensors of a network's layers by their keys."""
    made: dict[str, Tensor] = {}
    for place, one in layers.items():
        tails = _tails(one, layout)
        for what, tensor in one.tensors.items():
            made[f"{place.stem}.{tails.get(what, what)}"] = _as_written(what, tensor, layout)
        if layout not in BESIDE and one.alpha is not None:
            made[f"{place.stem}.alpha"] = torch.tensor(one.alpha)
    return made


def _tails(one: Held, layout: Layout) -> Mapping[str, str]:
    if layout in BESIDE:
        return PEFT
    return KOHYA if layout == "kohya" or "mid" in one.tensors else COMFYUI


def _as_written(what: str, tensor: Tensor, layout: Layout) -> Tensor:
    """PEFT has the norms of a matrix's rows as a vector, and those of a convolution's in the second axis."""
    if what != "magnitude" or layout not in BESIDE:
        return tensor
    return tensor.flatten() if tensor.ndim == 2 else tensor.transpose(0, 1)
