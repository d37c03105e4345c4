"""The codec of a library's stage, by the name that its family gave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.codecs.base import Codec
from mezzotint.codecs.kl import KL
from mezzotint.codecs.pixels import Pixels, Unrounded
from mezzotint.codecs.scaled import ScaledVector
from mezzotint.pretrained.component_network import quick_network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.spec import Spec


class Unquantised(nn.Module):
    """A ``VQModel`` asked as an ``AutoencoderKL`` is, its latents not put to the nearest code."""

    def __init__(self, vq: nn.Module) -> None:
        super().__init__()
        self.vq: Any = vq

    def encode(self, x: Tensor) -> Any:
        latents = self.vq.encode(x).latents
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))

    def decode(self, z: Tensor) -> Any:
        return self.vq.decode(z, force_not_quantize=True)


def foreign_codec(
    spec: Spec, nets: Sequence[Component], own: Component | None, device: str, dtype: torch.dtype
) -> Codec:
    """kl, movq: an autoencoder's latents.  pixels: pictures.  floats: pictures that another stage goes on with.
    scaled: an embedding, by the mean and the deviation in the weights of the prior that makes it.

    dtype: of an autoencoder's weights.  bfloat16 has float32's range: what overflows in float16 (``force_upcast``) does
    not in it.
    """
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
    fetch = _fetched(own, device, dtype)
    vae = fetch if name == "kl" else lambda: Unquantised(fetch())
    return KL(vae, size, factor, shape[0], said["scaling"], said["shift"])


def _fetched(own: Component | None, device: str, dtype: torch.dtype) -> Callable[[], nn.Module]:
    assert own is not None
    return lambda: quick_network_of(own, device, dtype)
