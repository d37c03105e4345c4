"""The script for those who have published weights runs every family, passes on sound files and fails on others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import cascades
import checkpoints
import diffusers
import flow_singles
import numpy as np
import pytest
import singles
import torch
from PIL import Image
from pipelines import quiet
from safetensors.torch import load_file, save_file

from mezzotint.files import sha256
from mezzotint.pretrained.families.known import FAMILIES

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "weights"))

import check
import tasks

Words = list[str]
SMALL, STEPS = ["--size", "32x32"], ["--steps", "2"]


def inpaint_xl(folder: Path) -> Path:
    return checkpoints.stable_diffusion_xl(folder, diffusers.StableDiffusionXLInpaintPipeline, in_channels=9)


def fill(folder: Path) -> Path:
    return checkpoints.flux(folder, distilled=True, pipeline=diffusers.FluxFillPipeline, channels=48)


def consistency(folder: Path) -> Path:
    parts = {
        "scheduler": diffusers.LCMScheduler(**checkpoints.SD_BETAS), "unet": checkpoints.unet(time_cond_proj_dim=32),
    }  # fmt: skip
    base = checkpoints.stable_diffusion(folder)
    return checkpoints.changed(base, folder / "lcm", diffusers.LatentConsistencyModelPipeline, **parts)


def halves(folder: Path) -> Path:
    """Published in half precision alone."""
    base = checkpoints.stable_diffusion(folder)
    diffusers.StableDiffusionPipeline.from_pretrained(base).to(torch.float16).save_pretrained(
        folder / "half", variant="fp16"
    )
    return folder / "half"


def turbo(folder: Path) -> Path:
    """Few steps, from a scheduler that draws noise in each and begins at sigma."""
    base = checkpoints.stable_diffusion_xl(folder)
    with quiet():
        scheduler = diffusers.EulerAncestralDiscreteScheduler(**checkpoints.SD_BETAS, timestep_spacing="trailing")
    return checkpoints.changed(base, folder / "turbo", diffusers.StableDiffusionXLPipeline, scheduler=scheduler)


def decoder(folder: Path) -> Words:
    return [str(cascades.kandinsky_decoder(folder)), "--prior", str(cascades.kandinsky_prior(folder))]


def combined(folder: Path) -> Path:
    parts = cascades.kandinsky_prior(folder), cascades.kandinsky_decoder(folder)
    return cascades.kandinsky_combined(*parts, folder / "both")


def both_stages(folder: Path) -> Words:
    return [str(cascades.if_first(folder)), "--then", str(cascades.if_second(folder))]


def flux(folder: Path) -> Path:
    return checkpoints.flux(folder, distilled=True)


@dataclass(frozen=True)
class Case:
    """What is checked: the words of it, the families that run, the size where its own, 256 pixels, is slow."""

    make: Callable[[Path], Path | Words]
    families: tuple[str, ...]
    size: Words = field(default_factory=list)


FOLDERS = {
    "sd1": Case(checkpoints.stable_diffusion, ("Stable Diffusion 1, 2",)),
    "sd1 halves": Case(halves, ("Stable Diffusion 1, 2",)),
    "sd1 inpaint": Case(checkpoints.stable_diffusion_inpaint, ("Stable Diffusion 1, 2 inpainting",)),
    "x4": Case(checkpoints.upscaler, ("Stable Diffusion x4 upscaler",)),
    "lcm": Case(consistency, ("Latent consistency models",)),
    "xl": Case(checkpoints.stable_diffusion_xl, ("Stable Diffusion XL",)),
    "turbo": Case(turbo, ("Stable Diffusion XL",)),
    "refiner": Case(checkpoints.stable_diffusion_xl_refiner, ("Stable Diffusion XL refiner",)),
    "xl inpaint": Case(inpaint_xl, ("Stable Diffusion XL inpainting",)),
    "sd3": Case(checkpoints.stable_diffusion_3, ("Stable Diffusion 3, 3.5",)),
    "flux": Case(flux, ("FLUX.1 dev, schnell",), SMALL),
    "fill": Case(fill, ("FLUX.1 Fill",), SMALL),
    "pixart": Case(checkpoints.pixart, ("PixArt-Σ",)),
    "if": Case(cascades.if_first, ("DeepFloyd IF",)),
    "if, both": Case(both_stages, ("DeepFloyd IF", "DeepFloyd IF stage II")),
    "kandinsky": Case(combined, ("Kandinsky 2.2",)),
    "kandinsky, two": Case(decoder, ("Kandinsky 2.2 decoder", "Kandinsky 2.2 prior")),
    "karlo": Case(cascades.karlo, ("Karlo unCLIP",)),
    "karlo, varied": Case(cascades.karlo_variations, ("Karlo unCLIP variations",)),
}
QUICK = ("sd1", "xl", "flux", "pixart", "karlo", "flux dev")
"""One of each kind; that every family does what its library does is held by the tests of parity."""


def read(make: Callable[[Path], tuple[Path, ...]], folder: Path) -> Words:
    """A file and the folder of its configurations."""
    whole, file = make(folder)[:2]
    return [str(file), "--config", str(whole)]


FILES: dict[str, Callable[[Path], Words]] = {
    "sd1": lambda f: read(singles.stable_diffusion_1, f),
    "sd1 inpaint": lambda f: read(partial(singles.stable_diffusion_1, inpaints=True), f),
    "sd2": lambda f: read(singles.stable_diffusion_2, f),
    "xl file": lambda f: read(singles.stable_diffusion_xl, f),
    "refiner": lambda f: read(flow_singles.refiner, f),
    "sd3": lambda f: read(partial(flow_singles.sd3, with_t5=False), f),
    "sd35": lambda f: [*read(partial(flow_singles.sd3, with_t5=True), f), "--parts", str(f / "t5")],
    "flux dev": lambda f: beside(flow_singles.flux(f, distilled=True)),
    "flux schnell": lambda f: beside(flow_singles.flux(f, distilled=False)),
}


def beside(made: tuple[Path, Path, Path]) -> Words:
    """A file, the folder of the same weights, T5's tokenizer: diffusers' reader knows FLUX' published width alone."""
    return [str(made[1]), "--beside", str(made[0]), "--parts", str(made[2])]


def marked(kinds: Iterable[str]) -> list[Any]:
    return [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.slow) for kind in kinds]


def test_every_family_is_run() -> None:
    assert {name for case in FOLDERS.values() for name in case.families} == {f.name for f in FAMILIES}


@pytest.mark.slow
@pytest.mark.parametrize("kind", marked(FOLDERS))
def test_folders_pass(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, out = FOLDERS[kind], tmp_path / "r.json"
    made = case.make(tmp_path)
    words = [str(made)] if isinstance(made, Path) else made
    assert check.main([*words, *case.size, *STEPS, "--out", str(out)]) == 0
    said = json.loads(out.read_text())
    assert tuple(said["families"]) == case.families
    assert said["latents"] == max(said["stages"]) < 1e-4 and len(said["weights_sha256"]) == 64
    with Image.open(out.with_suffix(".png")) as picture:
        assert sha256(np.asarray(picture).tobytes()) == said["picture_sha256"] and list(picture.size) == said["size"]
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines] == ["family", "weights", "latents", "pixels", "picture", "passed"]


@pytest.mark.parametrize("kind", marked(FILES))
def test_single_files_pass(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([*FILES[kind](tmp_path), *SMALL, *STEPS]) == 0
    assert "single file" in capsys.readouterr().out


def test_weights_that_differ_fail(sd1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pipeline of another checkpoint, beside ours."""
    other = checkpoints.stable_diffusion(tmp_path)
    weights = other / "unet/diffusion_pytorch_model.safetensors"
    save_file({k: v * 1.05 for k, v in load_file(weights).items()}, weights)
    given = tasks.Given.of(sd1, [], prior=None, then=None, config=None, beside=None, size=None, steps=2)
    found, _ = check.record(replace(given, beside=other), tmp_path)
    assert not found.passed and str(found).endswith("failed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["prior"], "is a prior alone; give it as --prior"),
        (["sd1", "--size", "31x32"], "size 31x32 cannot be made"),
        (["sd1", "--config", "sd1"], "is a folder: leave out --config and --beside"),
        (["one.safetensors"], "is a file: give --config FOLDER, or --beside FOLDER"),
        (["one.safetensors", "--config", "empty"], "is no model in diffusers' layout"),
        (["variations", "--size", "64x64"], "it makes 32x32"),
        (["sd1", "--out", "r.txt"], "expected a file that does not exist and ends in .json"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    words: Words, said: str, sd1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sd1").symlink_to(sd1)
    (tmp_path / "empty").mkdir()
    save_file(load_file(sd1 / "vae/diffusion_pytorch_model.safetensors"), tmp_path / "one.safetensors")
    if "prior" in words:
        cascades.kandinsky_prior(tmp_path)
    if "variations" in words:
        cascades.karlo_variations(tmp_path).rename(tmp_path / "variations")
    placed = [
        str(tmp_path / word) if word[:2] != "--" and "x3" not in word and "x6" not in word else word for word in words
    ]
    assert check.main(placed) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1 and not shown.out
