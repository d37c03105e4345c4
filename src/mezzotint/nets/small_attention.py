"""Attention to few keys, learnt through on a processor: two plain products are faster there than the fused kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

MOST = 96 * 1024
"""Queries times keys up to which plain products win: bfloat16, both ways, two cores with AMX: 1024 x 77 in 23 ms where
the fused kernel takes 45, 256 x 256 in 11 (29), 64 x 64 in 2 (9); 1024 x 1024 in 472 (212)."""


def suits(q: Tensor, k: Tensor, v: Tensor, *more: Any, **said: Any) -> bool:
    """Whether plain products are the faster way to the same.   q, k, v: (…, N | M, d)."""
    plain = not more and not any(said.get(name) for name in ("dropout_p", "is_causal", "enable_gqa"))
    here = q.device.type == "cpu" and q.dtype == torch.bfloat16 and q.requires_grad
    return plain and here and said.get("attn_mask") is None and q.shape[-2] * k.shape[-2] <= MOST


def plain(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    r""":math:`softmax(q k^T s)\, v`, (…, N, d); s is :math:`1/\sqrt d` where ``scale`` is None."""
    s = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    made: Tensor = ((q * s) @ k.transpose(-1, -2)).softmax(-1) @ v
    return made


class SmallAttention(TorchFunctionMode):
    """Within it, attention of whatever network to few keys is made of plain products, where gradients are wanted."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        said = dict(kwargs or {})
        if func is F.scaled_dot_product_attention:
            named = {name: said.pop(name) for name in ("query", "key", "value") if name in said}
            args = (*args, *named.values())
            if suits(*args, **said):
                q, k, v = args
                return plain(q, k, v, said.get("scale"))
        return func(*args, **said)
