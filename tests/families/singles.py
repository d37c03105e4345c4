"""The same tiny model as a folder in diffusers' layout and as one file in the original layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from mezzotint.pretrained.clip_tokenizer import tokenizer_folder
from mezzotint.pretrained.keymaps.tensors import backward
from mezzotint.pretrained.original_unet import CLIP_1, CLIP_XL, OPEN_2, OPEN_XL, UNET, VAE

VOCABULARY = 49408
CLIPS = ("openclip", "plain", "unprojected")
BETAS: dict[str, Any] = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1,
}  # fmt: skip
Parts = list[tuple[str, str, torch.nn.Module]]
"""(prefix, kind, network) each."""


def unet(heads: Any, cross: int, **more: Any) -> UNet2DConditionModel:
    torch.manual_seed(0)
    said: dict[str, Any] = {"down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
                            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D")}  # fmt: skip
    return UNet2DConditionModel(
        sample_size=16, block_out_channels=(64, 128), layers_per_block=2, cross_attention_dim=cross,
        attention_head_dim=heads, **{**said, **more},
    )  # fmt: skip


def vae(scaling: float) -> AutoencoderKL:
    torch.manual_seed(1)
    return AutoencoderKL(
        block_out_channels=[32, 64], down_block_types=["DownEncoderBlock2D"] * 2, layers_per_block=1,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4, scaling_factor=scaling,
    )  # fmt: skip


def text(seed: int, width: int, layers: int, act: str, projected: int = 0) -> Any:
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        hidden_size=width, intermediate_size=2 * width, num_attention_heads=width // 64, num_hidden_layers=layers,
        vocab_size=VOCABULARY, bos_token_id=49406, eos_token_id=49407, pad_token_id=1, hidden_act=act,
        projection_dim=projected or 512,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)


def reader(pad: str) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(tokenizer_folder(pad))


def weights(parts: Parts) -> dict[str, torch.Tensor]:
    """All tensors of one file."""
    made = {}
    for prefix, kind, network in parts:
        own = network.state_dict()
        if kind in CLIPS and "embeddings.token_embedding.weight" in own:  # the library's newer, flat names
            own = {k if k.startswith("text_projection") else f"text_model.{k}": w for k, w in own.items()}
        own = {k: w for k, w in own.items() if not k.endswith("position_ids")}
        made.update({prefix + k: w for k, w in backward(kind, dict(network.config.to_dict()
                     if kind in CLIPS else network.config), own).items()})  # fmt: skip
    return {k: w.contiguous().clone() for k, w in made.items()}


def stable_diffusion_1(folder: Path, *, inpaints: bool = False) -> tuple[Path, Path]:
    """inpaints: told a mask and what is left of the picture."""
    pipeline = StableDiffusionInpaintPipeline if inpaints else StableDiffusionPipeline
    net, codec, clip = unet(8, 64, in_channels=9 if inpaints else 4), vae(0.18215), text(2, 64, 2, "quick_gelu")
    pipeline(
        vae=codec, text_encoder=clip, tokenizer=reader("end"), unet=net, safety_checker=None, feature_extractor=None,
        scheduler=PNDMScheduler(**BETAS, skip_prk_steps=True), requires_safety_checker=False,
    ).save_pretrained(folder / "folder")  # fmt: skip
    parts = [(UNET, "unet", net), (VAE, "vae", codec), (CLIP_1, "plain", clip)]
    extra = {
        "model_ema.decay": torch.ones(1),
        "betas": torch.ones(4),
        CLIP_1 + "text_model.embeddings.position_ids": torch.arange(77)[None],
    }
    save_file({**weights(parts), **extra}, folder / "one.safetensors")
    return folder / "folder", folder / "one.safetensors"


def stable_diffusion_2(folder: Path) -> tuple[Path, Path]:
    net, codec, clip = unet((1, 2), 64, use_linear_projection=True), vae(0.18215), text(2, 64, 2, "gelu")
    whole = text(2, 64, 3, "gelu", projected=64)
    own = clip.state_dict()
    whole.load_state_dict({**whole.state_dict(), **{_like(k, whole): w for k, w in own.items()}})
    StableDiffusionPipeline(
        vae=codec, text_encoder=clip, tokenizer=reader("!"), unet=net, safety_checker=None, feature_extractor=None,
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction"),
        requires_safety_checker=False,
    ).save_pretrained(folder / "folder")  # fmt: skip
    parts = [(UNET, "unet", net), (VAE, "vae", codec), (OPEN_2, "openclip", whole)]
    save_file({**weights(parts), OPEN_2 + "logit_scale": torch.ones(())}, folder / "two.safetensors")
    return folder / "folder", folder / "two.safetensors"


def _like(name: str, net: torch.nn.Module) -> str:
    return name if name in net.state_dict() else f"text_model.{name}"


def stable_diffusion_xl(folder: Path) -> tuple[Path, Path]:
    net = unet(
        (1, 2), 192, use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=128 + 6 * 256, transformer_layers_per_block=(1, 2),
    )  # fmt: skip
    codec, one, two = vae(0.13025), text(2, 64, 2, "quick_gelu"), text(3, 128, 2, "gelu", projected=128)
    StableDiffusionXLPipeline(
        vae=codec, text_encoder=one, text_encoder_2=two, tokenizer=reader("end"), tokenizer_2=reader("!"), unet=net,
        scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading"), force_zeros_for_empty_prompt=True,
    ).save_pretrained(folder / "folder")  # fmt: skip
    parts = [(UNET, "unet", net), (VAE, "vae", codec), (CLIP_XL, "plain", one), (OPEN_XL, "openclip", two)]
    save_file(weights(parts), folder / "xl.safetensors")
    return folder / "folder", folder / "xl.safetensors"


def index(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "model_index.json").read_text())
    return found
