"""The command behind a receipt of ours makes the picture again to the byte: models in diffusers' layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import flow_singles
import numpy as np
import pytest
import singles
import torch
from cascades import if_first, if_second, kandinsky_combined, kandinsky_decoder, kandinsky_prior, karlo_variations
from checkpoints import controlnet, stable_diffusion_xl_refiner, upscaler
from PIL import Image
from safetensors.torch import load_file, save_file

from mezzotint.pretrained.original_flow import CLIP_L, T5
from mezzotint.pretrained.original_unet import CLIP_1, VAE

Again = Callable[[Sequence[str], Mapping[str, Path]], list[list[str]]]
WORDS = ["generate", "--model=SD", "--seed=7", "--steps=4", "--", "a red chair"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A picture of 32 x 32, another, and masks of its right half: by white, and by transparency."""
    folder = tmp_path_factory.mktemp("files")
    y, x = np.mgrid[:32, :32]
    drawn = np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)
    Image.fromarray(drawn).save(folder / "PICTURE.png")
    Image.fromarray(drawn[::-1, :24]).save(folder / "OTHER.png")
    Image.fromarray(np.where(x >= 16, 255, 0).astype(np.uint8)).save(folder / "MASK.png")
    hole = np.dstack([drawn, np.where(x >= 16, 0, 255).astype(np.uint8)])
    Image.fromarray(hole).save(folder / "HOLE.png")
    return {path.stem: path for path in folder.iterdir()}


def named(folder: Path) -> dict[str, Path]:
    """A model by the word that tests say for it, and by its own."""
    return {"SD": folder, folder.name: folder}


def test_the_scheduler_of_its_folder(sd1: Path, made_again: Again) -> None:
    """PNDM with its flags, which are no options of our grids."""
    said = made_again([*WORDS[:-2], "--n=2", "--scale=3.1234567", *WORDS[-2:]], named(sd1))[1]
    assert "--scale=3.1234567" in said and "--batch=2" in said and "--seed=8" in said
    assert any(a.startswith("--solver=PNDMScheduler:") and "skip_prk_steps=true" in a for a in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampling",
    [
        ["--solver=DPM++ 3M SDE"],
        ["--solver=dpmpp_2m:scheduler=karras"],
        ["--solver=PLMS"],
        ["--solver=DPM++ 2M KL Optimal"],
        ["--solver=euler:s_churn=2,s_noise=1.003", "--grid=karras:rho=5"],
        ["--solver=UniPCMultistepScheduler:use_karras_sigmas=True,solver_order=3"],
        ["--solver=DDIM:eta=0.5"],
    ],
)
def test_any_other_solver_and_grid(sampling: list[str], sd1: Path, made_again: Again) -> None:
    made_again([*WORDS[:-2], *sampling, *WORDS[-2:]], named(sd1))


def test_shifts_that_go_by_the_size(flux_dev: Path, made_again: Again) -> None:
    (said,) = made_again([*WORDS[:-2], "--size=32x48", *WORDS[-2:]], named(flux_dev))
    assert any("mu=" in a for a in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (["--strength=0.7"], "--strength=0.7"),
        (["--strength=0.7", "--guidance-interval=0.25,inf"], "--guidance-interval=0.25,inf"),
        (["--mask=MASK", "--lock-mask"], "--lock-mask"),
        (["--mask=MASK", "--strength=0.55"], "--mask=MASK"),
        (["--outpaint=8,0,0,16"], "--outpaint=8,0,0,16"),
    ],
)
def test_edited_pictures(edit: list[str], kept: str, sd1: Path, files: dict[str, Path], made_again: Again) -> None:
    words = [*WORDS[:-2], "--image=PICTURE", *edit, "--dtype=bfloat16", *WORDS[-2:]]
    (said,) = made_again(words, {**named(sd1), **files})
    assert kept in said and "--image=PICTURE" in said and "--dtype=bfloat16" in said


def test_a_mask_that_says_it_by_transparency(sd1: Path, files: dict[str, Path], made_again: Again) -> None:
    words = [*WORDS[:-2], "--image=PICTURE", "--mask=MASK", "--mask-means=transparent", *WORDS[-2:]]
    (said,) = made_again(words, {**named(sd1), **files, "MASK": files["HOLE"]})
    assert "--mask-means=transparent" in said
    (other,) = made_again([word for word in words if "means" not in word], {**named(sd1), **files})
    assert [word for word in said if "means" not in word] == other


def test_a_lora_that_fits_in_part(sd1: Path, made_again: Again, tmp_path: Path) -> None:
    path, size = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", 64
    low = {f"unet.{path}.lora_A.weight": torch.randn(2, size), f"unet.{path}.lora_B.weight": torch.randn(size, 2)}
    there = {**named(sd1), **{name: tmp_path / f"{name}.safetensors" for name in ("whole", "more")}}
    save_file(low, there["whole"])
    save_file({**low, "unet.other.lora_A.weight": torch.zeros(2, 4)}, there["more"])
    for name, partial in (("more", True), ("whole", False)):
        (said,) = made_again([*WORDS[:-2], f"--lora={name}", "--allow-partial", *WORDS[-2:]], there)
        assert ("--allow-partial" in said) == partial


@pytest.mark.slow
def test_parts_of_a_checkpoint_that_come_from_a_folder(made_again: Again, tmp_path: Path) -> None:
    """Each by its own name; what the file has is not among them, and not what ships."""
    folder, whole = singles.stable_diffusion_1(tmp_path)
    tensors = {k: w for k, w in load_file(whole).items() if not k.startswith((VAE, CLIP_1))}
    save_file(tensors, tmp_path / "net.safetensors")
    there = {**named(tmp_path / "net.safetensors"), "net": tmp_path / "net.safetensors", "PARTS": folder}
    there |= {"TEXT_ENCODER": folder / "text_encoder", "VAE": folder / "vae"}
    (said,) = made_again([*WORDS[:-2], "--parts=PARTS", *WORDS[-2:]], there)
    assert [word for word in said if word.startswith("--parts")] == ["--parts=TEXT_ENCODER", "--parts=VAE"]


@pytest.mark.slow
def test_parts_of_a_checkpoint_that_come_from_files(made_again: Again, tmp_path: Path) -> None:
    """A tokenizer is one of them; parts that lay around the file are said too."""
    _, whole, reader = flow_singles.flux(tmp_path, distilled=True)
    tensors = load_file(whole)
    kept = {"TEXT_ENCODER": CLIP_L, "TEXT_ENCODER_2": T5, "VAE": flow_singles.VAE_2}
    there = {name: tmp_path / "parts" / f"{name}.safetensors" for name in kept}
    there["VAE"] = tmp_path / "net" / "vae" / "ae.safetensors"
    for name, prefix in kept.items():
        there[name].parent.mkdir(parents=True, exist_ok=True)
        save_file({k.removeprefix(prefix): w for k, w in tensors.items() if k.startswith(prefix)}, there[name])
    net = tmp_path / "net" / "flux-net.safetensors"
    save_file({k: w for k, w in tensors.items() if not k.startswith(tuple(kept.values()))}, net)
    words = ["--parts=TEXT_ENCODER", "--parts=TEXT_ENCODER_2", "--parts=TOKENIZER_2"]
    there |= {**named(net), "flux-net": net, "TOKENIZER_2": reader}
    (said,) = made_again([*WORDS[:-2], *words, *WORDS[-2:]], there)
    assert {word for word in said if word.startswith("--parts")} == {*words, "--parts=VAE"}


def test_a_prior_of_a_folder_of_its_own(made_again: Again, tmp_path: Path) -> None:
    prior, decoder = kandinsky_prior(tmp_path / "prior"), kandinsky_decoder(tmp_path / "decoder")
    words = [*WORDS[:-2], "--prior=PRIOR", *WORDS[-2:]]
    (said,) = made_again(words, {**named(decoder), "PRIOR": prior})
    assert "--prior=PRIOR" in said
    both = kandinsky_combined(prior, decoder, tmp_path / "both")
    (other,) = made_again([word for word in words if word != "--prior=PRIOR"], named(both))
    assert not any(word.startswith("--prior") for word in other)


@pytest.mark.slow
def test_larger_pictures(sd1: Path, files: dict[str, Path], made_again: Again) -> None:
    words = ["upscale", "--model=SD", "--prompt=a chair", "--negative-prompt=red", "--by=3", "--strength=0.6",
             "--tile=32", "--overlap=8", "--steps=4", "--seed=3", "--batch=2", "--", "PICTURE"]  # fmt: skip
    (said,) = made_again(words, {**named(sd1), **files})
    assert said[0] == "upscale" and {"--by=3", "--tile=32", "--overlap=8", "--strength=0.6"} <= set(said)


def test_an_upscaler(files: dict[str, Path], made_again: Again, tmp_path: Path) -> None:
    folder = upscaler(tmp_path / "upscaler")
    words = ["upscale", "--model=SD", "--noise-level=7", "--steps=3", "--", "OTHER"]
    (said,) = made_again(words, {**named(folder), **files, "PICTURE": files["OTHER"]})
    assert "--noise-level=7" in said and not any(a.startswith(("--size", "--strength")) for a in said)


def test_files_beside_the_model(sd1: Path, files: dict[str, Path], made_again: Again, tmp_path: Path) -> None:
    """A LoRA and a control, with their weights in full, and a learned word."""
    path, size = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", 64
    low = {f"unet.{path}.lora_A.weight": torch.randn(2, size), f"unet.{path}.lora_B.weight": torch.randn(size, 2)}
    save_file(low, tmp_path / "bag.safetensors")
    save_file({"<acme>": torch.randn(2, 32)}, tmp_path / "acme.safetensors")
    controlnet(tmp_path / "edges", sd1)
    words = ["--embedding=acme", "--lora=bag:0.12345678", "--control=edges:0.7:0-0.5", "--control-image=PICTURE"]
    there = {"bag": tmp_path / "bag.safetensors", "edges": tmp_path / "edges", "PICTURE-1": files["PICTURE"]}
    there |= {"acme": tmp_path / "acme.safetensors"}
    (said,) = made_again([*WORDS[:-2], *words, "--", "a red acme chair"], {**named(sd1), **files, **there})
    assert "--lora=bag:0.12345678" in said and "--control=edges:0.7:0-0.5" in said


def test_a_refiner(sdxl: Path, made_again: Again, tmp_path: Path) -> None:
    there = {**named(sdxl), "REFINER": stable_diffusion_xl_refiner(tmp_path / "refiner")}
    words = ["--steps=6", "--refiner=REFINER", "--refiner-at=0.6", "--scale=3"]
    (said,) = made_again([*WORDS[:-2], *words, *WORDS[-2:]], there)
    assert {"--steps=6", "--refiner-at=0.6", "--refiner=REFINER"} <= set(said)


@pytest.mark.slow
@pytest.mark.parametrize("edit", [[], ["--image=PICTURE", "--strength=0.7"], ["--image=PICTURE", "--mask=MASK"]])
def test_two_folders_and_a_preset(edit: list[str], files: dict[str, Path], made_again: Again, tmp_path: Path) -> None:
    """The second stage goes by the quality, which no other word says."""
    first, second = if_first(tmp_path / "first"), if_second(tmp_path / "second")
    words = [*WORDS[:-2], "--then=THEN", "--quality=draft", *edit, *WORDS[-2:]]
    (said,) = made_again(words, {**named(first), **files, "THEN": second})
    assert {"--then=THEN", "--quality=draft", *edit} <= set(said)


@pytest.mark.slow
def test_three_folders(made_again: Again, tmp_path: Path) -> None:
    there = {"THEN": if_second(tmp_path / "second"), "LAST": upscaler(tmp_path / "third")}
    words = [*WORDS[:-2], "--then=THEN", "--then=LAST", "--quality=draft", *WORDS[-2:]]
    (said,) = made_again(words, {**named(if_first(tmp_path / "first")), **there})
    assert said.index("--then=LAST") == said.index("--then=THEN") + 1


def test_pictures_like_one(files: dict[str, Path], made_again: Again, tmp_path: Path) -> None:
    folder = karlo_variations(tmp_path / "variations")
    words = ["vary", "--model=SD", "--n=2", "--steps=3", "--quality=draft", "--", "PICTURE"]
    said = made_again(words, {**named(folder), **files})[1]
    assert said[0] == "vary" and said[-2:] == ["--", "PICTURE"] and "--quality=draft" in said


def test_pictures_from_one_to_another(files: dict[str, Path], made_again: Again, tmp_path: Path) -> None:
    folder = kandinsky_combined(
        kandinsky_prior(tmp_path / "prior"), kandinsky_decoder(tmp_path / "decoder"), tmp_path / "both"
    )
    words = ["vary", "--model=SD", "--n=4", "--steps=2", "--", "PICTURE", "OTHER"]
    said = made_again(words, {**named(folder), **files})
    assert [next(a for a in one if a.startswith("--n=")) for one in said] == ["--n=1", "--n=4", "--n=4", "--n=2"]
