"""Runs published weights once, beside diffusers' own pipeline, and writes down what came out.

    python tests/weights/check.py FOLDER [--size 512x512] [--steps 8] [--out RECORD.json]

FOLDER is a model in diffusers' layout that has been fetched before; nothing is downloaded.  The record says which
weights ran (SHA-256), how far latents and pixels are from the pipeline's, and the picture's hash.  A family is
*weights-tested* when such a record, of a run that passes, is in ``tests/weights/records`` and ``families/known.py``
says so.

Exits with 0 where latents are within 1e-3 of their largest value and pixels within two grey levels, else with 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mezzotint as mz
from mezzotint.diffusion.sample import start
from mezzotint.files import pretty_json, sha256, write_atomic
from mezzotint.making.job import Job
from mezzotint.pretrained.families.known import FAMILIES
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system

PROMPT, SEED = "a red armchair on a beige background, studio light", 7
LATENTS, PIXELS = 1e-3, 2


def ours(job: Job) -> tuple[torch.Tensor, np.ndarray]:
    """(final latents, pixels)."""
    last = None
    for event in mz.stream(job):
        if isinstance(event, mz.Progress):
            last = event.state.x
        elif last is not None:
            return last, event.pixels
    raise SystemExit("no picture came out")


def theirs(folder: Path, job: Job, steps: int) -> tuple[torch.Tensor, np.ndarray]:
    """The same of the pipeline, from our noise."""
    import diffusers

    from mezzotint.diffusion.noise import Noise

    shape = job.stages[0].model.spec.shape
    own = start(Noise((SEED,)), shape, job.stages[0].plan.levels).float()
    unit = Noise((SEED,))(0, (1, *shape)).float()
    warnings.simplefilter("ignore")
    pipe: Any = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    flows = "FlowMatch" in type(pipe.scheduler).__name__
    begin = own if flows else unit
    width, height = job.size
    words = {"prompt": PROMPT, "num_inference_steps": steps, "height": height, "width": width,
             "guidance_scale": job.main.plan.scale}  # fmt: skip
    packs = isinstance(pipe, diffusers.FluxPipeline)
    given = pipe._pack_latents(begin, 1, *shape) if packs else begin
    latents = pipe(**words, latents=given, output_type="latent").images
    pixels = pipe(**words, latents=given, output_type="np").images[0]
    if packs:
        latents = pipe._unpack_latents(latents, height, width, pipe.vae_scale_factor)
    return latents, np.round(pixels * 255)


def record(folder: Path, size: str | None, steps: int) -> dict[str, Any]:
    """What came out."""
    job = mz.prepare(PROMPT, model=folder, seed=SEED, steps=steps, size=size)
    mine, made = ours(job)
    latents, pixels = theirs(folder, job, steps)
    system = job.model.system
    assert system.components is not None
    name = next(f.name for f in FAMILIES if f.pipeline == system.components.class_name)
    return {
        "family": name,
        "pipeline": system.components.class_name,
        "weights_sha256": system.weights_sha256,
        "size": list(job.size),
        "steps": steps,
        "latents": float((mine - latents).abs().max() / latents.abs().max()),
        "pixels": int(np.abs(made.astype(int) - pixels).max()),
        "picture_sha256": sha256(made.tobytes()),
        "versions": dict(job.made(job.pictures[0]).versions),
    }


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--size")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(argv)
    folder = find(given.folder)
    if describe_system(folder).components is None:
        raise SystemExit(f"{folder} is no model in diffusers' layout")
    found = record(folder, given.size, given.steps)
    print(json.dumps(found, indent=2))
    if given.out is not None:
        write_atomic(given.out, pretty_json(found), replace=False)
    return 0 if found["latents"] <= LATENTS and found["pixels"] <= PIXELS else 1


if __name__ == "__main__":
    sys.exit(main())
