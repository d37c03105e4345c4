"""An embedding whose state is standardised: what the prior of a published cascade makes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mezzotint.codecs.base import check_rows


@dataclass(frozen=True, eq=False)
class ScaledVector:
    r"""Embeddings (B, width) <-> states (B, n, width), :math:`z = (e - mean)/std`.

    n: embeddings of a sample; with more than one data are (B, n, width).  mean, std: (1, width), of the training data.
    Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, sec. 2.2.
    """

    n: int
    mean: Tensor
    std: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n, self.mean.shape[-1])

    def encode(self, data: Tensor) -> Tensor:
        """Raises InputError for another shape."""
        rows = data.reshape(len(data), self.n, -1)
        check_rows("embeddings", rows, self.shape)
        return (rows - self.mean) / self.std

    def decode(self, state: Tensor) -> Tensor:
        """Raises InputError for another shape."""
        check_rows("state", state, self.shape)
        found = state.float() * self.std + self.mean
        return found[:, 0] if self.n == 1 else found
