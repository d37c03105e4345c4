"""diffusers' ``UNet2DConditionModel``, called as our networks are."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.nets.remembered import Recognised, remembering

ADDED = {"pooled": "text_embeds", "time_ids": "time_ids", "image": "image"}
"""Our name of a condition -> the U-Net's, of those that go beside the text's states."""


BESIDE = ("mask", "masked", "lowres")
"""Conditions that go beside x, as channels, in this order."""


def scale_embedding(scale: Tensor, width: int) -> Tensor:
    r"""(B,) -> (B, width): sines, then cosines of :math:`1000\,(s - 1)\,10^{-4k/(width/2 - 1)}`, as consistency models
    are told their guidance scale s.   Luo et al., 2023, Latent Consistency Models, sec. 4.2."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=scale.device) * (-math.log(10_000) / (half - 1)))
    angles = 1000 * (scale.float() - 1)[:, None] * rates
    return nn.functional.pad(torch.cat([angles.sin(), angles.cos()], 1), (0, width % 2))


class Called(nn.Module):
    """(c_in x (B, *), c_noise (B,), cond) -> what the network predicts (B, *); it computes in its weights' format.

    cond may hold mask (B, 1, *), 1 where pictures are painted, and masked (B, C, *), the state of the picture with grey
    there; guidance (B,), a distilled scale; lowres (B, 3, *), a picture to enlarge, and lowres_level (B,), the index of
    its noise.
    """

    def __init__(self, unet: nn.Module, takes: tuple[str, ...]) -> None:
        super().__init__()
        self.unet, self.cond_names = remembering(unet), takes
        self.recognised = Recognised()

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.unet.parameters()).dtype
        told = {name: cond[name].to(dtype) for name in self.cond_names}
        added = {ADDED[name]: value for name, value in told.items() if name in ADDED}
        seen = torch.cat([x.to(dtype), *(told[name] for name in BESIDE if name in told)], 1)
        scale = self._scale(cond).to(dtype) if "guidance" in told else None
        answer: Tensor = self.unet(
            seen,
            c_noise,
            self.recognised(told["text"]),
            class_labels=cond["lowres_level"].long() if "lowres" in told else None,
            timestep_cond=scale,
            added_cond_kwargs=added or None,
            return_dict=False,
        )[0]
        return answer.to(x.dtype)

    def _scale(self, cond: Cond) -> Tensor:
        named = self.unet.named_parameters()  # the U-Net's own comes before those of networks beside it
        projection = next(p for name, p in named if name.endswith("time_embedding.cond_proj.weight"))
        return scale_embedding(cond["guidance"], projection.shape[1])
