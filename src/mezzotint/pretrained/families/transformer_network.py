"""diffusers' transformers of latents, called as our networks are."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond

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


class FluxCalled(nn.Module):
    """``FluxTransformer2DModel``: (c_in x (B, C, H, W), 1000 u (B,), cond) -> the velocity (B, C, H, W).

    Squares of 2 x 2 latent pixels are its tokens.  guidance: a distilled scale that it is told, (B,), where it takes
    one.
    """

    def __init__(self, transformer: nn.Module, distilled: bool) -> None:
        super().__init__()
        self.transformer = transformer
        self.cond_names = ("text", "pooled", "guidance") if distilled else ("text", "pooled")

    def forward(self, x: Tensor, count: Tensor, cond: Cond) -> Tensor:
        dtype = next(self.transformer.parameters()).dtype
        told = _cast({name: cond[name] for name in ("text", "pooled")}, dtype)
        b, c, height, width = x.shape
        h, w = height // 2, width // 2
        tokens = x.to(dtype).view(b, c, h, 2, w, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w, 4 * c)
        answer: Tensor = self.transformer(
            tokens,
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
