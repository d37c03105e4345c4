"""diffusers' ``UNet2DConditionModel``, called as our networks are."""

from __future__ import annotations

from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.nets.remembered import remembering

ADDED = {"pooled": "text_embeds", "time_ids": "time_ids"}
"""Our name of a condition -> the U-Net's, of those that go beside the text's states."""


class Called(nn.Module):
    """(c_in x (B, *), c_noise (B,), cond) -> what the network predicts (B, *); it computes in its weights' format."""

    def __init__(self, unet: nn.Module, takes: tuple[str, ...]) -> None:
        super().__init__()
        self.unet, self.cond_names = remembering(unet), takes

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.unet.parameters()).dtype
        told = {name: cond[name].to(dtype) for name in self.cond_names}
        added = {ADDED[name]: value for name, value in told.items() if name in ADDED}
        answer: Tensor = self.unet(
            x.to(dtype), c_noise, told["text"], added_cond_kwargs=added or None, return_dict=False
        )[0]
        return answer.to(x.dtype)
