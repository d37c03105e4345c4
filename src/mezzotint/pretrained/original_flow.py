"""Stable Diffusion 3, 3.5 and FLUX.1 in one file, in the original layout or ComfyUI's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mezzotint.pretrained.components import Component, Components
from mezzotint.pretrained.gathered import Wanted, gathered, given_part, t5_tokenizer
from mezzotint.pretrained.keymaps.flow_configs import SIDE, flux_config, sd3_config, widths
from mezzotint.pretrained.original_unet import CLIP_WORDS, wanted_vae
from mezzotint.pretrained.single import Single, clip_tokenizer

VAES = ("first_stage_model.", "vae.")
CLIP_L, CLIP_G, T5 = (f"text_encoders.{name}.transformer." for name in ("clip_l", "clip_g", "t5xxl"))
T5_MARKER = "encoder.block.0.layer.0.SelfAttention.q.weight"
EULER = "FlowMatchEulerDiscreteScheduler"
DYNAMIC = {
    "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256,
    "max_image_seq_len": 4096, "shift": 3.0,
}  # fmt: skip
SHIFT_SD3, SHIFT_SCHNELL = 3.0, 1.0
LATENT_FLUX, LATENT_SD3 = (0.3611, 0.1159), (1.5305, 0.0609)
"""(scaling, shift) of the latents of either family, as their releases' configurations have them."""

PATCH = 4
"""Latent pixels of one of FLUX' tokens."""


def flux(file: Single, prefix: str, given: Sequence[Path]) -> Components:
    """The parts of FLUX.1 dev, schnell or Fill.  Raises as ``original``."""
    config = flux_config(file.under(prefix))
    pooled, text = widths(config)
    wanted = [
        _clip("text_encoder", pooled),
        _t5("text_encoder_2", text),
        wanted_vae(VAES, int(config["out_channels"]) // PATCH, LATENT_FLUX[0], 8 * SIDE, LATENT_FLUX[1]),
    ]
    found = gathered(file, wanted, given)
    said = [
        clip_tokenizer("tokenizer", "end"),
        t5_tokenizer("tokenizer_2", file, given),
        file.said("scheduler", EULER, DYNAMIC if config["guidance_embeds"] else {"shift": SHIFT_SCHNELL}),
        file.part("transformer", "diffusers", "FluxTransformer2DModel", "flux", prefix, config),
    ]
    fills = "" if config["in_channels"] == config["out_channels"] else "Fill"
    return Components(file.path, f"Flux{fills}Pipeline", {**found, **{part.name: part for part in said}}, {})


def sd3(file: Single, prefix: str, given: Sequence[Path]) -> Components:
    """The parts of Stable Diffusion 3 or 3.5; with T5 where the file or what is given has it.  Raises alike."""
    config = sd3_config(file.under(prefix))
    pooled, text = widths(config)
    wanted = [
        _half("text_encoder", CLIP_L, pooled, 0),
        _half("text_encoder_2", CLIP_G, pooled, 1),
        wanted_vae(VAES, int(config["in_channels"]), LATENT_SD3[0], 8 * SIDE, LATENT_SD3[1]),
    ]
    long = _t5("text_encoder_3", text)
    found = gathered(file, wanted, given)
    t5 = long.inside(file, bare=False) or given_part(long, given)
    said = [
        clip_tokenizer("tokenizer", "end"),
        clip_tokenizer("tokenizer_2", "!"),
        file.said("scheduler", EULER, {"shift": SHIFT_SD3}),
        file.part("transformer", "diffusers", "SD3Transformer2DModel", "sd3", prefix, config),
        *([] if t5 is None else [t5, t5_tokenizer("tokenizer_3", file, given)]),
    ]
    return Components(file.path, "StableDiffusion3Pipeline", {**found, **{part.name: part for part in said}}, {})


def _clip(name: str, width: int) -> Wanted:
    def made(file: Single, at: str) -> Component:
        return file.clip(name, at)

    fits = partial(_wide, class_name="CLIPTextModel", least=width, most=width)
    return Wanted(name, f"text encoder (CLIP of width {width})", (CLIP_L,), CLIP_WORDS, made, fits)


def _half(name: str, prefix: str, pooled: int, which: int) -> Wanted:
    """The narrower (0) or the wider (1) of two CLIPs whose pooled states together have ``pooled`` channels."""

    def made(file: Single, at: str) -> Component:
        kind, act = (("unprojected", "quick_gelu"), ("plain", "gelu"))[which]
        return file.projected(name, at, act, kind)

    least, most = ((1, (pooled - 1) // 2), (pooled // 2 + 1, pooled))[which]
    fits = partial(_wide, class_name="CLIPTextModelWithProjection", least=least, most=most)
    what = f"text encoder (CLIP of width {least} to {most})"
    return Wanted(name, what, (prefix,), CLIP_WORDS, made, fits)


def _t5(name: str, width: int) -> Wanted:
    def made(file: Single, at: str) -> Component:
        return file.t5(name, at)

    def fits(part: Component) -> bool:
        return part.class_name == "T5EncoderModel" and part.config.get("d_model") == width

    return Wanted(name, f"text encoder (T5 of width {width})", (T5,), T5_MARKER, made, fits)


def _wide(part: Component, class_name: str, least: int, most: int) -> bool:
    width = part.config.get("hidden_size") if part.class_name == class_name else None
    return type(width) is int and least <= width <= most
