"""CLIP's picture encoder: a picture to its embedding, or to the states of its patches.

Radford et al., 2021, Learning Transferable Visual Models From Natural Language Supervision, sec. 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mezzotint.errors import ModelError
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.components import Component

if TYPE_CHECKING:
    from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
CLASS = "CLIPVisionModelWithProjection"
MAX_SIDE = 2048


class Seen(NamedTuple):
    """embedding: (1, P), projected.  states: (1, 1 + patches, D) of the layer before the last."""

    embedding: Tensor
    states: Tensor


def side_of(encoder: Component) -> int:
    """Of the square it looks at, in pixels.  Raises ModelError."""
    side = encoder.config.get("image_size", 224)
    if type(side) is not int or not 1 <= side <= MAX_SIDE:
        raise ModelError(f"{encoder.folder}: image_size is {side!r}; expected 1 to {MAX_SIDE}")
    return side


def looked_at(pixels: Pixels, side: int) -> Tensor:
    """(H, W, 3) -> (1, 3, side, side): the shorter edge scaled to ``side`` (bicubic), the centre cut out and
    normalised."""
    import torch
    from PIL import Image

    height, width = pixels.shape[:2]
    short = min(height, width)
    tall, wide = (side if n == short else side * n // short for n in (height, width))
    small = np.asarray(Image.fromarray(pixels).resize((wide, tall), Image.Resampling.BICUBIC), np.uint8)
    top, left = (tall - side) // 2, (wide - side) // 2
    x = torch.from_numpy(small[top : top + side, left : left + side].copy()).permute(2, 0, 1)[None].float() / 255
    return (x - torch.tensor(MEAN).reshape(1, 3, 1, 1)) / torch.tensor(STD).reshape(1, 3, 1, 1)


def seen(encoder: Component, x: Tensor) -> Seen:
    """What the encoder makes of (1, 3, side, side); float32 on the CPU whatever the models run in: it looks once, at
    little cost, and its embedding is a state that trajectories and ways between pictures go on from."""
    import torch

    from mezzotint.pretrained.component_network import network_of

    with torch.inference_mode():
        found = network_of(encoder, "cpu", torch.float32)(x, output_hidden_states=True)
    return Seen(found.image_embeds.clone(), found.hidden_states[-2].clone())
