"""A model in diffusers' layout of Stable Diffusion's shape, of random weights: the same files for ours and the peer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

TEXT_WIDTH = 768
DOWN = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
UP = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")


@dataclass(frozen=True, slots=True)
class Shape:
    """unet, vae: channels of their levels, the finest first.  layers: of a level of the autoencoder.  text: layers of
    the text encoder.  groups: of the U-Net's norms."""

    unet: tuple[int, ...]
    vae: tuple[int, ...] = (64, 128, 128, 128)
    layers: int = 1
    text: int = 2
    groups: int = 16


MIDDLE = Shape((80, 160, 320, 320))
SHAPES = {
    "small": Shape((32, 64, 128, 128)),
    "middle": MIDDLE,
    "stable-diffusion": Shape((320, 640, 1280, 1280), (128, 256, 512, 512), 2, 12, 32),
}
"""The last: Stable Diffusion 1's own networks, but for the words that its tokenizer knows."""


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Characters alone."""
    folder.mkdir(parents=True, exist_ok=True)
    base = [chr(i) for i in range(33, 127)]
    words = [*base, *(c + "</w>" for c in base), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def save(folder: Path, shape: Shape = MIDDLE) -> int:
    """Writes the model.   Returns: its parameters."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=32, in_channels=4, out_channels=4, block_out_channels=shape.unet, layers_per_block=2,
        cross_attention_dim=TEXT_WIDTH, attention_head_dim=8, down_block_types=DOWN, up_block_types=UP,
        norm_num_groups=shape.groups,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=shape.vae, down_block_types=["DownEncoderBlock2D"] * 4, latent_channels=4,
        up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=shape.layers, norm_num_groups=32,
        scaling_factor=0.18215,
    )  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_attention_heads=12,
            num_hidden_layers=shape.text,
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
