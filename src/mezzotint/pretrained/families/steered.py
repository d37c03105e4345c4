"""diffusers' U-Net with ControlNets beside it, called as the U-Net alone is.

Zhang et al., 2023, Adding Conditional Control to Text-to-Image Diffusion Models, eq. 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Residuals = tuple[list[Tensor], Tensor]
"""What is added to each of the U-Net's skips, and to its middle."""


class Steering(nn.Module):
    """One ControlNet and what it is told.

    channels: of the state.  picture: (1, 3, H, W) in 0 … 1.  weight: of what it adds.  above, upto: it is asked where
    above < t <= upto, with t the network's index; the levels of some steps.
    """

    def __init__(
        self,
        network: nn.Module,
        channels: int,
        picture: Tensor,
        weight: float,
        above: float = -math.inf,
        upto: float = math.inf,
    ) -> None:
        super().__init__()
        self.network, self.channels = network, channels
        self.register_buffer("picture", picture, persistent=False)
        self.weight, self.above, self.upto = weight, above, upto

    def residuals(self, x: Tensor, t: Tensor, text: Tensor, added: Mapping[str, Tensor]) -> Residuals | None:
        """None where no row is to be steered."""
        asked = (t > self.above) & (t <= self.upto)
        if not bool(asked.any()):
            return None
        picture = self.get_buffer("picture").to(x.dtype).expand(len(x), -1, -1, -1)
        state = x[:, : self.channels]  # less what U-Nets that are told a mask see beside it
        downs, middle = self.network(state, t, text, picture, added_cond_kwargs=dict(added), return_dict=False)
        share = (self.weight * asked).to(x.dtype).reshape(-1, 1, 1, 1)
        return [share * down for down in downs], share * middle


class Steered(nn.Module):
    """A U-Net whose skips and middle are added to by ControlNets; it is called as the U-Net is."""

    def __init__(self, unet: nn.Module, controls: Sequence[Steering]) -> None:
        super().__init__()
        self.unet, self.controls = unet, nn.ModuleList(controls)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        *,
        class_labels: Tensor | None,
        timestep_cond: Tensor | None,
        added_cond_kwargs: Mapping[str, Any] | None,
        return_dict: bool,
    ) -> Any:
        plain = {k: v for k, v in (added_cond_kwargs or {}).items() if isinstance(v, Tensor)}
        found = [s.residuals(x, t, text, plain) for s in self.controls if isinstance(s, Steering)]
        made = [residuals for residuals in found if residuals is not None]
        downs = [torch.stack(some).sum(0) for some in zip(*(d for d, _ in made), strict=True)]
        return self.unet(
            x, t, text, class_labels=class_labels, timestep_cond=timestep_cond, added_cond_kwargs=added_cond_kwargs,
            return_dict=return_dict,
            down_block_additional_residuals=tuple(downs) if made else None,
            mid_block_additional_residual=torch.stack([m for _, m in made]).sum(0) if made else None,
        )  # fmt: skip
