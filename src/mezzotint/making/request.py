"""The words in which pictures are asked for, the same from Python and from the command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mezzotint.conditioning.prompts import Prompts
from mezzotint.config import DEFAULT_MODEL
from mezzotint.errors import UsageError
from mezzotint.making.interval import interval_of

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

File = str | Path
Kind = TypeVar("Kind")

MOST_CANDIDATES = 64


@dataclass(frozen=True)
class Sampling:
    """What all commands that sample say of the sampler, the machine and marks.

    quality: the model's preset, draft | standard | best, for whatever of the next four is not given.
    steps: intervals of the grid.  scale: guidance, 1 is off.  solver, grid: names, also those of other tools.  All
        four are for the main stage of a system; the other stages keep their presets.
    device: auto | cpu | cuda | mps.  dtype: auto | float32 | bfloat16 | fastest.  threads: of the processor.
    mark: invisible marks in the pixels: auto, where the home has a key (``mezzotint keys mark``) and the picture room;
        off; required.
    candidates: drafts that are drawn for each picture, 1 … ``MOST_CANDIDATES``: made is that which shows best what the
        prompt names, by the model's own ranker (``making.ranked``), where it names a product.  None is the preset's,
        where there is a ranker and no picture is given.
    classifier_scale: how far that ranker moves every estimate to what the prompt names (``making.classified``), 0 is
        off.  None is the preset's, likewise, where nothing is put on the model.
    """

    quality: str = "standard"
    steps: int | None = None
    scale: float | None = None
    solver: str | None = None
    grid: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    mark: str = "off"
    candidates: int | None = None
    classifier_scale: float | None = None


@dataclass(frozen=True)
class How:
    """The words that ``generate``, ``upscale`` and ``vary`` share, meant as in ``Request``.

    said: the texts that all pictures share.  interval: of the noise sigma/alpha in which guidance is on; None is
    everywhere, or where distilled guidance was made for.
    """

    model: File | Model = DEFAULT_MODEL
    n: int = 1
    seed: int = 0
    batch: int | None = None
    said: Prompts = field(default_factory=Prompts)
    offload: bool = False
    compiled: bool = False
    interval: tuple[float, float] | None = None
    guidance: str | None = None
    cache: float | None = None
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if self.cache is not None and not 0 <= self.cache < math.inf:
            raise UsageError(f"cache is {self.cache}; expected 0 or more, such as 0.1")
        if self.offload and self.compiled:
            raise UsageError("--compile keeps the network in memory and --offload puts it away; leave one out")


@dataclass(frozen=True)
class Request:
    """The words of ``generate``.

    prompt: what to make, for a model of text; a label or another word for it for a class-conditional one, where "" is
        no condition; or several of them.
    negative_prompt: what to steer away from in place of nothing; needs a scale other than 1.
    prompt_2, prompt_3, negative_prompt_2, negative_prompt_3: what the second and the third text encoder of SDXL, SD3
        and FLUX read in their place, as diffusers has it; "" is the same text.
    model: a name, a folder, a file, or what ``load`` gave.  n: of each prompt, 1 … 1,000,000.  seed: 0 … 2^63 - n.
    parts: where the parts come from that a checkpoint in one file lacks: folders in diffusers' layout, files,
        ComfyUI's folder of models.
    guidance_interval: "LOW,HIGH", the noise sigma/alpha between which guidance is on, 0 … inf; outside one call of the
        network does where guidance takes two.  None is everywhere.  (Kynkaanniemi et al., 2024)
    guidance: by what it is guided: "distilled", its own weights as ``guide`` made them, one call of the network in the
        place of two; "distilled:from=FILE"; "auto:weak=FOLDER", a worse version of the model (Karras et al., 2024);
        "rescaled:PHI", the usual one with the contrast of the conditional answer (Lin et al., 2024);
        "apg:ETA,NORM", of the step along that answer only the share ETA, and no step longer than NORM in units of the
        state (Sadat et al., 2024, without their momentum); "apg" is 0 and any length.
        None is the usual: its own answer to no condition, or to the negative prompt.
    cache: a network whose first block says nearly what it said, by less than this share, takes the other blocks' part
        from the step before (first-block caching); None is never, 0.05 … 0.2 are usual for many steps.
    size: "WxH" in pixels.  batch: rows computed together; None is as many as there are pictures, at most 16.
    image: a picture to begin from; pictures have its size where the model can.   strength: the share of the steps that
        is run on it, above 0 and at most 1; None is 0.8, with a mask 1.
    mask: a picture of the same size that says what is painted anew, by mask_means: "white", "transparent", or
        "product", all but what is white; that stays to the bit, and grey is laid over what is made.
    lock_mask: whether pixels outside the mask are the picture's own, to the bit.
    outpaint: "LEFT,TOP,RIGHT,BOTTOM", pixels to paint around the picture.
    refiner: a folder that takes the state over at the share ``refiner_at`` of the noise's time; None is 0.8.
    prior: a folder that makes the embedding that the model makes pictures of (Kandinsky 2.2).
    then: folders that enlarge the pictures that the model makes, one after the other (stages II and III of DeepFloyd
        IF).
    lora: files to put on the model, "FILE" or "FILE:weight" each.   allow_partial: whether keys of theirs without a
        place are passed over.
    embedding: textual-inversion files; a prompt says such a word by the file's name, or the token in it.
    control: folders of ControlNets, "DIR", "DIR:WEIGHT" or "DIR:WEIGHT:BEGIN-END" (shares of the steps) each.
    control_image: the picture that each is told, scaled to cover the size of what is made and cut to its centre.
    ip_adapter: IP-Adapter files, "FILE" or "FILE:WEIGHT" each.   ip_image: the picture that each makes part of the
        prompt.   ip_encoder: the folder of CLIP's picture encoder; None is ``image_encoder`` beside each file.
    offload: whether only the part that runs is in memory: slower, for models in diffusers' layout.
    compiled: whether the network's blocks are compiled (torch.compile), once a machine: kept under the home.
    strict: whether a prompt that is too long is an error.
    use: what the pictures are for, advertising | product_design | content_generation | internal_research | evaluation;
        None is what mezzotint.toml declares.   licence_mode: enforce | warn where licences do not allow that.
    sampling: how, and on what machine.
    """

    prompt: str | Sequence[str]
    negative_prompt: str = ""
    prompt_2: str = ""
    prompt_3: str = ""
    negative_prompt_2: str = ""
    negative_prompt_3: str = ""
    model: File | Model = DEFAULT_MODEL
    parts: Sequence[File] = ()
    n: int = 1
    seed: int = 0
    guidance_interval: str | None = None
    guidance: str | None = None
    cache: float | None = None
    size: str | None = None
    batch: int | None = None
    image: File | None = None
    strength: float | None = None
    mask: File | None = None
    mask_means: str = "white"
    lock_mask: bool = False
    outpaint: str | None = None
    refiner: File | None = None
    refiner_at: float | None = None
    prior: File | None = None
    then: Sequence[File] = ()
    lora: Sequence[File] = ()
    embedding: Sequence[File] = ()
    control: Sequence[File] = ()
    control_image: Sequence[File] = ()
    ip_adapter: Sequence[File] = ()
    ip_image: Sequence[File] = ()
    ip_encoder: File | None = None
    allow_partial: bool = False
    offload: bool = False
    compiled: bool = False
    strict: bool = False
    use: str | None = None
    licence_mode: str | None = None
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each of which n pictures are made."""
        return (self.prompt,) if isinstance(self.prompt, str) else tuple(self.prompt)

    @property
    def how(self) -> How:
        """Those that other commands have too.  Raises UsageError."""
        said = Prompts(
            "", self.negative_prompt, self.prompt_2, self.prompt_3, self.negative_prompt_2, self.negative_prompt_3
        )
        interval = None if self.guidance_interval is None else interval_of(self.guidance_interval)
        return How(
            model=self.model, n=self.n, seed=self.seed, batch=self.batch, said=said, offload=self.offload,
            compiled=self.compiled, interval=interval, guidance=self.guidance, cache=self.cache, sampling=self.sampling,
        )  # fmt: skip


def of_words(kind: Callable[..., Kind], words: Mapping[str, Any]) -> Kind:
    """What has a field ``sampling``, of flat words, as commands, receipts and plans say them."""
    names = {one.name for one in fields(Sampling)}
    said = Sampling(**{name: value for name, value in words.items() if name in names})
    return kind(**{name: value for name, value in words.items() if name not in names}, sampling=said)
