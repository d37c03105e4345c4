"""Adapters of every method for every network of a system, with values of their own; and what is the same of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from asking import request_of
from torch import Tensor, nn

import mezzotint as mz
from mezzotint.nets.adapters.begun import OFT, Begin, DoRA, Full, LoHa, LoKr, LoRA
from mezzotint.nets.adapters.contents import Contents, Held, contents_of
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt
from mezzotint.pretrained.component_network import library_network, network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.folder import load_described
from mezzotint.pretrained.system import System

METHODS: dict[str, Begin] = {
    "lora": LoRA(3, 2.0), "dora": DoRA(LoRA(2, 5.0)), "lokr": LoKr(2, 1.0, 4), "loha": LoHa(2, 3.0), "full": Full(),
    "oft": OFT(4),
}  # fmt: skip
"""The kinds of change that ``tune`` writes: those of all its methods, of which some are others as they are learnt."""

CHOSEN = (
    *(".to_q", ".to_k", ".to_v", ".to_out.0", ".add_q_proj", ".q_proj", ".fc2", ".SelfAttention.q", ".proj_in"),
    *(".resnets.0.conv1", ".net.2", "attention.qkv", "mlp.up", "norm_out.linear", ".attentions.0.proj_out"),
)
"""How the layers are called that are adapted; and proj_out, as which others' names end in FLUX."""


def network(system: System, part: str) -> nn.Module:
    """One of its networks as it is used here, with its weights."""
    found = parts_to_adapt(system)[part]
    return network_of(found, "cpu", torch.float32) if isinstance(found, Component) else load_described(found).network


def chosen(system: System, part: str) -> list[str]:
    layers = layers_of(parts_to_adapt(system)[part])
    plain = [p for p, m in layers.items() if isinstance(m, nn.Linear | nn.Conv2d)]
    return [p for p in plain if p.endswith(CHOSEN) or p == "proj_out"]


def contents(system: System, method: str, *parts: str) -> Contents:
    """What training would have made of some networks, all of them where none is named; every tensor moved."""
    made: dict[str, Mapping[str, Held]] = {}
    for part in parts or tuple(parts_to_adapt(system)):
        net = trained(network(system, part), dict.fromkeys(chosen(system, part), METHODS[method]), 0)
        g = torch.Generator().manual_seed(1)
        for value in net.parameters():
            if value.requires_grad:
                value.data.add_(torch.randn(value.shape, generator=g) * 0.1)
        made |= contents_of(learnt(net), part)
    return made


def varied(made: Contents) -> Contents:
    """The same with another alpha, and another rank, in some layers."""
    first = made["denoiser"]
    path, *_, other = first
    low = first[other]
    less = {"down": low.tensors["down"][:1], "up": low.tensors["up"][:, :1]}
    return {**made, "denoiser": {**first, path: replace(first[path], alpha=7.0), other: replace(low, tensors=less)}}


def differences(one: Contents, other: Contents) -> list[str]:
    """What two do not have alike, to the bit."""
    found = [f"{p}: layers" for p in {*one, *other} if set(one.get(p, {})) != set(other.get(p, {}))]
    return found + [
        f"{p}: {k}" for p in one for k, held in one[p].items() if k in other.get(p, {}) and not _same(held, other[p][k])
    ]


def _same(one: Held, other: Held) -> bool:
    return (
        one.alpha == other.alpha
        and set(one.tensors) == set(other.tensors)
        and all(_equal(tensor, other.tensors[what]) for what, tensor in one.tensors.items())
    )


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def latents(folder: Path, *lora: Path) -> Tensor:
    """The last state of a run with adapters put on."""
    words: dict[str, Any] = {} if (folder / "model.json").exists() else {"size": "32x32"}
    prompt = "sneaker" if not words else "a red chair"
    job = mz.prepare(request_of(prompt, model=folder, seed=3, steps=2, lora=list(lora), **words))
    return [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]


def merged(system: System, part: str, layers: Mapping[str, Held]) -> nn.Module:
    """A network of the library's own class whose weights were changed by hand, in float64."""
    found = parts_to_adapt(system)[part]
    if isinstance(found, Component):
        net: nn.Module = type(library_network(found)).from_pretrained(found.folder)  # type: ignore[attr-defined]
    else:
        net = load_described(found).network
    for path, held in layers.items():
        weight, change = net.get_submodule(path).get_parameter("weight"), held.change
        assert change is not None
        weight.requires_grad_(False).copy_(weight.double() + change.delta(weight).double().reshape(weight.shape))
    return net.eval().requires_grad_(False)
