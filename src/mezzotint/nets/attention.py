"""Attention on normalised queries and keys; the short sequences of small pictures take the fast road on a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHORT = 256
"""Tokens up to which explicit matmul, softmax, matmul beats the fused kernel on a CPU (measured 1.4 to 2 times)."""
SHORT_LEARNING = 320
"""The same where gradients are asked: its way back takes more than twice as long (284 tokens, bfloat16)."""


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """softmax(q k^T + bias) v, the scale already in q.

    Args: q: (B, H, N, h).  k, v: (B, H, M, h).  bias: (B, 1, 1, M) with -inf where a key is masked, or None.
    Returns: (B, H, N, h).  The softmax accumulates in float32 whatever the dtype.
    """
    short = SHORT_LEARNING if torch.is_grad_enabled() and q.requires_grad else SHORT
    if q.device.type != "cpu" or max(q.shape[-2], k.shape[-2]) > short:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
    scores = q @ k.transpose(-1, -2)
    scores = scores if bias is None else scores + bias
    return scores.softmax(-1) @ v


def split_heads(x: Tensor, parts: int, heads: int) -> Tensor:
    """(B, N, parts * heads * h) -> (parts, B, heads, N, h), contiguous: one copy here makes every later pass dense."""
    b, n, _ = x.shape
    return x.view(b, n, parts, heads, -1).permute(2, 0, 3, 1, 4).contiguous()


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, N, h) -> (B, N, H * h)."""
    return x.transpose(1, 2).flatten(2)


def mask_bias(mask: Tensor, before: int, after: int, dtype: torch.dtype) -> Tensor:
    """(B, M) bool -> (B, 1, 1, before + M + after): 0 for a key that is seen, -inf for one that is not.

    The keys added before and after the M are always seen.
    """
    seen = F.pad(mask, (before, after), value=True)
    return torch.zeros(seen.shape, dtype=dtype, device=mask.device).masked_fill(~seen, float("-inf"))[:, None, None]
