"""A stage whose network is a library's: what a family says of it, and its networks when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from mezzotint.codecs.kl import KL
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.pretrained.adapters import Weighed, put_on
from mezzotint.pretrained.attached import Attached
from mezzotint.pretrained.component_network import Fetched, Wrap, network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.controls import steered
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.picture_prompts import looked
from mezzotint.pretrained.shelf import SHELF
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.stage_model import defining_sha256, parametrisation_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class ForeignStage:
    """One stage of a diffusers folder.

    denoising, vae: the parts that hold its networks.  wrap: makes the library's network one of ours.  takes: the names
    of what it is told.  adapters: put on the denoiser.  attached: beside it.  levels: the grid of a run, where one is
    known.
    """

    described: Described
    denoising: Component
    vae: Component
    wrap: Wrap
    takes: tuple[str, ...]
    adapters: tuple[Weighed, ...] = ()
    attached: tuple[Attached, ...] = ()
    levels: Level | None = None

    @property
    def name(self) -> str:
        return self.described.name

    @property
    def spec(self) -> Spec:
        return self.described.spec

    @cached_property
    def config_sha256(self) -> str:
        """Of what is known of it, less card and defaults."""
        return defining_sha256(self.spec)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """As they are counted: the denoiser's and the codec's, float32 on the CPU."""
        parts = {"denoiser": self.denoising, "codec": self.vae}
        return {name: network_of(part, "cpu", torch.float32) for name, part in parts.items()}

    def codec(self, device: str = "cpu") -> KL:
        """The autoencoder on a device, float32, for pictures of the size that ``at`` gave."""
        said = self.spec.codec
        width, height = self._size

        def vae() -> nn.Module:
            return network_of(self.vae, device, torch.float32)

        return KL(vae, (height, width), int(said["factor"]), self.spec.shape[0], said["scaling"], said["shift"])

    def denoiser(self, device: str, dtype: torch.dtype) -> Preconditioned:
        """The network on a device in a number format, with its parametrisation."""

        predicts = parametrisation_of(self.spec)
        indices = () if self.levels is None else tuple(predicts(self.levels[:-1]).noise.tolist())

        def made() -> nn.Module:
            base = put_on(network_of(self.denoising, device, dtype), "denoiser", self.adapters)
            base = looked(base, self.attached, device, dtype)
            return self.wrap(steered(base, self.attached, self._size, indices, device, dtype))

        def network() -> nn.Module:
            beside = (self.attached, self._size, indices) if self.attached else ()
            return SHELF.get((self.denoising, self.takes, self.adapters, beside, device, dtype), made)

        return Preconditioned(Fetched(network), predicts)

    @property
    def _size(self) -> tuple[int, int]:
        """(width, height) of its pictures."""
        height, width = (n * int(self.spec.codec["factor"]) for n in self.spec.shape[1:])
        return width, height

    def on(self, levels: Level) -> ForeignStage:
        """The same for runs on a grid."""
        return replace(self, levels=levels)

    def at(self, size: tuple[int, int]) -> ForeignStage:
        """The same for pictures of another size (width, height)."""
        factor = int(self.spec.codec["factor"])
        shape = (self.spec.shape[0], size[1] // factor, size[0] // factor)
        return replace(self, described=replace(self.described, spec=replace(self.spec, shape=shape)))
