"""diffusers' cascades run as a job of ours would run, with our noise: the draws of schedulers that add some, in the
order in which stages and steps ask."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from lent import Lent
from PIL import Image
from pipelines import made_by, quiet

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.stage import LINK_DRAW

KARLO = ("prior", "decoder", "super_res")
"""Its stages, as the names of its parts begin."""


def noise_of(patch: pytest.MonkeyPatch, module: str, stages: Sequence[tuple[Noise, int]], first: int = 0) -> None:
    """Fresh noise of ``module`` is ours: of each (noise, steps) the steps from ``first`` but the last, which asks for
    none."""
    draws = iter([(noise, 1 + i) for noise, steps in stages for i in range(first, steps - 1)])

    def drawn(shape: Any, **words: Any) -> torch.Tensor:
        noise, draw = next(draws)
        return noise(draw, tuple(shape)).float()

    patch.setattr(f"{module}.randn_tensor", drawn)


def exact(scheduler: Any) -> None:
    """Its table in float64: of the cosine table's smallest beta, 4e-5, float32 keeps so little that finished pictures
    would come out 0.05 % too dark."""
    scheduler.betas = scheduler.betas.double()
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)


def lend(pipe: Any, name: str = "scheduler") -> Lent:
    """A pipeline's scheduler, exact, through the adapter that keeps its last state."""
    scheduler = getattr(pipe, name)
    lent = scheduler if isinstance(scheduler, Lent) else Lent(scheduler)
    exact(lent.scheduler)
    setattr(pipe, name, lent)
    return lent


def karlo(pipe: Any, job: mz.Job, **words: Any) -> tuple[list[torch.Tensor], np.ndarray]:
    """Each stage's last state, and the picture (H, W, 3) as floats of 0 … 255, of the stages that the job runs.

    words: a picture, in place of the prior.
    """
    stages = {k: job.stages[k] for k in range(job.first, len(job.stages))}
    parts = {k: KARLO[k - len(job.stages)] for k in stages}
    noises = {k: Noise(job.seeds[:1], k) for k in stages}
    with quiet() as patch:
        for module in ("unclip", "ddpm"):
            draws = [(noises[k], stage.plan.steps) for k, stage in stages.items()]
            noise_of(patch, f"diffusers.schedulers.scheduling_{module}", draws)
        lent = [lend(pipe, f"{part}_scheduler") for part in parts.values()]
        said: dict[str, Any] = dict(words or {"prompt": job.pictures[0].prompt})
        for k, stage in stages.items():
            state = noises[k](0, (1, *stage.model.spec.shape)).float()
            said[f"{parts[k]}_latents"] = state[:, 0] if parts[k] == "prior" else state
            said[f"{parts[k]}_num_inference_steps"] = stage.plan.steps
        pixels = pipe(**said, decoder_guidance_scale=job.main.plan.scale, output_type="np").images
    return [one.last for one in lent], pixels[0] * 255


class Rows(Noise):
    """The noise of one sample with several embeddings, as so many rows."""

    def __init__(self, seed: int, many: int) -> None:
        super().__init__((seed,))
        object.__setattr__(self, "many", many)

    def __call__(self, draw: int, shape: Any) -> torch.Tensor:
        return Noise(self.seeds)(draw, (1, shape[0], *shape[1:]))[0]


def embeddings(pipe: Any, job: mz.Job) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What Kandinsky's prior hands on, and its last state (rows, width)."""
    plan, many = job.stages[0].plan, job.stages[0].model.spec.shape[0]
    noise, lent = Rows(job.seeds[0], many), lend(pipe)
    with quiet() as patch:
        for module in ("unclip", "ddpm"):
            noise_of(patch, f"diffusers.schedulers.scheduling_{module}", [(noise, plan.steps)])
        begin = noise(0, job.stages[0].model.spec.shape).float()
        away = {"negative_prompt": job.said.negative_prompt} if job.said.negative_prompt else {}
        run = {"num_inference_steps": plan.steps, "guidance_scale": plan.scale}
        given = dict(pipe(job.pictures[0].prompt, **away, latents=begin, **run))
    return given, lent.last


def decoded(pipe: Any, job: mz.Job, given: dict[str, Any], **begins: Any) -> tuple[torch.Tensor, np.ndarray]:
    """(latents, pixels) of Kandinsky's decoder.   begins: a picture and a strength, of its image-to-image pipeline."""
    plan, noise, (width, height) = job.main.plan, Noise(job.seeds[:1], 1), job.size
    pipe.scheduler = pipe.scheduler if isinstance(pipe.scheduler, Lent) else Lent(pipe.scheduler)
    first = plan.steps - int(plan.steps * begins["strength"]) if begins else 0
    start = noise(0, (1, *job.main.model.spec.shape)).float()
    with quiet() as patch, torch.no_grad():
        noise_of(patch, "diffusers.schedulers.scheduling_ddpm", [(noise, plan.steps)], first)
        if begins:
            patch.setattr(sys.modules[type(pipe).__module__], "randn_tensor", lambda *_, **__: start)
        run = {"num_inference_steps": plan.steps, "guidance_scale": plan.scale, "height": height, "width": width}
        latents = pipe(**given, **run, **(begins or {"latents": start}), output_type="latent").images
        pixels = pipe.movq.decode(latents, force_not_quantize=True).sample
    return latents, ((pixels[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).round().numpy().astype(np.uint8)


def like(pipe: Any, picture: Path) -> dict[str, torch.Tensor]:
    """What Kandinsky's prior hands on of a picture."""
    with quiet(), Image.open(picture) as seen:
        return dict(pipe.interpolate([seen], [1.0], num_inference_steps=2))


def deepfloyd(one: Any, two: Any | None, job: mz.Job) -> tuple[torch.Tensor, np.ndarray]:
    """(states, pixels) of DeepFloyd IF's stage I or, where there is ``two``, of both stages."""
    prompt, away = job.pictures[0].prompt, job.said.negative_prompt
    noises = [(Noise(job.seeds[:1], k), stage.plan.steps) for k, stage in enumerate(job.stages)]
    draws = isinstance(one.scheduler, diffusers.DDPMScheduler) or isinstance(
        getattr(one.scheduler, "scheduler", None), diffusers.DDPMScheduler
    )
    lend(one)
    with quiet() as patch:
        noise_of(patch, "diffusers.schedulers.scheduling_ddpm", noises if draws else noises[1:])
        _drawing(patch, "pipeline_if", noises[0][0], 0)
        words = {"num_inference_steps": job.main.plan.steps, "guidance_scale": job.main.plan.scale}
        made = one(prompt, negative_prompt=away, **words, clean_caption=False, output_type="pt").images
        if two is not None:
            lend(two)
            plan = job.stages[1].plan
            strong, weak = one.encode_prompt(prompt, negative_prompt=away)
            _drawing(patch, "pipeline_if_superresolution", noises[1][0], 0, LINK_DRAW)
            words = {"num_inference_steps": plan.steps, "guidance_scale": plan.scale, "output_type": "pt"}
            made = two(image=made, prompt_embeds=strong, negative_prompt_embeds=weak, **words).images
    return made, ((made[0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5).round().astype(np.uint8)


def deepfloyd_edited(one: Any, two: Any | None, job: mz.Job) -> tuple[torch.Tensor, np.ndarray]:
    """The same of the pipelines that begin from a picture, inside a mask where the job has one: ``one`` and ``two`` are
    those for words alone, whose parts they share."""
    kind = "Img2Img" if job.edit.mask is None else "Inpainting"
    words = {"negative_prompt": job.said.negative_prompt}
    strong, weak = one.encode_prompt(job.pictures[0].prompt, **words, clean_caption=False)
    words = {"prompt_embeds": strong, "negative_prompt_embeds": weak, "output_type": "pt"}
    made = _edited(getattr(diffusers, f"IF{kind}Pipeline"), one, job, 0, job.edit.strength, (0,), "image", words)
    if two is not None:
        words |= {"image": made}  # at a level of noise that is this pipeline's own
        pipeline = getattr(diffusers, f"IF{kind}SuperResolutionPipeline")
        made = _edited(pipeline, two, job, 1, 0.8, (0, LINK_DRAW), "original_image", words)
    return made, ((made[0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5).round().astype(np.uint8)


def _edited(
    made: Any, like: Any, job: mz.Job, k: int, strength: float, draws: tuple[int, ...], name: str, words: dict[str, Any]
) -> torch.Tensor:
    """Stage k's last state.   name: of the picture in the pipeline's words."""
    plan, noise, codec = job.stages[k].plan, Noise(job.seeds[:1], k), job.stages[k].model.codec()
    lend(like)
    pipe = made(**like.components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    kept = job.edit.kept(codec, "cpu")
    given = {name: job.edit.known(codec, "cpu"), **({} if kept is None else {"mask_image": 1 - kept})}
    with quiet() as patch:
        if isinstance(like.scheduler.scheduler, diffusers.DDPMScheduler):
            first = plan.steps - int(plan.steps * strength)
            noise_of(patch, "diffusers.schedulers.scheduling_ddpm", [(noise, plan.steps)], first)
        _drawing(patch, made.__module__.rpartition(".")[2], noise, *draws)
        run = {"num_inference_steps": plan.steps, "guidance_scale": plan.scale, "strength": strength}
        return pipe(**given, **run, **words).images


def third(pipe: Any, job: mz.Job, small: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
    """(latents, pixels) of the x4 upscaler on what stage II made, (1, 3, H, W) in -1 … 1."""
    stage, noise = job.stages[2], Noise(job.seeds[:1], 2)
    words = {
        "negative_prompt": job.said.negative_prompt, "num_inference_steps": stage.plan.steps, "noise_level": 100,
        "guidance_scale": stage.plan.scale, "latents": noise(0, (1, *stage.model.spec.shape)).float(), "image": small,
    }  # fmt: skip
    with quiet() as patch:
        drawn = lambda shape, **_: noise(LINK_DRAW, tuple(shape)).float()  # noqa: E731
        patch.setattr(sys.modules[type(pipe).__module__], "randn_tensor", drawn)
        return made_by(pipe, job.pictures[0].prompt, **words)


def _drawing(patch: pytest.MonkeyPatch, module: str, noise: Noise, *draws: int) -> None:
    """What a pipeline draws itself is ours."""
    left = iter(draws)
    patch.setattr(
        f"diffusers.pipelines.deepfloyd_if.{module}.randn_tensor",
        lambda shape, **words: noise(next(left), tuple(shape)).float(),
    )
