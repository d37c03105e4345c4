"""The peers: diffusers' networks and pipeline, made to the size of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LEVELS = 3  # 28 -> 14 -> 7: one more halving is not possible
GRAIN = 4  # widths are multiples of it: attention has heads of 8, on twice the width


def unet(width: int, size: int = 28, classes: int | None = 10) -> Any:
    """``UNet2DModel`` with channels (w, 2w, 2w) and attention below full resolution, as the diffusion course has it for
    28 px pictures; everything else at its default.
    """
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=size,
        in_channels=1,
        out_channels=1,
        layers_per_block=2,
        block_out_channels=(width, 2 * width, 2 * width),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=next(g for g in (32, 16, 8, 4) if width % g == 0),
        num_class_embeds=classes,
    )


def parameters(net: Any) -> int:
    """Numbers in a network."""
    return sum(p.numel() for p in net.parameters())


def unet_of_size(target: int, size: int = 28, classes: int | None = 10) -> Any:
    """The ``UNet2DModel`` whose parameter count is nearest to ``target``, over widths that are multiples of 4.

    The count grows as the width squared; it is interpolated, then the neighbours are built and the nearest kept.
    """
    probe = parameters(unet(64, size, classes))
    guess = max(GRAIN, round(64 * (target / probe) ** 0.5 / GRAIN) * GRAIN)
    made = [unet(w, size, classes) for w in (guess - GRAIN, guess, guess + GRAIN) if w >= GRAIN]
    return min(made, key=lambda net: abs(parameters(net) - target))


def dit(width: int, depth: int, heads: int, size: int, patch: int, classes: int) -> Any:
    """``DiTTransformer2DModel``, everything else at its default."""
    from diffusers import DiTTransformer2DModel

    return DiTTransformer2DModel(
        num_attention_heads=heads,
        attention_head_dim=width // heads,
        in_channels=1,
        out_channels=1,
        num_layers=depth,
        sample_size=size,
        patch_size=patch,
        num_embeds_ada_norm=classes,
    )


def save_pipeline(folder: Path, target: int) -> int:
    """A ``DDPMPipeline`` with about ``target`` parameters (no labels: the pipeline cannot pass them), saved once.

    Returns: its number of parameters.
    """
    import torch
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    if (folder / "model_index.json").is_file():
        return parameters(UNet2DModel.from_pretrained(folder / "unet"))
    torch.manual_seed(0)
    net = unet_of_size(target, classes=None)
    DDPMPipeline(net, DDPMScheduler()).save_pretrained(folder)
    return parameters(net)
