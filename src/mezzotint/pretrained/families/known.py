"""Which family a diffusers folder is of, by the name of its pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from mezzotint.conditioning.counted import Counted
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import unknown
from mezzotint.pretrained.components import Components

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System


@dataclass(frozen=True)
class Known:
    """A family that runs: what it is called, its pipeline in ``model_index.json``, its module in this package.

    tested: "layout" (tiny checkpoints of the real classes give diffusers' own pictures) or "weights" (published weights
    have run, and hash and picture are on record).
    """

    name: str
    pipeline: str
    module: str
    tested: Literal["layout", "weights"] = "layout"


FAMILIES = (
    Known("Stable Diffusion 1, 2", "StableDiffusionPipeline", "stable_diffusion"),
    Known("Stable Diffusion 1, 2 inpainting", "StableDiffusionInpaintPipeline", "stable_diffusion"),
    Known("Stable Diffusion x4 upscaler", "StableDiffusionUpscalePipeline", "stable_diffusion"),
    Known("Latent consistency models", "LatentConsistencyModelPipeline", "stable_diffusion"),
    Known("Stable Diffusion XL", "StableDiffusionXLPipeline", "stable_diffusion_xl"),
    Known("Stable Diffusion XL refiner", "StableDiffusionXLImg2ImgPipeline", "stable_diffusion_xl"),
    Known("Stable Diffusion XL inpainting", "StableDiffusionXLInpaintPipeline", "stable_diffusion_xl"),
    Known("Stable Diffusion 3, 3.5", "StableDiffusion3Pipeline", "stable_diffusion_3"),
    Known("FLUX.1 dev, schnell", "FluxPipeline", "flux"),
    Known("FLUX.1 Fill", "FluxFillPipeline", "flux"),
    Known("PixArt-Σ", "PixArtSigmaPipeline", "pixart"),
    Known("DeepFloyd IF", "IFPipeline", "deepfloyd_if"),
    Known("DeepFloyd IF stage II", "IFSuperResolutionPipeline", "deepfloyd_if"),
    Known("Kandinsky 2.2", "KandinskyV22CombinedPipeline", "kandinsky_2_2"),
    Known("Kandinsky 2.2 decoder", "KandinskyV22Pipeline", "kandinsky_2_2"),
    Known("Kandinsky 2.2 prior", "KandinskyV22PriorPipeline", "kandinsky_2_2"),
    Known("Karlo unCLIP", "UnCLIPPipeline", "karlo"),
    Known("Karlo unCLIP variations", "UnCLIPImageVariationPipeline", "karlo"),
)
PIPELINES = {family.pipeline: family.module for family in FAMILIES}
"""_class_name of the index -> module of this package."""


class Reading(Protocol):
    """What is made of a prompt and of what to steer away from.

    read: the text of both that encoders are given, "" where there is none.  notes: what people should know: words
    dropped or never seen.  tokens: how much of either each encoder read.   ``conds`` -> (cond, null) of one row, of
    the same shapes for every prompt of one width, as text encoders in a number format make them: float32 values.
    """

    @property
    def width(self) -> int: ...
    @property
    def read(self) -> tuple[str, str]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def tokens(self) -> tuple[Counted, ...]: ...
    def conds(self, dtype: dtype) -> tuple[Cond, Cond]: ...


class Family(Protocol):
    """A module of this package.  ``described`` and ``reading`` do no arithmetic; ``stages`` imports the libraries.
    ``reading`` raises UsageError for texts of encoders that are not there."""

    def described(self, found: Components) -> System: ...
    def reading(self, system: System, said: Prompts, size: tuple[int, int]) -> Reading: ...
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
