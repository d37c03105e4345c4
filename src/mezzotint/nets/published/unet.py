"""diffusers' ``UNet2DConditionModel`` as Stable Diffusion 1, 2 and XL have it: the same paths, shapes and arithmetic.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models; Podell et al., 2023, SDXL, sec. 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.scalar import as_many
from mezzotint.nets.published.layers import Down, Resnet, Transformer, Up


@dataclass(frozen=True)
class UNetConfig:
    """Of its configuration, what counts.

    attends: of each stage on the way down, whether it attends; ``attends_up`` on the way up.   heads, blocks: of each
    stage's attention.  flipped, shift: of the time's sines.  classes, scale: what else it is told: numbered classes,
    the width of a distilled scale's embedding.   size_width, added: of SDXL's sizes and of all that is added.
    """

    seen: int
    made: int
    widths: tuple[int, ...]
    depth: int
    attends: tuple[bool, ...]
    attends_up: tuple[bool, ...]
    heads: tuple[int, ...]
    blocks: tuple[int, ...]
    context: int
    groups: int
    eps: float
    linear: bool
    flipped: bool = True
    shift: float = 0.0
    classes: int = 0
    scale: int = 0
    size_width: int = 0
    added: int = 0


def sines(values: Tensor, width: int, flipped: bool, shift: float) -> Tensor:
    """(N,) -> (N, width): sines, then cosines (flipped: cosines first) of values times 10000^(-k/(w/2 - shift))."""
    half = width // 2
    rates = torch.exp(
        -math.log(10_000) * torch.arange(half, dtype=torch.float32, device=values.device) / (half - shift)
    )
    angles = values[:, None].float() * rates
    both = (angles.cos(), angles.sin()) if flipped else (angles.sin(), angles.cos())
    return F.pad(torch.cat(both, -1), (0, width % 2))


class _Embedding(nn.Module):
    def __init__(self, taken: int, width: int, scale: int = 0) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(taken, width)
        if scale:
            self.cond_proj = nn.Linear(scale, taken, bias=False)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        told = x if scale is None else x + self.cond_proj(scale)
        made: Tensor = self.linear_2(F.silu(self.linear_1(told)))
        return made


class _Stage(nn.Module):
    """Residual blocks, each with its attention where it attends."""

    def __init__(self, c: UNetConfig, before: Sequence[int], width: int, k: int, attends: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(b, width, c.groups, c.eps, 4 * c.widths[0]) for b in before)
        made = [Transformer(width, c.heads[k], c.context, c.blocks[k], c.groups, c.linear) for _ in before]
        if attends:
            self.attentions = nn.ModuleList(made)
        self.attends = attends

    def one(self, i: int, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = self.resnets[i](x, as_many(time, x))
        return self.attentions[i](x, text) if self.attends else x


class _DownStage(_Stage):
    def __init__(self, c: UNetConfig, k: int) -> None:
        width = c.widths[k]
        super().__init__(c, [c.widths[max(0, k - 1)], *[width] * (c.depth - 1)], width, k, c.attends[k])
        self.downsamplers = nn.ModuleList([] if k == len(c.widths) - 1 else [Down(width, 1)])

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> list[Tensor]:
        """Every state on the way, the last one last."""
        found = []
        for i in range(len(self.resnets)):
            x = self.one(i, x, time, text)
            found.append(x)
        return [*found, *(down(x) for down in self.downsamplers)]


class _Middle(nn.Module):
    def __init__(self, c: UNetConfig) -> None:
        super().__init__()
        width = c.widths[-1]
        self.attentions = nn.ModuleList([Transformer(width, c.heads[-1], c.context, c.blocks[-1], c.groups, c.linear)])
        self.resnets = nn.ModuleList(Resnet(width, width, c.groups, c.eps, 4 * c.widths[0]) for _ in range(2))

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = self.attentions[0](self.resnets[0](x, as_many(time, x)), text)
        made: Tensor = self.resnets[1](x, as_many(time, x))
        return made


class _UpStage(_Stage):
    """Stage j on the way up, whose width is that of stage k on the way down."""

    def __init__(self, c: UNetConfig, j: int) -> None:
        widths, last = c.widths[::-1], len(c.widths) - 1
        width, below, beside = widths[j], widths[max(0, j - 1)], widths[min(j + 1, last)]
        before = [(below if i == 0 else width) + (beside if i == c.depth else width) for i in range(c.depth + 1)]
        super().__init__(c, before, width, last - j, c.attends_up[j])
        self.upsamplers = nn.ModuleList([] if j == last else [Up(width)])

    def forward(self, x: Tensor, beside: Sequence[Tensor], size: torch.Size, time: Tensor, text: Tensor) -> Tensor:
        """beside: states on the way down, one a block, the last one used first.  size: (H, W) of what is made.

        They are left as they are: a stage may be run once more for its gradients (``nets.checkpointed``).
        """
        for i, state in enumerate(reversed(beside)):
            x = self.one(i, torch.cat([x, as_many(state, x)], 1), time, text)
        for up in self.upsamplers:
            x = up(x, size)
        return x


class ConditionedUNet(nn.Module):
    """(x (B, C, H, W), t (B,), text (k B, L, D)) -> (what it predicts (k B, C', H, W),); called as diffusers' is.

    With k > 1 each state is told k texts: rows [x, x, …] of text, computed once as far as the first layer that is told.
    Whatever else it is told is of k B rows then, or of none.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        c, width, time = config, config.widths[0], 4 * config.widths[0]
        self.said = c
        self.conv_in = nn.Conv2d(c.seen, width, 3, padding=1)
        self.time_embedding = _Embedding(width, time, c.scale)
        if c.classes:
            self.class_embedding = nn.Embedding(c.classes, time)
        if c.added:
            self.add_embedding = _Embedding(c.added, time)
        self.down_blocks = nn.ModuleList(_DownStage(c, k) for k in range(len(c.widths)))
        self.up_blocks = nn.ModuleList(_UpStage(c, j) for j in range(len(c.widths)))
        self.mid_block = _Middle(c)  # after them, as files that count the layers do
        self.conv_norm_out = nn.GroupNorm(c.groups, width, c.eps)
        self.conv_out = nn.Conv2d(width, c.made, 3, padding=1)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        *,
        class_labels: Tensor | None = None,
        timestep_cond: Tensor | None = None,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
        return_dict: bool = False,
        down_block_additional_residuals: Sequence[Tensor] | None = None,
        mid_block_additional_residual: Tensor | None = None,
    ) -> tuple[Tensor]:
        time = F.silu(self._embedded(x, t, class_labels, timestep_cond, added_cond_kwargs or {}))
        beside = [self.conv_in(x)]
        for stage in self.down_blocks:
            beside += stage(beside[-1], time, text)
        x = self.mid_block(beside[-1], time, text)
        if down_block_additional_residuals is not None:
            beside = [a + b for a, b in zip(beside, down_block_additional_residuals, strict=True)]
        if mid_block_additional_residual is not None:
            x = x + mid_block_additional_residual
        for stage in self.up_blocks:
            used, beside = beside[-self.said.depth - 1 :], beside[: -self.said.depth - 1]
            x = stage(x, used, (beside or used)[-1].shape[2:], time, text)
        return (self.conv_out(F.silu(self.conv_norm_out(x))),)

    def _embedded(
        self, x: Tensor, t: Tensor, classes: Tensor | None, scale: Tensor | None, added: Mapping[str, Tensor]
    ) -> Tensor:
        """(B, 4 C): of the time and of what else it is told as a vector."""
        c = self.said
        told = sines(t.expand(len(x)), c.widths[0], c.flipped, c.shift).to(x.dtype)
        made: Tensor = self.time_embedding(told, scale)
        if c.classes:
            made = made + self.class_embedding(classes).to(x.dtype)
        if c.added:
            sizes = sines(added["time_ids"].flatten(), c.size_width, c.flipped, c.shift).reshape(len(x), -1)
            made = made + self.add_embedding(torch.cat([added["text_embeds"], sizes], -1).to(made.dtype))
        return made
