"""Tiny checkpoints of cascades: the real classes in the real file layout, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from checkpoints import t5, t5_tokenizer, text_encoder, tokenizer
from diffusers import (
    DDPMScheduler,
    IFPipeline,
    IFSuperResolutionPipeline,
    KandinskyV22CombinedPipeline,
    KandinskyV22Pipeline,
    KandinskyV22PriorPipeline,
    PriorTransformer,
    UnCLIPImageVariationPipeline,
    UnCLIPPipeline,
    UnCLIPScheduler,
    UNet2DConditionModel,
    UNet2DModel,
    VQModel,
)
from diffusers.pipelines.deprecated.unclip import UnCLIPTextProjModel
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

WIDTH = 24
"""Of the embeddings."""


def filled(net: Any, seed: int = 7) -> Any:
    """The same, what begins as zeros made random: else prompt and embedding would not show."""
    torch.manual_seed(seed)
    for value in net.parameters():
        if not value.any():
            torch.nn.init.normal_(value, std=0.3)
    return net


def prior(seed: int = 4, hidden: int = 24) -> PriorTransformer:
    torch.manual_seed(seed)
    return filled(
        PriorTransformer(
            num_attention_heads=2, attention_head_dim=12, num_layers=2, embedding_dim=WIDTH, num_embeddings=77,
            additional_embeddings=4,
        )
    )  # fmt: skip


def image_encoder(seed: int = 6) -> CLIPVisionModelWithProjection:
    torch.manual_seed(seed)
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=32, intermediate_size=37, projection_dim=WIDTH, num_hidden_layers=2, num_attention_heads=4,
            image_size=32, patch_size=8,
        )
    )  # fmt: skip


def image_processor() -> CLIPImageProcessor:
    return CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def _decoder() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=16, in_channels=3, out_channels=6, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", cross_attention_dim=40, attention_head_dim=8,
        class_embed_type="identity", resnet_time_scale_shift="scale_shift", norm_num_groups=8,
    )  # fmt: skip


def _super_res(seed: int) -> UNet2DModel:
    torch.manual_seed(seed)
    return UNet2DModel(
        sample_size=32, in_channels=6, out_channels=3, block_out_channels=(16, 32), layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D"),
        up_block_types=("ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"), norm_num_groups=8,
        resnet_time_scale_shift="scale_shift",
    )  # fmt: skip


def _shared(folder: Path) -> dict[str, Any]:
    torch.manual_seed(3)
    project = UnCLIPTextProjModel(clip_embeddings_dim=WIDTH, time_embed_dim=32 * 4, cross_attention_dim=40)
    return {
        "text_encoder": text_encoder(2, WIDTH, project=True), "tokenizer": tokenizer(folder / "source"),
        "text_proj": filled(project), "decoder": _decoder(),
        "super_res_first": _super_res(8), "super_res_last": _super_res(9),
        "decoder_scheduler": UnCLIPScheduler(
            variance_type="learned_range", prediction_type="epsilon", num_train_timesteps=1000
        ),
        "super_res_scheduler": UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="epsilon", num_train_timesteps=1000
        ),
    }  # fmt: skip


def _published(pipe: Any, folder: Path) -> Path:
    """Saved, with the library of the projection named as published indices name it."""
    pipe.save_pretrained(folder)
    index = folder / "model_index.json"
    said = json.loads(index.read_text())
    index.write_text(json.dumps(said | {"text_proj": ["unclip", "UnCLIPTextProjModel"]}))
    return folder


def prior_scheduler(clip: float = 5.0) -> UnCLIPScheduler:
    return UnCLIPScheduler(
        variance_type="fixed_small_log", prediction_type="sample", num_train_timesteps=1000, clip_sample_range=clip
    )


def karlo(folder: Path, **schedulers: Any) -> Path:
    """Karlo; embeddings of 24, pictures of 16, then 32 px.   schedulers: in its own ones' places."""
    made = UnCLIPPipeline(**{"prior": prior(), "prior_scheduler": prior_scheduler(), **_shared(folder), **schedulers})
    return _published(made, folder / "model")


def karlo_variations(folder: Path, **schedulers: Any) -> Path:
    """The same without a prior, for variations of a picture."""
    eye = {"image_encoder": image_encoder(), "feature_extractor": image_processor()}
    made = UnCLIPImageVariationPipeline(**{**eye, **_shared(folder), **schedulers})
    return _published(made, folder / "model")


def kandinsky_prior(folder: Path, scheduler: Any = None) -> Path:
    """Kandinsky 2.2's prior; embeddings of 24.   scheduler: in its own one's place."""
    KandinskyV22PriorPipeline(
        prior=prior(), image_encoder=image_encoder(), text_encoder=text_encoder(2, WIDTH, project=True),
        tokenizer=tokenizer(folder / "source"), scheduler=scheduler or prior_scheduler(10.0),
        image_processor=image_processor(),
    ).save_pretrained(folder / "prior")  # fmt: skip
    return folder / "prior"


def kandinsky_decoder(folder: Path) -> Path:
    """Its decoder; 32 px pictures of 16 x 16 latents."""
    torch.manual_seed(0)
    net = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=8, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", cross_attention_dim=24, attention_head_dim=8,
        addition_embed_type="image", addition_embed_type_num_heads=4, encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="image_proj", resnet_time_scale_shift="scale_shift", class_embed_type=None,
        norm_num_groups=8,
    )  # fmt: skip
    movq = VQModel(
        block_out_channels=[32, 64], down_block_types=["DownEncoderBlock2D", "AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D", "UpDecoderBlock2D"], in_channels=3, out_channels=3, latent_channels=4,
        layers_per_block=1, norm_num_groups=8, norm_type="spatial", num_vq_embeddings=12, vq_embed_dim=4,
    )  # fmt: skip
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="linear", variance_type="learned_range", thresholding=True,
        clip_sample=False, sample_max_value=2.0,
    )  # fmt: skip
    KandinskyV22Pipeline(unet=net, scheduler=scheduler, movq=movq).save_pretrained(folder / "decoder")
    return folder / "decoder"


def kandinsky_combined(prior_folder: Path, decoder_folder: Path, folder: Path) -> Path:
    """Both in one folder."""
    one = KandinskyV22PriorPipeline.from_pretrained(prior_folder)
    two = KandinskyV22Pipeline.from_pretrained(decoder_folder)
    more = {f"prior_{name}": part for name, part in one.components.items()}
    KandinskyV22CombinedPipeline(**two.components, **more).save_pretrained(folder)
    return folder


def _if_unet(seed: int, **changes: Any) -> UNet2DConditionModel:
    torch.manual_seed(seed)
    said: dict[str, Any] = {
        "sample_size": 16, "in_channels": 3, "out_channels": 6, "block_out_channels": (32, 64), "layers_per_block": 1,
        "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        "mid_block_type": "UNetMidBlock2DSimpleCrossAttn", "cross_attention_dim": 24, "attention_head_dim": 8,
        "encoder_hid_dim": 32, "encoder_hid_dim_type": "text_proj", "addition_embed_type": "text",
        "addition_embed_type_num_heads": 2, "act_fn": "gelu", "resnet_time_scale_shift": "scale_shift",
        "norm_num_groups": 8,
    }  # fmt: skip
    return filled(UNet2DConditionModel(**{**said, **changes}), seed)


def _if_scheduler(most: float, **changes: Any) -> DDPMScheduler:
    said = {"beta_schedule": "squaredcos_cap_v2", "variance_type": "learned_range", "thresholding": True}
    return DDPMScheduler(**{**said, "dynamic_thresholding_ratio": 0.95, "sample_max_value": most, **changes})


def _without_checks(folder: Path, pipeline: Any, **parts: Any) -> Path:
    made = pipeline(
        **parts, safety_checker=None, feature_extractor=None, watermarker=None, requires_safety_checker=False
    )
    made.save_pretrained(folder)
    return folder


def if_first(folder: Path, **scheduler: Any) -> Path:
    """DeepFloyd IF's stage I; 16 px pictures."""
    return _without_checks(
        folder / "IF-I", IFPipeline, tokenizer=t5_tokenizer(folder / "t5"), text_encoder=t5(),
        unet=_if_unet(0), scheduler=_if_scheduler(1.5, **scheduler),
    )  # fmt: skip


def if_second(folder: Path, *, with_t5: bool = False, scheduler: Any = None) -> Path:
    """Its stage II; 32 px pictures.   scheduler: in its own one's place."""
    net = _if_unet(
        1, sample_size=32, in_channels=6, class_embed_type="timestep", resnet_skip_time_act=True,
        resnet_out_scale_factor=1.4142,
    )  # fmt: skip
    return _without_checks(
        folder / "IF-II", IFSuperResolutionPipeline, unet=net, scheduler=scheduler or _if_scheduler(1.2),
        tokenizer=t5_tokenizer(folder / "t5") if with_t5 else None, text_encoder=t5() if with_t5 else None,
        image_noising_scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
    )  # fmt: skip
