"""Which family a diffusers folder is of, by the name of its pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from mezzotint.errors import unknown
from mezzotint.pretrained.components import Components

if TYPE_CHECKING:
    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

PIPELINES = {
    "StableDiffusionPipeline": "stable_diffusion",
    "StableDiffusionXLPipeline": "stable_diffusion_xl",
    "StableDiffusion3Pipeline": "stable_diffusion_3",
    "FluxPipeline": "flux",
}
"""_class_name of the index -> module of this package."""


class Reading(Protocol):
    """What is made of a prompt: as ``making.prompt.Told``."""

    @property
    def width(self) -> int: ...
    @property
    def read(self) -> tuple[str, str]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    def conds(self) -> tuple[Cond, Cond]: ...


class Family(Protocol):
    """A module of this package.  ``described`` and ``reading`` do no arithmetic; ``stages`` imports the libraries."""

    def described(self, found: Components) -> System: ...
    def reading(self, system: System, prompt: str, negative_prompt: str, size: tuple[int, int]) -> Reading: ...
    def stages(self, system: System) -> tuple[ForeignStage, ...]: ...
    def text_parts(self, found: Components) -> Mapping[str, str]:
        """Name of a text encoder's part -> that of its tokenizer's."""
        ...


def family_of(found: Components) -> Family:
    """Raises ModelError for a pipeline that no family has."""
    if found.class_name not in PIPELINES:
        raise unknown("pipeline", found.class_name, PIPELINES)
    family: Family = import_module(f"{__package__}.{PIPELINES[found.class_name]}")
    return family
