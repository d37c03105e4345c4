"""Attention to few keys by plain products is the fused kernel's, and only where it is meant."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mezzotint.nets import small_attention
from mezzotint.nets.small_attention import SmallAttention, faster, plain, single


def rows(n: int, m: int, dtype: torch.dtype = torch.bfloat16, width: int = 16) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, size, width, dtype=dtype) for size in (n, m, m))
    return q.requires_grad_(), k.requires_grad_(), v.requires_grad_()


@pytest.mark.parametrize("words", [{}, {"scale": 0.1}, {"dropout_p": 0.0, "is_causal": False, "attn_mask": None}])
@pytest.mark.parametrize("sizes", [(20, 7, torch.bfloat16, 16), (320, 320, torch.bfloat16, 8)])
def test_it_is_the_fused_kernel_s(words: dict[str, object], sizes: tuple[int, int, torch.dtype, int]) -> None:
    given = rows(*sizes)
    with SmallAttention():
        made = F.scaled_dot_product_attention(*given, **words)
    wide = [x.detach().float().requires_grad_() for x in given]
    wanted = F.scaled_dot_product_attention(*wide, **words)
    assert torch.allclose(made.float(), wanted, atol=3e-2)
    ours, theirs = (torch.autograd.grad(y.float().sin().sum(), xs) for y, xs in ((made, given), (wanted, wide)))
    assert all(torch.allclose(a.float(), b, atol=5e-2) for a, b in zip(ours, theirs, strict=True))


def test_it_is_asked_where_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    own = small_attention.plain
    monkeypatch.setattr(small_attention, "plain", lambda *a, **w: asked.append(1) or own(*a, **w))
    q, k, v = rows(20, 7)
    with SmallAttention():
        F.scaled_dot_product_attention(q, k, v)
        F.scaled_dot_product_attention(query=q, key=k, value=v)
        assert len(asked) == 2
        with torch.no_grad():
            F.scaled_dot_product_attention(q.detach(), k, v)
        F.scaled_dot_product_attention(q, k, v, is_causal=True)
        F.scaled_dot_product_attention(q, k, v, attn_mask=torch.zeros(20, 7, dtype=torch.bfloat16))
        F.scaled_dot_product_attention(*rows(20, 7, torch.float32))
    assert len(asked) == 2


def test_the_way_is_that_of_the_sizes() -> None:
    assert faster(*rows(400, 400)) is None
    assert faster(*rows(400, 400, width=10)) is single
    assert faster(*rows(256, 256)) is plain and faster(*rows(256, 256, width=10)) is plain
