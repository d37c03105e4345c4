"""Tiny checkpoints of the real classes in the real file layout, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
from transformers.models.clip.tokenization_clip import CLIPTokenizer

SD_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
DOWN, UP = ("DownBlock2D", "CrossAttnDownBlock2D"), ("CrossAttnUpBlock2D", "UpBlock2D")


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Letters, marks, and a few merges, read back from its own files."""
    folder.mkdir(parents=True, exist_ok=True)
    base = [chr(i) for i in range(33, 127)]
    words = [*base, *(c + "</w>" for c in base), "re", "red</w>", "ch", "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\nr e\nre d</w>\nc h\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def unet(seed: int = 0, **changes: Any) -> UNet2DConditionModel:
    torch.manual_seed(seed)
    said: dict[str, Any] = {
        "block_out_channels": (32, 64), "layers_per_block": 1, "sample_size": 16, "in_channels": 4, "out_channels": 4,
        "down_block_types": DOWN, "up_block_types": UP, "cross_attention_dim": 32, "norm_num_groups": 8,
        "attention_head_dim": 4,
    }  # fmt: skip
    return UNet2DConditionModel(**{**said, **changes})


def vae(seed: int = 1) -> AutoencoderKL:
    torch.manual_seed(seed)
    return AutoencoderKL(
        block_out_channels=[16, 32], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4, norm_num_groups=8, scaling_factor=0.18215,
    )  # fmt: skip


def text_encoder(seed: int = 2, width: int = 32, project: bool = False) -> Any:
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        bos_token_id=191, eos_token_id=192, pad_token_id=192, hidden_size=width, intermediate_size=2 * width,
        num_attention_heads=4, num_hidden_layers=3, vocab_size=193, projection_dim=24,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if project else CLIPTextModel(config)


def stable_diffusion(folder: Path, prediction: str = "epsilon", **scheduler: Any) -> Path:
    """SD 1.x, or with v-prediction 2.x; 32 px pictures of 16 x 16 latents."""
    said = {**SD_BETAS, "skip_prk_steps": True, "steps_offset": 1, "prediction_type": prediction, **scheduler}
    StableDiffusionPipeline(
        vae=vae(), text_encoder=text_encoder(), tokenizer=tokenizer(folder / "source"), unet=unet(),
        scheduler=PNDMScheduler(**said), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def stable_diffusion_xl(folder: Path) -> Path:
    """SDXL; 32 px pictures of 16 x 16 latents."""
    net = unet(
        cross_attention_dim=56, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 6 * 8, transformer_layers_per_block=(1, 2),
        use_linear_projection=True,
    )  # fmt: skip
    StableDiffusionXLPipeline(
        vae=vae(), text_encoder=text_encoder(), text_encoder_2=text_encoder(3, 24, project=True),
        tokenizer=tokenizer(folder / "source"), tokenizer_2=tokenizer(folder / "source"), unet=net,
        scheduler=EulerDiscreteScheduler(**SD_BETAS, steps_offset=1, timestep_spacing="leading"),
        force_zeros_for_empty_prompt=True,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"
