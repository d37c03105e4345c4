"""diffusers' transformers of latents, called as our networks are."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.nets.remembered import CAPTION, OF_TEXT, remembering

STEPS = 1000
"""How far published flow models count, of which FLUX is told the share."""


def _cast(cond: Cond, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: value.to(dtype) for name, value in cond.items()}


class SD3Called(nn.Module):
    """``SD3Transformer2DModel``: (c_in x (B, C, H, W), 1000 u (B,), cond) -> the velocity (B, C, H, W)."""

    cond_names = ("text", "pooled")

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, x: Tensor, count: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.transformer.parameters()).dtype
        told = _cast(cond, dtype)
        answer: Tensor = self.transformer(x.to(dtype), told["text"], told["pooled"], count, return_dict=False)[0]
        return answer.to(x.dtype)


@lru_cache(maxsize=8)
def positions(height: int, width: int, device: torch.device) -> Tensor:
    """(height x width, 3): 0, row, column of each square of four latent pixels."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], -1).reshape(-1, 3).float().to(device)


def squares(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H/2 W/2, 4C): a token is a square of 2 x 2 latent pixels."""
    b, c, height, width = x.shape
    h, w = height // 2, width // 2
    return x.view(b, c, h, 2, w, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w, 4 * c)


class FluxCalled(nn.Module):
    """``FluxTransformer2DModel``: (c_in x (B, C, H, W), 1000 u (B,), cond) -> the velocity (B, C, H, W).

    takes: its conditions; with guidance (B,) it is told a distilled scale, with masked (B, C, H, W) and mask
    (B, f^2, H, W) what is left of a picture, and which of its pixels are painted.
    """

    def __init__(self, transformer: nn.Module, takes: tuple[str, ...]) -> None:
        super().__init__()
        self.transformer, self.cond_names = transformer, takes

    def forward(self, x: Tensor, count: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.transformer.parameters()).dtype
        told = _cast({name: cond[name] for name in self.cond_names if name != "guidance"}, dtype)
        b, c, height, width = x.shape
        h, w = height // 2, width // 2
        seen = [x.to(dtype), *(told[name] for name in ("masked", "mask") if name in told)]
        answer: Tensor = self.transformer(
            torch.cat([squares(part) for part in seen], -1),
            told["text"],
            told["pooled"],
            (count / STEPS).to(dtype),
            positions(h, w, x.device).to(dtype),
            torch.zeros(told["text"].shape[1], 3, device=x.device, dtype=dtype),
            cond["guidance"].float() if "guidance" in self.cond_names else None,
            return_dict=False,
        )[0]
        y = answer.view(b, h, w, c, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(b, c, height, width)
        return y.to(x.dtype)


class PixArtCalled(nn.Module):
    """``PixArtTransformer2DModel``: (c_in x (B, C, H, W), index (B,), cond) -> the noise (B, C, H, W), its variance
    left out.   text_mask: (B, L), True where the text has a token.
    """

    cond_names = ("text", "text_mask")

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = remembering(transformer, (CAPTION, *OF_TEXT))

    def forward(self, x: Tensor, index: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.transformer.parameters()).dtype
        told = _cast({name: cond[name] for name in self.cond_names}, dtype)
        answer: Tensor = self.transformer(
            x.to(dtype),
            told["text"],
            timestep=index,
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
            encoder_attention_mask=told["text_mask"],
            return_dict=False,
        )[0]
        return answer[:, : x.shape[1]].to(x.dtype)
