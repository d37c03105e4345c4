"""The same tiny flow transformer as a folder in diffusers' layout and as one file in the original layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from checkpoints import t5_tokenizer
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLImg2ImgPipeline,
)
from safetensors.torch import save_file
from singles import BETAS, reader, text, unet, weights
from singles import vae as old_vae
from transformers import T5Config, T5EncoderModel

from mezzotint.pretrained.original_flow import CLIP_G, CLIP_L, DYNAMIC, LATENT_FLUX, LATENT_SD3, T5
from mezzotint.pretrained.original_unet import REFINER, UNET, VAE

VAE_2 = "vae."


def vae(scaling: float, shift: float, channels: int = 4) -> AutoencoderKL:
    torch.manual_seed(1)
    return AutoencoderKL(
        block_out_channels=[32, 64], down_block_types=["DownEncoderBlock2D"] * 2, layers_per_block=1,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=channels, scaling_factor=scaling, shift_factor=shift,
        use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip


def t5(width: int) -> T5EncoderModel:
    torch.manual_seed(5)
    return T5EncoderModel(
        T5Config(vocab_size=40, d_model=width, d_kv=64, d_ff=37, num_layers=2, num_heads=2,
                 feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    ).eval()  # fmt: skip


def flux(folder: Path, *, distilled: bool) -> tuple[Path, Path, Path]:
    """(folder, file, tokenizer)."""
    torch.manual_seed(0)
    net = FluxTransformer2DModel(
        patch_size=1, in_channels=16, out_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=128,
        num_attention_heads=1, joint_attention_dim=32, pooled_projection_dim=64, axes_dims_rope=(16, 56, 56),
        guidance_embeds=distilled,
    )  # fmt: skip
    codec, clip, long = vae(*LATENT_FLUX), text(2, 64, 2, "quick_gelu"), t5(32)
    FluxPipeline(
        transformer=net, vae=codec, text_encoder=clip, tokenizer=reader("end"), text_encoder_2=long,
        tokenizer_2=t5_tokenizer(folder / "t5"),
        scheduler=FlowMatchEulerDiscreteScheduler(**DYNAMIC if distilled else {"shift": 1.0}),
    ).save_pretrained(folder / "folder")  # fmt: skip
    parts = [(UNET, "flux", net), (VAE_2, "vae", codec), (CLIP_L, "plain", clip), (T5, "plain", long)]
    save_file({**weights(parts), f"{T5}logit_scale": torch.ones(())}, folder / "flux.safetensors")
    return folder / "folder", folder / "flux.safetensors", folder / "t5"


def sd3(folder: Path, *, with_t5: bool) -> tuple[Path, Path, Path]:
    """(folder, file, tokenizer).  With T5 it is like 3.5: normed queries and keys, and a second attention."""
    torch.manual_seed(0)
    more: dict[str, Any] = {"qk_norm": "rms_norm", "dual_attention_layers": [0]} if with_t5 else {}
    net = SD3Transformer2DModel(
        sample_size=128, patch_size=2, in_channels=4, num_layers=2, attention_head_dim=64, num_attention_heads=1,
        joint_attention_dim=256, caption_projection_dim=64, pooled_projection_dim=192, out_channels=4,
        pos_embed_max_size=24, **more,
    )  # fmt: skip
    codec, one = vae(*LATENT_SD3), text(2, 64, 2, "quick_gelu", projected=64)
    two, long = text(3, 128, 2, "gelu", projected=128), t5(256) if with_t5 else None
    with torch.no_grad():
        one.text_projection.weight.copy_(torch.eye(64))  # its pooled state is told as it is
    StableDiffusion3Pipeline(
        transformer=net, vae=codec, text_encoder=one, tokenizer=reader("end"), text_encoder_2=two,
        tokenizer_2=reader("!"), text_encoder_3=long, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        tokenizer_3=t5_tokenizer(folder / "t5") if long else None,
    ).save_pretrained(folder / "folder")  # fmt: skip
    parts = [(UNET, "sd3", net), (VAE, "vae", codec), (CLIP_L, "unprojected", one), (CLIP_G, "plain", two)]
    save_file(weights([*parts, *([(T5, "plain", long)] if long else [])]), folder / "sd3.safetensors")
    return folder / "folder", folder / "sd3.safetensors", folder / "t5"


def refiner(folder: Path) -> tuple[Path, Path]:
    """(folder, file) of XL's refiner."""
    net = unet(
        (1, 2), 128, use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=128 + 5 * 256, transformer_layers_per_block=(1, 2),
    )  # fmt: skip
    codec, two = old_vae(0.13025), text(3, 128, 2, "gelu", projected=128)
    StableDiffusionXLImg2ImgPipeline(
        vae=codec, text_encoder=None, text_encoder_2=two, tokenizer=None, tokenizer_2=reader("!"), unet=net,
        scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading"), force_zeros_for_empty_prompt=False,
        requires_aesthetics_score=True,
    ).save_pretrained(folder / "folder")  # fmt: skip
    save_file(weights([(UNET, "unet", net), (VAE, "vae", codec), (REFINER, "openclip", two)]), folder / "r.safetensors")
    return folder / "folder", folder / "r.safetensors"
