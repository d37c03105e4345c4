"""What each family is for: the job of it, and the same by diffusers' pipeline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cascade_peers
import diffusers
import numpy as np
import pipelines as peers
import torch
from asking import how_of, request_of
from PIL import Image

import mezzotint as mz
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.making.sizes import size_of
from mezzotint.making.upscale import NOISE_LEVEL, Enlarging, prepare_upscale
from mezzotint.making.vary import prepare_vary
from mezzotint.pretrained.families.known import PIPELINES
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system

PROMPT, SEED, STRENGTH = "a red armchair on a beige background, studio light", 7, 0.5
RUN: dict[str, Any] = {"device": "cpu", "dtype": "float32"}
WORDS, MASK, PICTURE, ENLARGE, VARY = (
    "of a prompt", "inside a mask", "from a picture", "four times as large", "like a picture",
)  # fmt: skip
TASKS = {
    "StableDiffusionInpaintPipeline": MASK,
    "StableDiffusionXLInpaintPipeline": MASK,
    "FluxFillPipeline": MASK,
    "StableDiffusionXLImg2ImgPipeline": PICTURE,
    "StableDiffusionUpscalePipeline": ENLARGE,
    "UnCLIPImageVariationPipeline": VARY,
}


def task_of(pipeline: str) -> str:
    """What a family is for."""
    return TASKS.get(pipeline, WORDS)


@dataclass(frozen=True)
class Given:
    """What is to be checked.  pipelines: of the model, its prior and its second stage, as their indices name them."""

    pipelines: tuple[str, ...]
    model: Path
    prior: Path | None
    then: Path | None
    config: Path | None
    beside: Path | None
    parts: tuple[Path, ...]
    size: str | None
    steps: int

    @classmethod
    def of(cls, model: Path, parts: list[Path], **words: Any) -> Given:
        """Of the command line.  Raises MezzotintError: no model, or words that do not go with it."""
        place = find(str(model))
        one, like = place.is_file(), [words["config"], words["beside"]]
        if one and like.count(None) != 1:
            raise UsageError(f"{place.name} is a file: give --config FOLDER, or --beside FOLDER of the same weights")
        if not one and like.count(None) != 2:
            raise UsageError(f"{place.name} is a folder: leave out --config and --beside, they are for files")
        folders = [p for p in (words["beside"] or words["config"] or place, words["prior"], words["then"]) if p]
        return cls(tuple(pipeline_of(p) for p in folders), place, parts=tuple(parts), **words)

    @property
    def task(self) -> str:
        """What the model is for."""
        return task_of(self.pipelines[0])

    def job(self, work: Path) -> mz.Job:
        """Its job; pictures that it needs are drawn into ``work``."""
        task = self.task
        if task == VARY:
            fixed(self)
            return prepare_vary([drawn(work, 64, 64)], how_of(self.model, seed=SEED, steps=self.steps, **RUN))
        if task == ENLARGE:
            return self._enlarging(work)
        words: dict[str, Any] = {"prior": self.prior, "then": [self.then] if self.then else [], "size": self.size}
        if task in (MASK, PICTURE):
            width, height = size_of(describe_system(self.model, list(self.parts)), self.size)
            words |= {"image": drawn(work, width, height), "size": None}
            words |= {"mask": masked(work, width, height)} if task == MASK else {"strength": STRENGTH}
        return mz.prepare(
            request_of(PROMPT, model=self.model, parts=self.parts, seed=SEED, steps=self.steps, **words, **RUN)
        )

    def _enlarging(self, work: Path) -> mz.Job:
        width, height = size_of(describe_system(self.model), self.size)
        how = how_of(self.model, seed=SEED, steps=self.steps, said=Prompts(PROMPT), **RUN)
        said = Enlarging(noise_level=NOISE_LEVEL, tile=max(width, height), overlap=0)
        return prepare_upscale(drawn(work, width // 4, height // 4), how, said)


def fixed(given: Given) -> None:
    """Raises UsageError where a size is asked of a model of one alone."""
    size_of(describe_system(given.model), given.size)


def pipeline_of(folder: Path) -> str:
    """Its class, as its index names it.  Raises MezzotintError where no family has it."""
    found = describe_index(folder)
    if found not in PIPELINES:
        raise UsageError(f"{folder} is of {found}, which no family has; see mezzotint models --families")
    return found


def describe_index(folder: Path) -> str:
    """``_class_name`` of an index.  Raises UsageError."""
    try:
        return str(json.loads((folder / "model_index.json").read_text())["_class_name"])
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{folder} is no model in diffusers' layout; expected a folder with model_index.json"
        ) from error


def drawn(work: Path, width: int, height: int) -> Path:
    """A picture of slopes, in a file."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)
    Image.fromarray(pixels).save(work / "in.png")
    return work / "in.png"


def masked(work: Path, width: int, height: int) -> Path:
    """An uneven part of it, white."""
    mask = np.zeros((height, width), np.uint8)
    mask[height // 6 : height * 5 // 7, width * 3 // 7 :] = 255
    Image.fromarray(mask).save(work / "mask.png")
    return work / "mask.png"


def mine(job: mz.Job) -> tuple[list[torch.Tensor], mz.Image]:
    """The last state of each stage that ran, and the picture."""
    last: dict[int, torch.Tensor] = {}
    for event in mz.stream(job):
        if isinstance(event, mz.Image):
            return [last[k] for k in sorted(last)], event
        last[event.stage] = event.state.x
    raise AssertionError("no picture came out")


def theirs(given: Given, job: mz.Job, work: Path) -> tuple[list[torch.Tensor], np.ndarray]:
    """(last states of the last stages, pixels (H, W, 3) uint8) of the pipeline."""
    name = given.pipelines[0]
    if name == "IFPipeline":
        two = None
        if given.then is not None:
            two = peers.opened(given.then, diffusers.IFSuperResolutionPipeline, text_encoder=None, tokenizer=None)
        state, pixels = cascade_peers.deepfloyd(opened(given), two, job)
        return [state], pixels
    if name.startswith("UnCLIP"):
        words = {"image": Image.open(work / "in.png")} if given.task == VARY else {}
        states, picture = cascade_peers.karlo(opened(given), job, **words)
        return states, np.round(picture)
    if name.startswith("Kandinsky"):
        return _kandinsky(given, job)
    state, pixels = _one_stage(given, job, work)
    return [state], pixels


def _kandinsky(given: Given, job: mz.Job) -> tuple[list[torch.Tensor], np.ndarray]:
    pipe = opened(given)
    whole = given.prior is None
    prior = pipe.prior_pipe if whole else peers.opened(given.prior)
    embeddings, first = cascade_peers.embeddings(prior, job)
    latents, pixels = cascade_peers.decoded(pipe.decoder_pipe if whole else pipe, job, embeddings)
    return [first, latents], pixels


def _one_stage(given: Given, job: mz.Job, work: Path) -> tuple[torch.Tensor, np.ndarray]:
    pipe = opened(given)
    if given.task == MASK:
        return peers.from_picture(pipe, job, work / "in.png", work / "mask.png", strength=1.0)
    if given.task == PICTURE:
        return peers.from_picture(pipe, job, work / "in.png", strength=STRENGTH)
    if given.task == ENLARGE:
        return peers.enlarged(pipe, job, work / "in.png", NOISE_LEVEL)
    return peers.from_words(pipe, job)


def opened(given: Given) -> Any:
    """The pipeline: of the folder, of the folder beside a file, or of the file as diffusers reads it.

    Raises UsageError where diffusers cannot.
    """
    try:
        if given.config is None:
            return peers.opened(given.beside or given.model)
        return peers.read(given.model, given.config)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = str(error).strip().partition("\n")[0]
        other = "; try --beside FOLDER with the same weights" if given.config else ""
        raise UsageError(f"diffusers cannot open {given.model.name}: {type(error).__name__}: {said}{other}") from error
