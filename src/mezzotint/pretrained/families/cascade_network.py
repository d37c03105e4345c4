"""diffusers' networks of published cascades, called as ours are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond


class PriorCalled(nn.Module):
    """``PriorTransformer``: (c_in x (B, n, D), index (B,), cond) -> the clean embeddings (B, n, D).

    cond: text (B, L, D), pooled (B, D) and text_mask (B, L), True where the text has a token; with n embeddings a row
    (B, n, L, D), (B, n, D) and (B, n, L).
    """

    cond_names = ("text", "pooled", "text_mask")

    def __init__(self, networks: Sequence[nn.Module], indices: Sequence[float]) -> None:
        super().__init__()
        (self.prior,) = networks

    def forward(self, x: Tensor, index: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.prior.parameters()).dtype
        text, pooled, mask = (cond[name] for name in self.cond_names)
        answer: Tensor = self.prior(
            x.to(dtype).flatten(0, 1),
            index.repeat_interleave(x.shape[1]),
            pooled.to(dtype).reshape(-1, pooled.shape[-1]),
            text.to(dtype).reshape(-1, *text.shape[-2:]),
            mask.reshape(-1, mask.shape[-1]),
            return_dict=False,
        )[0]
        return answer.to(x.dtype).reshape(x.shape)


class KarloDecoderCalled(nn.Module):
    """Karlo's decoder with the projection of embeddings to its context: (c_in x (B, 3, H, W), index (B,), cond) -> the
    noise and its variance (B, 6, H, W).   cond: as the prior's, and vector (B, D), the embedding of a picture.
    """

    cond_names = ("text", "pooled", "text_mask", "vector")

    def __init__(self, networks: Sequence[nn.Module], indices: Sequence[float]) -> None:
        super().__init__()
        self.unet, self.project = networks

    def forward(self, x: Tensor, index: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.unet.parameters()).dtype
        project: Any = self.project
        states, added = project(
            image_embeddings=cond["vector"].to(dtype),
            prompt_embeds=cond["pooled"].to(dtype),
            text_encoder_hidden_states=cond["text"].to(dtype),
            do_classifier_free_guidance=False,
        )
        mask = F.pad(cond["text_mask"], (project.clip_extra_context_tokens, 0), value=True)
        answer: Tensor = self.unet(
            x.to(dtype), index, states, class_labels=added, attention_mask=mask, return_dict=False
        )[0]
        return answer.to(x.dtype)


class SuperResCalled(nn.Module):
    """Karlo's two super-resolution networks, the second for a run's last step: (c_in x (B, 3, H, W), index (B,), cond)
    -> the noise (B, 3, H, W).   cond: lowres (B, 3, H, W), the picture before.
    """

    cond_names = ("lowres",)

    def __init__(self, networks: Sequence[nn.Module], indices: Sequence[float]) -> None:
        super().__init__()
        self.first, self.last = networks
        self.end = indices[-1] if indices else 0.0

    def forward(self, x: Tensor, index: Tensor, cond: Cond) -> Tensor:
        unet = self.last if float(index[0]) <= self.end else self.first
        dtype = next(unet.parameters()).dtype
        seen = torch.cat([x.to(dtype), cond["lowres"].to(dtype)], 1)
        answer: Tensor = unet(seen, index, return_dict=False)[0]
        return answer.to(x.dtype)


class EmbeddedCalled(nn.Module):
    """A U-Net that is told a picture's embedding alone: (c_in x (B, C, H, W), index (B,), cond) -> the noise and its
    variance (B, 2C, H, W).   cond: vector (B, D).
    """

    cond_names = ("vector",)

    def __init__(self, networks: Sequence[nn.Module], indices: Sequence[float]) -> None:
        super().__init__()
        (self.unet,) = networks

    def forward(self, x: Tensor, index: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.unet.parameters()).dtype
        told = {"image_embeds": cond["vector"].to(dtype)}
        answer: Tensor = self.unet(x.to(dtype), index, None, added_cond_kwargs=told, return_dict=False)[0]
        return answer.to(x.dtype)
