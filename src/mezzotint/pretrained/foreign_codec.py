"""The codec of a library's stage, by the name that its family gave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from mezzotint.codecs.base import Codec
from mezzotint.codecs.kl import KL
from mezzotint.codecs.pixels import Pixels, Unrounded
from mezzotint.codecs.scaled import ScaledVector
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.spec import Spec


def foreign_codec(spec: Spec, nets: Sequence[Component], own: Component | None, device: str) -> Codec:
    """kl: an autoencoder's latents.  pixels: pictures.  floats: pictures that another stage goes on with.  scaled: an
    embedding, by the mean and the deviation in the weights of the prior that makes it."""
    said, shape = spec.codec, spec.shape
    name = said["name"]
    if name == "scaled":
        tensors = nets[0].tensors()
        return ScaledVector(shape[0], tensors["clip_mean"].float().to(device), tensors["clip_std"].float().to(device))
    if name in ("pixels", "floats"):
        made = Pixels(shape[0], (shape[1], shape[2]))
        return made if name == "pixels" else Unrounded(made)
    factor = int(said["factor"])
    size = (shape[1] * factor, shape[2] * factor)
    return KL(_fetched(own, device), size, factor, shape[0], said["scaling"], said["shift"])


def _fetched(own: Component | None, device: str) -> Callable[[], nn.Module]:
    assert own is not None
    return lambda: network_of(own, device, torch.float32)
