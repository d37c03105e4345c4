"""How many axes the tensors of an adapter's file have, and that their values are finite: checked where keys are read,
before anything counts on it."""

from __future__ import annotations

import torch
from torch import Tensor

from mezzotint.errors import ModelError

AXES: dict[str, tuple[int, int]] = {
    "down": (2, 4), "up": (2, 4), "mid": (4, 4), "magnitude": (1, 4),
    "oft_R": (3, 3), "oft_blocks": (3, 4), "rescale": (1, 4), "boft_R": (4, 4), "boft_s": (1, 2),
    "diff": (1, 4), "diff_b": (1, 1), "w_norm": (1, 1), "b_norm": (1, 1),
    "hada_w1_a": (2, 2), "hada_w1_b": (2, 4), "hada_w2_a": (2, 2), "hada_w2_b": (2, 4), "hada_t1": (3, 4),
    "hada_t2": (3, 4), "lokr_w1": (2, 2), "lokr_w2": (2, 4), "lokr_w1_a": (2, 2), "lokr_w1_b": (2, 2),
    "lokr_w2_a": (2, 2), "lokr_w2_b": (2, 4), "lokr_t2": (3, 4),
}  # fmt: skip
"""What a tensor is (``layouts``) -> the fewest and the most axes that its writers give it."""


def check_axes(key: str, tensor: Tensor, axes: tuple[int, int]) -> Tensor:
    """The tensor.  Raises ModelError that names the key where it is empty or has fewer or more axes."""
    if tensor.numel() == 0 or not axes[0] <= tensor.ndim <= axes[1]:
        wanted = f"{axes[0]}" if axes[0] == axes[1] else f"{axes[0]} to {axes[1]}"
        raise ModelError(f"{key} has the shape {list(tensor.shape)}; expected {wanted} axes; fetch the file again")
    return tensor


def check_tensor(key: str, what: str, tensor: Tensor) -> Tensor:
    """The tensor of a key.  what: it is (``layouts``).   Raises ModelError that names the key where it cannot be: its
    shape is none for it, or a value is not finite.
    """
    if what != "alpha":
        return check_finite(key, check_axes(key, tensor, AXES[what]))
    if tensor.numel() != 1:
        raise ModelError(f"{key} has {tensor.numel()} values; expected one; fetch the file again")
    return check_finite(key, tensor)


_PLAIN = (torch.float32, torch.float16, torch.bfloat16)
"""Formats whose extremes torch finds in one pass; others are looked at as they are used, in float32."""


def check_finite(key: str, tensor: Tensor) -> Tensor:
    """The tensor, of any shape but empty.  Raises ModelError that names the key where a value is not finite in float32,
    in which changes are computed: what it is put on would draw nothing."""
    low, high = (tensor if tensor.dtype in _PLAIN else tensor.float()).aminmax()  # a NaN is both
    if not bool(low.isfinite() & high.isfinite()):
        raise ModelError(f"{key} holds values that are not finite; expected numbers; fetch the file again")
    return tensor
