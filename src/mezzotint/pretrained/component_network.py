"""The networks of a diffusers folder: classes of diffusers and transformers, filled from safetensors files alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.packed import pack, packs
from mezzotint.nets.winograd import gaining, quick, saves
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.folder import check_weights
from mezzotint.pretrained.published import own_network
from mezzotint.pretrained.shelf import SHELF

OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
"""Names of attention's parts in autoencoders that were saved before 2023."""

TIED = {"encoder.embed_tokens.weight": "shared.weight"}
"""What files leave out because it is another tensor: T5's."""


WITHIN = {"UnCLIPTextProjModel": "diffusers.pipelines.deprecated.unclip.text_proj"}
"""Where a class is that its library does not export."""


def _class(part: Component) -> Any:
    """The class that a component names.  Raises UsageError without the library, ModelError without the class."""
    where = WITHIN.get(part.class_name, "transformers" if part.library == "transformers" else "diffusers")
    try:
        library = import_module(where)
    except ImportError as error:
        raise UsageError(f"{part.folder} needs {part.library}; pip install 'mezzotint[diffusers]'") from error
    found = getattr(library, part.class_name, None)
    if found is None:
        raise ModelError(f"{part.folder}: the {part.library} that is installed has no {part.class_name}; update it")
    return found


def empty_network(part: Component) -> nn.Module:
    """The network without memory for its parameters: ours where we know its configuration, else the library's."""
    return own_network(part) or library_network(part)


def library_network(part: Component) -> nn.Module:
    """The library's.  Raises as ``network_of``."""
    made, config = _class(part), dict(part.config)
    from accelerate import init_empty_weights

    try:
        with init_empty_weights(include_buffers=False), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if part.library != "transformers":
                network: nn.Module = made.from_config(config)
            else:
                network = made._from_config(made.config_class.from_dict(config))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{part.folder}: its configuration cannot be built ({why}); fetch it again") from error
    return network


def _named(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that the network has now: those of older files are known, and only those."""
    renamed = {}
    for name, value in weights.items():
        now = name
        for old, new in OLD_ATTENTION.items():
            if now not in wanted and old in now:
                now = now.replace(old, new)
        if now not in wanted and now.removeprefix("text_model.") in wanted:
            now = now.removeprefix("text_model.")
        elif now not in wanted and f"text_model.{now}" in wanted:
            now = f"text_model.{now}"
        if now not in wanted and now.endswith("position_ids"):
            continue  # not a weight: 0, 1, 2, …
        fits = now in wanted and value.ndim == 4 and value.shape[2:] == (1, 1) and wanted[now].ndim == 2
        renamed[now] = value[..., 0, 0] if fits else value
    for name, same in TIED.items():
        if name in wanted and name not in renamed and same in renamed:
            renamed[name] = renamed[same]
    return renamed


def network_of(part: Component, device: str, dtype: torch.dtype) -> nn.Module:
    """A component's network on a device in a number format, evaluation mode, no gradients; made once, for as long as
    the shelf keeps it.

    Raises UsageError (a library is missing), ModelError naming the tensor that is missing, unknown or misshapen.
    """
    return SHELF.get((part, device, dtype), lambda: _made(part, device, dtype))


READ = frozenset({"time_embedding.cond_proj"})
"""Layers of which others read how wide they are (``families.unet_network``)."""


def packed_network_of(part: Component, device: str, dtype: torch.dtype) -> nn.Module:
    """The same for use alone, its weights as the processor's library wants them where that gains: no parameters to
    learn, to read or to put adapters on.  Raises as ``network_of``."""
    if not packs(device, dtype) or own_network(part) is None:
        return network_of(part, device, dtype)

    def made() -> nn.Module:
        network = _made(part, device, dtype)
        return pack(network, READ | gaining(network) if saves(device, dtype) else READ)

    return SHELF.get((part, device, dtype, "packed"), made)


def quick_network_of(part: Component, device: str, dtype: torch.dtype) -> nn.Module:
    """The same for use alone: an autoencoder's.  Raises as ``network_of``."""
    if not saves(device, dtype):
        return network_of(part, device, dtype)
    return SHELF.get((part, device, dtype, "quick"), lambda: quick(network_of(part, device, dtype), device, dtype))


@torch.inference_mode(mode=False)  # weights made in it could not be learnt on, whoever asks for them first
def _made(part: Component, device: str, dtype: torch.dtype) -> nn.Module:
    network = empty_network(part)
    weights = _named(part.tensors(), network.state_dict())
    check_weights(network, weights, part.files[0])
    network.load_state_dict(_cast(weights, device, dtype), assign=True)
    for name, buffer in network.named_buffers():
        if buffer.device.type != device:
            _put(network, name, buffer.to(device))
    return _laid_out(network, dtype).eval().requires_grad_(False)


def _cast(weights: Mapping[str, Tensor], device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    """On a device in a number format; what is one tensor under two names (``TIED``) stays one."""
    distinct = {id(w): w for w in weights.values()}
    made = {i: w.to(device, dtype) if w.is_floating_point() else w.to(device) for i, w in distinct.items()}
    return {name: made[id(w)] for name, w in weights.items()}


def _laid_out(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Convolutions in bfloat16 run on channels that lie innermost, on processors and accelerators alike: laid out so,
    they are not turned at every call.  In float32 it gains nothing, and weights stay mapped from their file but
    where they are packed."""
    if dtype == torch.bfloat16:
        # torch's stubs know no Module.to(memory_format=) without the other arguments.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _put(network: nn.Module, name: str, value: Tensor) -> None:
    owner, _, last = name.rpartition(".")
    setattr(network.get_submodule(owner), last, value)


Wrap = Callable[[Sequence[nn.Module], Sequence[float]], nn.Module]
"""(a library's networks, what they are told of each step's level) -> one that is called as ours are."""


class Fetched(nn.Module):
    """A network that is fetched for each call, so that nothing but the shelf keeps it in memory."""

    def __init__(self, fetch: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.fetch = fetch

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        answer: Tensor = self.fetch()(x, c_noise, cond)
        return answer
