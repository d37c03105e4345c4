"""Stable Diffusion 1, 2, XL and XL's refiner in one file, in the original layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Component, Components
from mezzotint.pretrained.gathered import Wanted, gathered
from mezzotint.pretrained.keymaps.configs import unet_config
from mezzotint.pretrained.single import Single, clip_tokenizer
from mezzotint.tensorfile import Header

UNET, VAE = "model.diffusion_model.", "first_stage_model."
CLIP_1, OPEN_2 = "cond_stage_model.transformer.", "cond_stage_model.model."
CLIP_XL, OPEN_XL = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."
REFINER = "conditioner.embedders.0.model."
CLIP_WORDS, OPEN_WORDS = "text_model.embeddings.token_embedding.weight", "token_embedding.weight"
LATENT = 4
SCALING, SCALING_XL = 0.18215, 0.13025
XL_WIDTH = 768
"""Of the first of XL's text encoders; the second has the rest of what the U-Net is told."""

SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}  # fmt: skip
PNDM = {**SCHEDULER, "skip_prk_steps": True, "set_alpha_to_one": False}
DDIM = {**SCHEDULER, "clip_sample": False, "set_alpha_to_one": False}
EULER = {**SCHEDULER, "timestep_spacing": "leading"}
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
"""Of a network that was also trained on pure noise: its first step must begin there.  Lin et al., 2024, sec. 3.3."""


def unet_system(file: Single, prefix: str, given: Sequence[Path]) -> Components:
    """The parts of a file with a U-Net.  Raises as ``original``."""
    if file.has(REFINER):
        return _refiner(file, prefix, given)
    if file.has(OPEN_XL) or f"{prefix}label_emb.0.0.weight" in file.shapes:
        return _xl(file, prefix, given)
    if file.has(OPEN_2) or (not file.has(CLIP_1) and _told(file, prefix) != XL_WIDTH):
        wanted = [_open("text_encoder", OPEN_2, _told(file, prefix), cut=1)]
        scheduler = _scheduler(file, "DDIMScheduler", DDIM, prediction(file.header, "v_prediction"))
        tokenizers = [clip_tokenizer("tokenizer", "!")]
        return _whole(file, prefix, given, "StableDiffusion", wanted, [*tokenizers, scheduler], heads=0)
    wanted = [_clip("text_encoder", CLIP_1, _told(file, prefix))]
    said = [clip_tokenizer("tokenizer", "end"), _scheduler(file, "PNDMScheduler", PNDM, "epsilon")]
    return _whole(file, prefix, given, "StableDiffusion", wanted, said, heads=8)


def _xl(file: Single, prefix: str, given: Sequence[Path]) -> Components:
    first = file.shapes.get(CLIP_XL + CLIP_WORDS, (0, XL_WIDTH))[-1]
    wanted = [
        _clip("text_encoder", CLIP_XL, first),
        _open("text_encoder_2", OPEN_XL, _told(file, prefix) - first, cut=0),
    ]
    zero = ZERO_SNR if "ztsnr" in file.shapes else {}
    predicts = prediction(file.header, "v_prediction" if "v_pred" in file.shapes else "epsilon")
    scheduler = _scheduler(file, "EulerDiscreteScheduler", {**EULER, **zero}, predicts)
    said = [clip_tokenizer("tokenizer", "end"), clip_tokenizer("tokenizer_2", "!"), scheduler]
    return _whole(file, prefix, given, "StableDiffusionXL", wanted, said, heads=0)


def _refiner(file: Single, prefix: str, given: Sequence[Path]) -> Components:
    wanted = [_open("text_encoder_2", REFINER, _told(file, prefix), cut=0)]
    scheduler = _scheduler(file, "EulerDiscreteScheduler", EULER, prediction(file.header, "epsilon"))
    said = [clip_tokenizer("tokenizer_2", "!"), scheduler]
    return _whole(file, prefix, given, "StableDiffusionXLImg2Img", wanted, said, heads=0)


OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "StableDiffusionXL": {"force_zeros_for_empty_prompt": True},
    "StableDiffusionXLImg2Img": {"force_zeros_for_empty_prompt": False, "requires_aesthetics_score": True},
}


def prediction(header: Header, otherwise: str) -> str:
    """What the network predicts, as the file's metadata says (``modelspec.prediction_type``), else ``otherwise``: no
    shape tells.   https://github.com/Stability-AI/ModelSpec"""
    said = header.metadata.get("modelspec.prediction_type", "").lower()
    return {"epsilon": "epsilon", "v": "v_prediction", "v_prediction": "v_prediction"}.get(said, otherwise)


def _scheduler(file: Single, name: str, config: Mapping[str, Any], predicts: str) -> Component:
    return file.said("scheduler", name, {**config, "prediction_type": predicts})


def _told(file: Single, prefix: str) -> int:
    """Channels of the text that the U-Net is told."""
    end = "attn2.to_k.weight"
    shape = next((s for name, s in file.shapes.items() if name.startswith(prefix) and name.endswith(end)), ())
    if len(shape) != 2:
        raise ModelError(f"{file.path}: its U-Net is told no text ({end}); it is of no kind that is known")
    return shape[1]


def _clip(name: str, prefix: str, width: int) -> Wanted:
    fits = partial(_is, class_name="CLIPTextModel", key="hidden_size", value=width)
    what = f"text encoder (CLIP of width {width})"
    return Wanted(name, what, (prefix,), CLIP_WORDS, lambda file, at: file.clip(name, at), fits)


def _open(name: str, prefix: str, width: int, cut: int) -> Wanted:
    """cut: how many of its last blocks are left out; what is not cut is projected."""

    def made(file: Single, at: str) -> Component:
        return file.openclip(name, at, cut)

    def by_transformers(file: Single, at: str) -> Component:
        return file.projected(name, at, "gelu")

    class_name = "CLIPTextModel" if cut else "CLIPTextModelWithProjection"
    fits = partial(_is, class_name=class_name, key="hidden_size", value=width)
    what = f"text encoder (OpenCLIP of width {width})"
    here = Wanted(name, what, (prefix,), OPEN_WORDS, made, fits)
    return here if cut else here.or_else(CLIP_WORDS, by_transformers)


def _is(part: Component, class_name: str, key: str, value: int) -> bool:
    return part.class_name == class_name and part.config.get(key) == value


def wanted_vae(prefixes: tuple[str, ...], channels: int, scaling: float, side: int, shift: float | None) -> Wanted:
    """An autoencoder.  channels, scaling, shift: of its latent."""

    def made(file: Single, at: str) -> Component:
        return file.vae(at, scaling, side, shift)

    fits = partial(_is, class_name="AutoencoderKL", key="latent_channels", value=channels)
    return Wanted("vae", f"autoencoder of {channels} channels", prefixes, "decoder.conv_in.weight", made, fits)


def _whole(
    file: Single,
    prefix: str,
    given: Sequence[Path],
    pipeline: str,
    wanted: Sequence[Wanted],
    said: Sequence[Component],
    heads: int,
) -> Components:
    xl = pipeline.startswith("StableDiffusionXL")
    unet = unet_config(file.under(prefix), heads, added=xl)
    scaling = SCALING_XL if xl else SCALING
    vae = wanted_vae((VAE,), LATENT, scaling, 8 * int(unet["sample_size"]), None)
    parts = {
        **gathered(file, [*wanted, vae], given),
        **{part.name: part for part in said},
        "unet": file.part("unet", "diffusers", "UNet2DConditionModel", "unet", prefix, unet),
    }
    inpaints = "Inpaint" if unet["in_channels"] == 2 * LATENT + 1 else ""
    return Components(file.path, f"{pipeline}{inpaints}Pipeline", parts, OPTIONS.get(pipeline, {}))
