"""A model in diffusers' layout of Stable Diffusion's shape, of random weights: the same files for ours and the peer."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

WIDTHS = (80, 160, 320, 320)
DOWN = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
UP = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")
VAE_WIDTHS, TEXT_WIDTH, TEXT_LAYERS = (64, 128, 128, 128), 768, 2


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Characters alone."""
    folder.mkdir(parents=True, exist_ok=True)
    base = [chr(i) for i in range(33, 127)]
    words = [*base, *(c + "</w>" for c in base), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def save(folder: Path, widths: tuple[int, ...] = WIDTHS, layers: int = TEXT_LAYERS) -> int:
    """Writes the model.   Returns: its parameters."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=32, in_channels=4, out_channels=4, block_out_channels=widths, layers_per_block=2,
        cross_attention_dim=TEXT_WIDTH, attention_head_dim=8, down_block_types=DOWN, up_block_types=UP,
        norm_num_groups=16,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=VAE_WIDTHS, down_block_types=["DownEncoderBlock2D"] * 4, latent_channels=4,
        up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=1, norm_num_groups=32, scaling_factor=0.18215,
    )  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_attention_heads=12,
            num_hidden_layers=layers,
            vocab_size=190,
            bos_token_id=188,
            eos_token_id=189,
            pad_token_id=189,
        )
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer(folder / "tokenizer"), unet=unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return sum(p.numel() for net in (unet, vae, text) for p in net.parameters())
