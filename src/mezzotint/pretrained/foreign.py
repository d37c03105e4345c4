"""A stage whose network is a library's: what a family says of it, and its networks when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.nets.adapters.falling import ByLevel
from mezzotint.nets.compiled import compiled_copy
from mezzotint.nets.winograd import quick
from mezzotint.pretrained.adapters import Weighed, put_on
from mezzotint.pretrained.attached import Attached
from mezzotint.pretrained.component_network import Fetched, Wrap, network_of, packed_network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.controls import steered
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.foreign_codec import foreign_codec
from mezzotint.pretrained.picture_prompts import looked
from mezzotint.pretrained.published import own_network
from mezzotint.pretrained.shelf import SHELF
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.stage_model import defining_sha256, parametrisation_of, told_level
from mezzotint.pretrained.system import SCALED, System

if TYPE_CHECKING:
    from torch import nn


def alone(wrap: Callable[[nn.Module], nn.Module]) -> Wrap:
    """Of a stage with one network that does not ask for its levels."""
    return lambda networks, indices: wrap(networks[0])


@dataclass(frozen=True, eq=False)
class ForeignStage:
    """One stage of a diffusers folder.

    nets: the parts that denoise.  own: the part of its codec, None where that needs none.  wrap: makes the library's
    networks one of ours.  takes: the names of what it is told.  adapters: put on the denoiser.  attached: beside it.
    levels: the grid of a run, where one is known.
    """

    described: Described
    nets: tuple[Component, ...]
    own: Component | None
    wrap: Wrap
    takes: tuple[str, ...]
    adapters: tuple[Weighed, ...] = ()
    attached: tuple[Attached, ...] = ()
    levels: Level | None = None

    @classmethod
    def of(cls, system: System, k: int, wrap: Wrap, takes: tuple[str, ...]) -> ForeignStage:
        """Stage number k of a system."""
        found, member = system.components, system.members[k]
        assert found is not None
        own = found[member.codec] if member.codec else None
        nets = tuple(found[name] for name in member.nets)
        return cls(member.described, nets, own, wrap, takes, system.adapters, system.attached)

    @property
    def name(self) -> str:
        return self.described.name

    @property
    def spec(self) -> Spec:
        return self.described.spec

    @cached_property
    def shares(self) -> bool:
        """Whether its network takes each state once for several texts (``guidance.sharing``): a U-Net of ours that is
        told texts alone."""
        part = self.nets[0]
        known = part.class_name == "UNet2DConditionModel" and own_network(part) is not None
        return known and self.takes == ("text",) and not self.attached

    @cached_property
    def config_sha256(self) -> str:
        """Of what is known of it, less card and defaults."""
        return defining_sha256(self.spec)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """As they are counted: the denoiser's and the codec's, float32 on the CPU."""
        parts = {part.name: part for part in (*self.nets, self.own) if part is not None}
        return {name: network_of(part, "cpu", torch.float32) for name, part in parts.items()}

    def codec(self, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Codec:
        """The codec on a device in a number format, for pictures of the size that ``at`` gave."""
        return foreign_codec(self.spec, self.nets, self.own, device, dtype)

    def denoiser(self, device: str, dtype: torch.dtype, compiled: bool = False) -> Preconditioned | ByLevel:
        """The networks on a device in a number format, compiled if asked, with their parametrisation; others at each
        level where adapters say so.   Raises UsageError where such are to be compiled."""
        predicts = parametrisation_of(self.spec)
        indices = () if self.levels is None else tuple(predicts(self.levels[:-1]).noise.tolist())

        def made() -> nn.Module:
            alone = not (self.adapters or self.attached or compiled)
            found = (packed_network_of if alone else network_of)(self.nets[0], device, dtype)
            base = put_on(found, "denoiser", self.adapters)
            base = compiled_copy(base) if compiled else quick(base, device, dtype)
            if self.attached:
                base = looked(base, self.attached, device, dtype)
                base = steered(base, self.attached, self._size, indices, device, dtype)
            return self.wrap([base, *(network_of(part, device, dtype) for part in self.nets[1:])], indices)

        def network() -> nn.Module:
            beside = (self.attached, indices) if self.attached or len(self.nets) > 1 else ()
            size = self._size if self.attached else ()
            return SHELF.get((self.nets, self.takes, self.adapters, beside, size, device, dtype, compiled), made)

        told = told_level(self.spec, self.adapters, network, compiled)
        return Preconditioned(Fetched(network), predicts) if told is None else told

    @property
    def _size(self) -> tuple[int, int]:
        """(width, height) of its pictures."""
        height, width = (n * int(self.spec.codec["factor"]) for n in self.spec.shape[1:])
        return width, height

    def on(self, levels: Level) -> ForeignStage:
        """The same for runs on a grid."""
        return replace(self, levels=levels)

    def at(self, size: tuple[int, int]) -> ForeignStage:
        """The same for pictures of another size (width, height), where its state depends on that."""
        if self.spec.codec["name"] not in SCALED:
            return self
        factor = int(self.spec.codec["factor"])
        return self.shaped((self.spec.shape[0], size[1] // factor, size[0] // factor))

    def shaped(self, shape: tuple[int, ...]) -> ForeignStage:
        """The same with another state."""
        return replace(self, described=replace(self.described, spec=replace(self.spec, shape=shape)))
