"""A trained transformer with patches half as large: four times as many tokens, and next to no number more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.nets.config import DiTConfig


def finer(config: DiTConfig) -> DiTConfig:
    """The network of half the patch, whose tokens still see and say as many pixels as before, so that they overlap.

    Raises ModelError: not of 2 axes, an odd patch, or tokens that overlap already.
    """
    patch = config.patches[0]
    if config.dims != 2 or set(config.patches) != {patch} or patch % 2 or config.overlap:
        raise ModelError(f"patches of {config.patches}: expected 2 axes, one even number, and no overlap yet")
    return replace(config, patch=patch // 2, overlap=patch // 2, rope_step=config.rope_step / 2)


def finer_weights(weights: Mapping[str, Tensor], config: DiTConfig) -> dict[str, Tensor]:
    r"""What that network begins with.

    A token at :math:`(i, j)` of the finer grid reads the :math:`p \times p` pixels that end where its own patch of
    :math:`p/2` does, by the coarse network's map, and says a fourth of what the coarse one would: each pixel is said
    by four tokens.  Were it not for attention, which sees four grids in one, the answer would be the mean of the coarse
    network's over its grid moved by 0 and -p/2 on both axes.  Training has to do the rest, which is little of it: cf.
    Anagnostidis et al., 2025, FlexiDiT, section 3.1, https://arxiv.org/abs/2502.20126.

    Args: weights: of the network of ``config``, before it is made finer.
    """
    p, c = config.patches[0], config.in_channels
    read = weights["patch.weight"].reshape(-1, c, p, p)
    said = weights["out.weight"].reshape(config.out_channels, p, p, -1)
    bias = weights["out.bias"].reshape(config.out_channels, p, p)
    return {
        **weights,
        "patch.weight": _in_window(read, (2, 3), p).flatten(1),
        "out.weight": _in_window(said / 4, (1, 2), p).flatten(0, 2),
        "out.bias": _in_window(bias / 4, (1, 2), p).flatten(),
    }


def _in_window(x: Tensor, axes: tuple[int, int], p: int) -> Tensor:
    """The patch as the first pixels of a window half as large again, zeros after them."""
    shape = [3 * p // 2 if axis in axes else n for axis, n in enumerate(x.shape)]
    window = torch.zeros(shape, dtype=x.dtype)
    window[tuple(slice(0, n) for n in x.shape)] = x
    return window
