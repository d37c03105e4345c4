"""Where the tensors of a change are computed with: beside the weight that they change, wherever a file was read to."""

from __future__ import annotations

import torch
from torch import Tensor


def beside(weight: Tensor, tensor: Tensor) -> Tensor:
    """A tensor of any shape, float32, on the device of a weight; itself where it is so already.  Differentiable."""
    return tensor.to(weight.device, torch.float32)
