"""A checkpoint in one file, in the original layout: what it is, from its header alone, and its parts.

The layout of CompVis' and Stability's releases, which AUTOMATIC1111's web UI and ComfyUI keep: the U-Net, the
autoencoder and the text encoders under prefixes of their own.  Every size is read off a shape; what no shape says
(heads, groups, the scheduler) is the families' own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.clip_tokenizer import tokenizer_folder
from mezzotint.pretrained.components import Component, Components, Inside
from mezzotint.pretrained.keymaps.configs import clip_config, openclip_config, unet_config, vae_config
from mezzotint.tensorfile import Header, read_header

if TYPE_CHECKING:
    from torch import Tensor

UNET, VAE = "model.diffusion_model.", "first_stage_model."
CLIP_1, OPEN_2 = "cond_stage_model.transformer.", "cond_stage_model.model."
CLIP_XL, OPEN_XL = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."
REFINER = "conditioner.embedders.0.model."
LORA = ("lora_", "hada_", "lokr_")

UNREAD = ("position_ids", "logit_scale")
"""Ends of names that are no weights of a denoiser's."""

SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}  # fmt: skip
PNDM = {**SCHEDULER, "skip_prk_steps": True, "set_alpha_to_one": False}
DDIM = {**SCHEDULER, "clip_sample": False, "set_alpha_to_one": False}
EULER = {**SCHEDULER, "timestep_spacing": "leading"}

Shapes = Mapping[str, tuple[int, ...]]


def original(path: Path) -> Components:
    """The parts of a single file.

    Raises: InputError (unreadable), ModelError (a pickle, a lying header, no checkpoint of a kind that is known, a
    LoRA, a part that is missing), StorageError (the tokenizer's folder cannot be written).
    """
    header = read_header(path)
    shapes = {name: entry.shape for name, entry in header.entries.items()}
    if not any(name.startswith(UNET) for name in shapes):
        raise ModelError(f"{path} {_what_else(shapes)}; expected a checkpoint with {UNET}*")
    if not any(name.startswith(VAE) for name in shapes):
        raise ModelError(
            f"{path} holds no autoencoder ({VAE}*); fetch the version that has it, or a folder in diffusers' layout"
        )
    return _read(path, header, shapes)


def _what_else(shapes: Shapes) -> str:
    if any(part in name for name in shapes for part in LORA):
        return "is a LoRA, not a model: give it with --lora"
    return f"is no checkpoint of a kind that is known ({len(shapes)} tensors, {next(iter(shapes), 'none')!r} first)"


def _read(path: Path, header: Header, shapes: Shapes) -> Components:
    has = {prefix: any(n.startswith(prefix) for n in shapes) for prefix in (CLIP_1, OPEN_2, CLIP_XL, OPEN_XL, REFINER)}
    if has[CLIP_XL] and has[OPEN_XL]:
        return _xl(path, header, shapes)
    if has[REFINER]:
        raise ModelError(f"{path} is SDXL's refiner; as a single file it is not read, fetch it in diffusers' layout")
    if has[CLIP_1]:
        parts = {"text_encoder": _clip(path, shapes, CLIP_1, "text_encoder"), **_tokenizer("tokenizer", "end")}
        return _whole(path, shapes, "StableDiffusion", parts, _scheduler("PNDMScheduler", PNDM, "epsilon"), heads=8)
    if has[OPEN_2]:
        parts = {
            "text_encoder": _open(path, shapes, OPEN_2, "text_encoder", cut=1),
            **_tokenizer("tokenizer", "!"),
        }
        scheduler = _scheduler("DDIMScheduler", DDIM, prediction(header, "v_prediction"))
        return _whole(path, shapes, "StableDiffusion", parts, scheduler, heads=0)
    raise ModelError(f"{path} holds no text encoder (cond_stage_model.* or conditioner.*); fetch a whole checkpoint")


def _xl(path: Path, header: Header, shapes: Shapes) -> Components:
    parts = {
        "text_encoder": _clip(path, shapes, CLIP_XL, "text_encoder"),
        "text_encoder_2": _open(path, shapes, OPEN_XL, "text_encoder_2", cut=0),
        **_tokenizer("tokenizer", "end"),
        **_tokenizer("tokenizer_2", "!"),
    }
    zero = {"rescale_betas_zero_snr": True} if "ztsnr" in shapes else {}
    predicts = prediction(header, "v_prediction" if "v_pred" in shapes else "epsilon")
    scheduler = _scheduler("EulerDiscreteScheduler", {**EULER, **zero}, predicts)
    return _whole(path, shapes, "StableDiffusionXL", parts, scheduler, heads=0)


def prediction(header: Header, otherwise: str) -> str:
    """What the network predicts, as the file's metadata says (``modelspec.prediction_type``), else ``otherwise``: no
    shape tells.   https://github.com/Stability-AI/ModelSpec"""
    said = header.metadata.get("modelspec.prediction_type", "").lower()
    return {"epsilon": "epsilon", "v": "v_prediction", "v_prediction": "v_prediction"}.get(said, otherwise)


def _scheduler(name: str, config: Mapping[str, Any], predicts: str) -> tuple[str, dict[str, Any]]:
    return name, {**config, "prediction_type": predicts}


def _whole(
    path: Path,
    shapes: Shapes,
    pipeline: str,
    parts: dict[str, Component],
    scheduler: tuple[str, dict[str, Any]],
    heads: int,
) -> Components:
    xl = pipeline == "StableDiffusionXL"
    unet = unet_config(_under(path, shapes, UNET), heads, added=xl)
    factor = 0.13025 if xl else 0.18215
    vae = vae_config(_under(path, shapes, VAE), factor, side=8 * int(unet["sample_size"]))
    said = {
        **parts,
        "unet": _part(path, "unet", "diffusers", "UNet2DConditionModel", "unet", UNET, unet),
        "vae": _part(path, "vae", "diffusers", "AutoencoderKL", "vae", VAE, vae),
        "scheduler": _part(path, "scheduler", "diffusers", scheduler[0], "plain", "\0", scheduler[1]),
    }
    inpaints = "Inpaint" if unet["in_channels"] == 2 * vae["latent_channels"] + 1 else ""
    options = {"force_zeros_for_empty_prompt": True} if xl else {}
    return Components(path, f"{pipeline}{inpaints}Pipeline", said, options)


def _under(path: Path, shapes: Shapes, prefix: str) -> Shapes:
    return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}


def _part(
    path: Path, name: str, library: str, class_name: str, kind: str, prefix: str, config: Mapping[str, Any]
) -> Component:
    return Component(name, library, class_name, path, Inside(kind, prefix, json.dumps(config, sort_keys=True)))


def _clip(path: Path, shapes: Shapes, prefix: str, name: str) -> Component:
    config = clip_config(_under(path, shapes, prefix))
    return _part(path, name, "transformers", "CLIPTextModel", "plain", prefix, config)


def _open(path: Path, shapes: Shapes, prefix: str, name: str, cut: int) -> Component:
    config = openclip_config(_under(path, shapes, prefix), cut)
    class_name = "CLIPTextModel" if cut else "CLIPTextModelWithProjection"
    return _part(path, name, "transformers", class_name, "openclip", prefix, config)


def _tokenizer(name: str, pad: str) -> dict[str, Component]:
    return {name: Component(name, "transformers", "CLIPTokenizer", tokenizer_folder(pad))}


def tensors_of(part: Component, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A part's weights under diffusers' names.  Raises ModelError naming one that has no place."""
    from mezzotint.pretrained.keymaps.tensors import forward

    inside = part.inside
    assert inside is not None
    own = {k.removeprefix(inside.prefix): w for k, w in tensors.items() if k.startswith(inside.prefix)}
    return forward(inside.kind, part.config, {k: w for k, w in own.items() if not _unread(k, part)})


def _unread(key: str, part: Component) -> bool:
    """Whether a tensor is none that the part has: counters, and of Stable Diffusion 2 the last block and the
    projection, which it was trained without."""
    if key.endswith(UNREAD):
        return True
    if part.class_name != "CLIPTextModel" or part.inside is None or part.inside.kind != "openclip":
        return False
    return key == "text_projection" or key.startswith(f"transformer.resblocks.{part.config['num_hidden_layers']}.")
