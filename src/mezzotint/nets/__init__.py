"""Networks for one, two and three axes: a DiT and a magnitude-preserving U-Net, both (x, c_noise, cond) -> Tensor."""

from mezzotint.nets.build import (
    build,
    config_from_dict,
    config_to_dict,
    frames_first,
    freeze,
    parameter_count,
)
from mezzotint.nets.config import (
    AutoencoderConfig,
    DiTConfig,
    EmbedderConfig,
    JudgeConfig,
    RankerConfig,
    TextConfig,
    UNetConfig,
    UpsamplerConfig,
)
from mezzotint.nets.cost import flops
from mezzotint.nets.dit import DiT
from mezzotint.nets.magnitude import project_
from mezzotint.nets.precision import best_dtype
from mezzotint.nets.unet import UNet

__all__ = [
    "AutoencoderConfig",
    "DiT",
    "DiTConfig",
    "EmbedderConfig",
    "JudgeConfig",
    "RankerConfig",
    "TextConfig",
    "UNet",
    "UNetConfig",
    "UpsamplerConfig",
    "best_dtype",
    "build",
    "config_from_dict",
    "config_to_dict",
    "flops",
    "frames_first",
    "freeze",
    "parameter_count",
    "project_",
]
