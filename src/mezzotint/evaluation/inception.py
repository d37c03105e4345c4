"""Inception-v3 with weights that the user gives: with its features a Fréchet distance is called FID, a kernel distance
KID.

The network, its resizing and its rounding are torch-fidelity's (Obukhov et al., 2020), which equal those of the paper:
Heusel et al., 2017, GANs Trained by a Two Time-Scale Update Rule.  Other weights give other numbers, so their digest is
in the name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mezzotint.errors import ModelError, UsageError
from mezzotint.evaluation.features import CHUNK, check_images, digest
from mezzotint.tensorfile import read_tensors

LAYER = "2048"
"""torch-fidelity's name for the globally averaged last feature map."""


@dataclass(frozen=True, eq=False)
class Inception:
    """``Features`` of Inception-v3: uint8 (N, 1 | 3, H, W) -> float32 (N, 2048), on the CPU."""

    name: str
    network: nn.Module
    dim: int = 2048

    @property
    def distances(self) -> tuple[str, str]:
        """FID and KID."""
        return "FID", "KID"

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        parts = torch.split(check_images(images).expand(-1, 3, -1, -1), CHUNK)
        return torch.cat([self.network(part)[0] for part in parts]) if len(images) else torch.empty(0, self.dim)


def inception(path: Path) -> Inception:
    """Inception-v3 with the weights in a safetensors file, named as torch-fidelity or pytorch-fid publish them.

    Raises UsageError without torch-fidelity, InputError or ModelError for another file.
    """
    weights = {name: w for name, w in read_tensors(path).items() if not name.endswith("num_batches_tracked")}
    return Inception(f"inception-v3-{digest(weights)[:12]}", _network(weights, path))


def _network(weights: Mapping[str, Tensor], path: Path) -> nn.Module:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise UsageError("Inception features need torch-fidelity; pip install 'mezzotint[fid]'") from error
    with tempfile.TemporaryDirectory() as folder:
        # torch-fidelity opens its own kind of file alone; this one holds what was read from the safetensors file.
        file = Path(folder) / "weights.pth"
        torch.save(dict(weights), file)
        try:
            network: nn.Module = FeatureExtractorInceptionV3("fid", [LAYER], feature_extractor_weights_path=str(file))
        except RuntimeError as error:
            raise ModelError(
                f"{path} does not hold Inception-v3 as it was trained for FID ({str(error).splitlines()[0]}); expected"
                " the tensors of torch-fidelity's weights-inception-2015-12-05 as safetensors"
            ) from error
    return network
