"""Tiny checkpoints of the real classes in the real file layout, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    PNDMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionUpscalePipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)
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


def vae(seed: int = 1, **changes: Any) -> AutoencoderKL:
    torch.manual_seed(seed)
    return AutoencoderKL(
        block_out_channels=[16, 32], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, **{"latent_channels": 4, "scaling_factor": 0.18215, **changes},
        norm_num_groups=8,
    )  # fmt: skip


def text_encoder(seed: int = 2, width: int = 32, project: bool = False) -> Any:
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        bos_token_id=191, eos_token_id=192, pad_token_id=192, hidden_size=width, intermediate_size=2 * width,
        num_attention_heads=4, num_hidden_layers=3, vocab_size=193, projection_dim=24,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if project else CLIPTextModel(config)


def changed(base: Path, folder: Path, pipeline: Any, **parts: Any) -> Path:
    """Another pipeline's folder with a base's parts but for some."""
    pipeline.from_pretrained(base, **parts).save_pretrained(folder)
    return folder


def stable_diffusion_inpaint(folder: Path) -> Path:
    """SD 1.x told a mask and what is left of the picture."""
    StableDiffusionInpaintPipeline(
        vae=vae(), text_encoder=text_encoder(), tokenizer=tokenizer(folder / "source"), unet=unet(in_channels=9),
        scheduler=PNDMScheduler(**SD_BETAS, skip_prk_steps=True, steps_offset=1), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def stable_diffusion(folder: Path, prediction: str = "epsilon", **scheduler: Any) -> Path:
    """SD 1.x, or with v-prediction 2.x; 32 px pictures of 16 x 16 latents."""
    said = {**SD_BETAS, "skip_prk_steps": True, "steps_offset": 1, "prediction_type": prediction, **scheduler}
    StableDiffusionPipeline(
        vae=vae(), text_encoder=text_encoder(), tokenizer=tokenizer(folder / "source"), unet=unet(),
        scheduler=PNDMScheduler(**said), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def stable_diffusion_xl(folder: Path, pipeline: Any = StableDiffusionXLPipeline, **changes: Any) -> Path:
    """SDXL; 32 px pictures of 16 x 16 latents.   changes: of the U-Net."""
    net = unet(
        **changes, cross_attention_dim=56, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 6 * 8, transformer_layers_per_block=(1, 2),
        use_linear_projection=True,
    )  # fmt: skip
    pipeline(
        vae=vae(), text_encoder=text_encoder(), text_encoder_2=text_encoder(3, 24, project=True),
        tokenizer=tokenizer(folder / "source"), tokenizer_2=tokenizer(folder / "source"), unet=net,
        scheduler=EulerDiscreteScheduler(**SD_BETAS, steps_offset=1, timestep_spacing="leading"),
        force_zeros_for_empty_prompt=True,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def stable_diffusion_xl_refiner(folder: Path, **scheduler: Any) -> Path:
    """SDXL's refiner: the second text encoder alone, and a score in place of the size."""
    net = unet(
        9, cross_attention_dim=24, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 5 * 8, transformer_layers_per_block=(1, 2),
        use_linear_projection=True,
    )  # fmt: skip
    StableDiffusionXLImg2ImgPipeline(
        vae=vae(), text_encoder=None, text_encoder_2=text_encoder(3, 24, project=True), tokenizer=None,
        tokenizer_2=tokenizer(folder / "source"), unet=net,
        scheduler=EulerDiscreteScheduler(**SD_BETAS, steps_offset=1, timestep_spacing="leading", **scheduler),
        requires_aesthetics_score=True, force_zeros_for_empty_prompt=False,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def upscaler(folder: Path) -> Path:
    """The x4 upscaler: told the small picture, its noise as a class; pictures are 4 times as large as the state."""
    StableDiffusionUpscalePipeline(
        vae=wide_vae(), text_encoder=text_encoder(), tokenizer=tokenizer(folder / "source"),
        unet=unet(in_channels=7, num_class_embeds=1000, sample_size=16), low_res_scheduler=DDPMScheduler(**SD_BETAS),
        scheduler=DDIMScheduler(**SD_BETAS, prediction_type="v_prediction", clip_sample=False), max_noise_level=350,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def wide_vae() -> AutoencoderKL:
    """4 pixels to a latent's one."""
    torch.manual_seed(1)
    return AutoencoderKL(
        block_out_channels=[16, 32, 32], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3, latent_channels=4, scaling_factor=0.08333, norm_num_groups=8,
    )  # fmt: skip


def controlnet(folder: Path, base: Path, seed: int = 0) -> Path:
    """A ControlNet for the U-Net of a checkpoint, none of its layers zero."""
    torch.manual_seed(seed)
    made = ControlNetModel.from_unet(
        UNet2DConditionModel.from_pretrained(base / "unet"), conditioning_embedding_out_channels=(8, 16)
    )
    for value in made.parameters():
        if not value.any():
            torch.nn.init.normal_(value, std=0.1)
    made.save_pretrained(folder)
    return folder


def t5_tokenizer(folder: Path) -> T5Tokenizer:
    """Letters and a few words, read back from its own files."""
    words = ["<pad>", "</s>", "<unk>", "\u2581", *(chr(c) for c in range(97, 123)), "\u2581red", "\u2581chair"]
    T5Tokenizer(vocab=[(word, -float(i)) for i, word in enumerate(words)], extra_ids=0).save_pretrained(folder)
    return T5Tokenizer.from_pretrained(folder)


def t5(seed: int = 5, width: int = 32) -> T5EncoderModel:
    torch.manual_seed(seed)
    config = T5Config(vocab_size=40, d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return T5EncoderModel(config).eval()


def stable_diffusion_3(folder: Path, *, with_t5: bool = True) -> Path:
    """SD3; 32 px pictures of 16 x 16 latents."""
    torch.manual_seed(0)
    net = SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=4,
        joint_attention_dim=64, caption_projection_dim=32, pooled_projection_dim=48, out_channels=4,
        pos_embed_max_size=24,
    )  # fmt: skip
    reader = tokenizer(folder / "source")
    StableDiffusion3Pipeline(
        transformer=net, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(scaling_factor=1.5, shift_factor=0.06),
        text_encoder=text_encoder(2, 32, project=True), tokenizer=reader,
        text_encoder_2=text_encoder(3, 24, project=True), tokenizer_2=reader,
        text_encoder_3=t5(width=64) if with_t5 else None,
        tokenizer_3=t5_tokenizer(folder / "t5") if with_t5 else None,
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def pixart(folder: Path) -> Path:
    """PixArt-Σ; 32 px pictures of 16 x 16 latents."""
    torch.manual_seed(0)
    net = PixArtTransformer2DModel(
        sample_size=16, num_layers=2, patch_size=2, attention_head_dim=8, num_attention_heads=3, caption_channels=32,
        in_channels=4, cross_attention_dim=24, out_channels=8, attention_bias=True, num_embeds_ada_norm=1000,
    )  # fmt: skip
    PixArtSigmaPipeline(
        transformer=net, vae=vae(scaling_factor=0.13025), text_encoder=t5(), tokenizer=t5_tokenizer(folder / "t5"),
        scheduler=DPMSolverMultistepScheduler(beta_schedule="linear", beta_start=0.0001, beta_end=0.02),
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"


def flux(folder: Path, *, distilled: bool, pipeline: Any = FluxPipeline, channels: int = 16) -> Path:
    """FLUX.1 dev, or schnell where the scale is not distilled; 32 px pictures of 16 x 16 latents.   channels: taken."""
    torch.manual_seed(0)
    net = FluxTransformer2DModel(
        patch_size=1, in_channels=channels, out_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32, axes_dims_rope=(4, 4, 8),
        guidance_embeds=distilled,
    )  # fmt: skip
    dynamic = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15} if distilled else {}
    pipeline(
        transformer=net, scheduler=FlowMatchEulerDiscreteScheduler(**dynamic),
        vae=vae(scaling_factor=0.36, shift_factor=0.11),
        text_encoder=text_encoder(), tokenizer=tokenizer(folder / "source"),
        text_encoder_2=t5(), tokenizer_2=t5_tokenizer(folder / "t5"),
    ).save_pretrained(folder / "model")  # fmt: skip
    return folder / "model"
