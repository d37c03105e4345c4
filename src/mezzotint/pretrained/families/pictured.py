"""diffusers' U-Net that attends to a picture's tokens beside the text's, called as the U-Net alone is.

Ye et al., 2023, IP-Adapter: Text Compatible Image Prompt Adapter for Text-to-Image Diffusion Models, eq. 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.shared import shared

CROSS = "attn2"


@dataclass(frozen=True, eq=False)
class Looks:
    """A layer's keys and values for one picture: (inner, D) each, the number of its tokens, and its weight."""

    to_k: Tensor
    to_v: Tensor
    tokens: int
    weight: float


class PictureAttention:
    """What one attention layer of diffusers computes, for text with the tokens of pictures at its end.

    y = W_out (A(q, K text, V text) + sum of weight A(q, K picture, V picture)), with A the attention of all heads.
    """

    def __init__(self, looks: Sequence[Looks]) -> None:
        self.looks = tuple(looks)

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        heads: int = attn.heads
        told = torch.split(encoder_hidden_states, self._lengths(encoder_hidden_states), 1)
        query = attn.to_q(hidden_states)
        y = _attend(query, attn.to_k(told[0]), attn.to_v(told[0]), heads)
        for one, tokens in zip(self.looks, told[1:], strict=True):
            if one.weight != 0:
                y = y + one.weight * _attend(query, F.linear(tokens, one.to_k), F.linear(tokens, one.to_v), heads)
        found: Tensor = attn.to_out[1](attn.to_out[0](y))
        return found

    def _lengths(self, told: Tensor) -> list[int]:
        pictures = [one.tokens for one in self.looks]
        return [told.shape[1] - sum(pictures), *pictures]


def _attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """(B, N, inner), (B, M, inner) twice -> (B, N, inner)."""
    q, k, v = (x.view(*x.shape[:2], heads, -1).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Pictured(nn.Module):
    """A U-Net that is told ``image`` (B, n, D) among what is added; it is called as the U-Net is."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        *,
        class_labels: Tensor | None,
        timestep_cond: Tensor | None,
        added_cond_kwargs: Mapping[str, Any],
        return_dict: bool,
        down_block_additional_residuals: tuple[Tensor, ...] | None = None,
        mid_block_additional_residual: Tensor | None = None,
    ) -> Any:
        added = {name: value for name, value in added_cond_kwargs.items() if name != "image"}
        both = torch.cat([text, added_cond_kwargs["image"]], 1)
        return self.unet(
            x, t, both, class_labels=class_labels, timestep_cond=timestep_cond, added_cond_kwargs=added or None,
            return_dict=return_dict,
            down_block_additional_residuals=down_block_additional_residuals,
            mid_block_additional_residual=mid_block_additional_residual,
        )  # fmt: skip


def cross_attentions(unet: nn.Module) -> dict[str, nn.Module]:
    """The layers that attend to text, by path, in the order in which IP-Adapter's files count them."""
    return {name: module for name, module in unet.named_modules() if name.rpartition(".")[2] == CROSS}


def looking(unet: nn.Module, looks: Mapping[str, Sequence[Looks]]) -> Pictured:
    """A U-Net that shares every weight with ``unet`` and attends to pictures; ``unet`` is left as it is."""
    made = shared(unet)
    for path, some in looks.items():
        layer: Any = made.get_submodule(path)
        layer.processor = PictureAttention(some)
    return Pictured(made)
