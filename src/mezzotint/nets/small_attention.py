"""Attention learnt through on a processor in bfloat16: with few keys two plain products are faster than the fused
kernel, with slim heads that kernel is in float32."""

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


SLIM = 16
"""Width of a head below which, with more keys, the fused kernel learns faster in float32: 1024 x 1024 at 10 wide in 190
ms for 310, one core; at 20 wide 131 for 140, at 64 wide it loses."""

Way = Callable[[Tensor, Tensor, Tensor, float | None], Tensor]


def faster(q: Tensor, k: Tensor, v: Tensor, *more: Any, **said: Any) -> Way | None:
    """A faster way to the same, if there is one.   q, k, v: (…, N | M, d)."""
    asked = bool(more) or any(said.get(name) for name in ("dropout_p", "is_causal", "enable_gqa"))
    here = q.device.type == "cpu" and q.dtype == torch.bfloat16 and q.requires_grad
    if asked or not here or said.get("attn_mask") is not None:
        return None
    if q.shape[-2] * k.shape[-2] <= MOST:
        return plain
    return single if q.shape[-1] < SLIM else None


def plain(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    r""":math:`softmax(q k^T s)\, v`, (…, N, d); s is :math:`1/\sqrt d` where ``scale`` is None."""
    s = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    made: Tensor = ((q * s) @ k.transpose(-1, -2)).softmax(-1) @ v
    return made


def single(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    """As ``plain``, by the fused kernel in float32."""
    return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), scale=scale).to(q.dtype)


class SmallAttention(TorchFunctionMode):
    """Within it, attention of whatever network takes the fastest way, where gradients are wanted."""

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
            way = faster(*args, **said)
            if way is not None:
                q, k, v = args
                return way(q, k, v, said.get("scale"))
        return func(*args, **said)
