"""``upscale``: a picture made larger, by a model made for it or, in tiles, by any that begins from a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.files import sha256
from mezzotint.making.canvas import Canvas
from mezzotint.making.checked import checked, named, said_beside
from mezzotint.making.counts import check_count, rows_for
from mezzotint.making.edit import Edit
from mezzotint.making.heeded import Heeded
from mezzotint.making.job import Job, Planned, Wanted
from mezzotint.making.licensed import licensed
from mezzotint.making.opened import opened
from mezzotint.making.planned import planned
from mezzotint.making.prompt import told
from mezzotint.making.request import How, Sampling
from mezzotint.making.sizes import step_of
from mezzotint.pictures.flat import rgb
from mezzotint.pictures.png import MAX_PIXELS, Pixels
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from mezzotint.making.image import Result
    from mezzotint.pretrained.model import Model

BY, STRENGTH, NOISE_LEVEL = 2, 0.3, 20
"""Unless told otherwise; the level of noise is the default of the x4 upscaler's own pipeline."""


@dataclass(frozen=True)
class Enlarging:
    """The words of ``upscale`` that say how much, by how, and in what tiles; pixels are those of the larger picture."""

    by: int | None = None
    strength: float | None = None
    noise_level: int | None = None
    tile: int | None = None
    overlap: int | None = None


@dataclass(frozen=True)
class Larger:
    """What was decided.  pixels: (H, W, 3), as given.  special: the model takes the small picture itself."""

    pixels: Pixels
    special: bool
    by: int
    tile: int
    overlap: int
    step: int

    @property
    def crop(self) -> tuple[int, int]:
        """(width, height) of the larger picture."""
        return self.pixels.shape[1] * self.by, self.pixels.shape[0] * self.by

    @property
    def padded(self) -> tuple[int, int]:
        """The same in whole steps."""
        width, height = (-(-n // self.step) * self.step for n in self.crop)
        return width, height

    @property
    def seen(self) -> tuple[int, int]:
        """(width, height) of what the network sees at once."""
        return min(self.tile, self.padded[0]), min(self.tile, self.padded[1])


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UsageError(otherwise)


def larger(system: System, picture: Path, words: Enlarging) -> Larger:
    """The words checked.  Raises InputError (the picture), UsageError."""
    single = len(system.members) == 1
    _need(system.any_size, f"{system.name} makes one size alone; expected a model of latents in diffusers' layout")
    _need(single, f"{system.name} runs in stages; expected an upscaler, or a model of one stage")
    spec = system.members[system.main].described.spec
    sees, factor = spec.net.get("sees", ""), int(spec.codec["factor"])
    _need(sees in ("", "lowres"), f"{system.name} paints inside a mask; expected an upscaler, or a model that has none")
    special = sees == "lowres"
    if special:
        _need(words.by in (None, factor), f"{system.name} makes pictures {factor} times as large; leave --by out")
        _need(words.strength is None, f"strength has no effect on {system.name}, an upscaler; see --noise-level")
    else:
        _need(words.noise_level is None, f"noise-level has no effect on {system.name}, no upscaler; see --strength")
    by = factor if special else BY if words.by is None else words.by
    _need(1 <= by <= 16, f"by is {by}; expected 1 to 16")
    step = step_of(system)
    tile = max(step, min(system.size) // step * step) if words.tile is None else words.tile
    overlap = tile // 4 if words.overlap is None else words.overlap
    _need(tile >= step and tile % step == 0, f"tile is {tile}; expected a multiple of {step}")
    _need(0 <= overlap <= tile // 2, f"overlap is {overlap}; expected 0 to {tile // 2}, half a tile")
    found = Larger(rgb(picture), special, by, tile, overlap, step)
    width, height = found.crop
    _need(
        width * height <= MAX_PIXELS,
        f"{picture} would be {width}x{height}, {width * height / 1e6:.0f} million pixels; at most"
        f" {MAX_PIXELS / 1e6:.0f} million are made: take a smaller part, or a smaller --by",
    )
    return found


def _filled(pixels: Pixels, width: int, height: int) -> Pixels:
    """Its edge repeated to the right and below."""
    return np.pad(pixels, ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)), mode="edge")


def _enlarged(found: Larger) -> Pixels:
    from PIL import Image

    made: Pixels = np.asarray(Image.fromarray(found.pixels).resize(found.crop, Image.Resampling.LANCZOS), np.uint8)
    return _filled(made, *found.padded)


def prepare_upscale(picture: Path, how: How, words: Enlarging) -> Job:
    """The job of ``upscale``'s words.  Arguments and errors: as ``upscale``."""
    system = opened(how.model)
    beside = [*said_beside(how.said, how.sampling.scale), *named([picture])]
    heeded = Heeded(licensed(system), checked([how.said.prompt], beside))
    found = larger(system, picture, words)
    task: dict[str, Any] = {
        "name": "upscale", "picture": sha256(found.pixels.tobytes()), "by": found.by, "tile": found.tile,
        "overlap": found.overlap,
    }  # fmt: skip
    edit, given, link = None, None, None
    if found.special:
        import torch

        level = _noise_level(system, words.noise_level)
        task["noise_level"] = level
        link = {"name": "beside", "level": level}
        small = _filled(found.pixels, *(n // found.by for n in found.padded))
        given = torch.from_numpy(small.copy()).permute(2, 0, 1)
    else:
        strength = STRENGTH if words.strength is None else words.strength
        _need(0 < strength <= 1, f"strength is {strength}; expected above 0 and at most 1")
        task["strength"] = strength
        edit = Edit(_enlarged(found), None, strength)
    from mezzotint.diffusion.philox import seeds_from

    said, prompt = told(system, how.said, found.seen), how.said.prompt
    seeds = seeds_from(how.seed, check_count("n", how.n))
    pictures = tuple(Wanted(s, prompt, said, task, given, prompt or picture.stem) for s in seeds)
    job = planned(how, system, pictures, rows_for(1, how.batch), found.seen, edit=edit)
    stages = tuple(_whole(stage, found.padded, link) for stage in job.stages)
    factor = int(system.members[system.main].described.spec.codec["factor"])
    canvas = Canvas((found.tile // factor, found.tile // factor), found.overlap // factor, found.crop)
    return replace(job, stages=stages, size=found.crop, canvas=canvas, heeded=heeded)


def _whole(stage: Planned, size: tuple[int, int], link: dict[str, Any] | None) -> Planned:
    """A stage planned for a tile, for the whole."""
    return replace(stage, model=stage.model.at(size), link=stage.link if link is None else link)


def _noise_level(system: System, asked: int | None) -> int:
    most = int(system.members[system.main].described.spec.net["max_noise_level"])
    level = min(NOISE_LEVEL, most) if asked is None else asked
    _need(0 <= level <= most, f"noise-level is {level}; expected 0 to {most}")
    return level


def upscale(
    picture: str | Path,
    *,
    prompt: str = "",
    negative_prompt: str = "",
    model: str | Path | Model,
    by: int | None = None,
    strength: float | None = None,
    noise_level: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    n: int = 1,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
    mark: str = "off",
) -> Result:
    """Makes a picture larger: by an upscaler's checkpoint, which is told the small picture, or by any model in
    diffusers' layout, which begins from the enlarged one.

    The state is denoised in tiles that are blended in every step (``diffusion.guidance.Tiled``), so that memory is
    bounded by a tile and the size by 16 million pixels.
    Args: picture: a file.  prompt: what it shows.  model: a name, a folder, or what ``load`` gave.
        by: how many times as large along each side; None is 2, or what the upscaler does.
        strength: the share of the steps that is run, above 0 and at most 1; None is 0.3.  Not with an upscaler.
        noise_level: of the small picture that an upscaler is told, 0 to the model's largest; None is 20.
        tile, overlap: in pixels of the larger picture; None is the model's own size, and a quarter of that.
        n, seed, batch: as ``generate``; a batch is one picture where None.   The rest: as ``generate``.
    Returns: n pictures with their receipts.
    Raises: UsageError (words; another kind of model; too large), InputError (files), ModelError, NonFiniteError.
    """
    from mezzotint.making.run import result_of

    said = Prompts(prompt, negative_prompt)
    sampling = Sampling(
        quality, steps, scale, solver, grid, device, dtype, threads, mark, candidates=1, classifier_scale=0.0
    )
    how = How(model=model, n=n, seed=seed, batch=batch, said=said, sampling=sampling)
    return result_of(prepare_upscale(Path(picture), how, Enlarging(by, strength, noise_level, tile, overlap)))
