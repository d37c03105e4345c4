"""A network that is shown a smaller picture: the second and later stages of a cascade.

Ho et al., 2022, Cascaded Diffusion Models, https://arxiv.org/abs/2106.15282, section 4: the smaller picture, enlarged,
is concatenated to the state, and the network is told how much noise was put on it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.nets.cond import check_names
from mezzotint.nets.config import LEVEL_WAVES, UpsamplerConfig
from mezzotint.nets.embed import frequencies, waves
from mezzotint.nets.recalled import Split
from mezzotint.nets.unet import UNet

LEVEL_RANGE = (1 / 64, 1.0)
"""Cycles per unit of log-SNR, lowest and highest."""


class Upsampler(nn.Module):
    """(x (B, C, H, W), c_noise, cond) -> (B, C, H, W); cond: "lowres" (B, C, H, W), "lowres_logsnr" (B,), and whatever
    the inner network is told beside its vector."""

    def __init__(self, config: UpsamplerConfig) -> None:
        super().__init__()
        self.config = config
        self.inner = UNet(config.inner)

    @property
    def cond_names(self) -> tuple[str, ...]:
        """The names ``cond`` must hold."""
        return ("lowres", "lowres_logsnr", *(n for n in self.inner.cond_names if n != "vector"))

    def text_kv(self, cond: Cond) -> Cond:
        """Nothing is made once for all evaluations here."""
        return cond

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        """Raises UsageError for a wrong cond, ModelError for a state that does not fit."""
        return self.split(x, c_noise, cond).answer

    def split(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Split:
        """The same in parts: those of the inner network."""
        check_names(cond, self.cond_names)
        small, logsnr = cond["lowres"], cond["lowres_logsnr"]
        if small.shape != x.shape or logsnr.shape != (x.shape[0],):
            raise UsageError(
                f"cond lowres: expected {tuple(x.shape)} and its level ({x.shape[0]},), got {tuple(small.shape)} and"
                f" {tuple(logsnr.shape)}; enlarge the smaller picture to this stage's size"
            )
        rest = {k: v for k, v in cond.items() if k not in ("lowres", "lowres_logsnr")}
        level = waves(logsnr.float(), frequencies(LEVEL_WAVES // 2, *LEVEL_RANGE, x.device))
        return self.inner.split(torch.cat([x, small.to(x)], 1), c_noise, {**rest, "vector": level})
