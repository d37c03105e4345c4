r"""Rotations of a layer's outputs or inputs: OFT, whose rotations are blocks on a diagonal, and BOFT, whose blocks are
mixed as a butterfly of a fast Fourier transform mixes.

A block is made of a skew-symmetric Q by Cayley's transform, which is orthogonal.
Qiu et al., 2023, Controlling Text-to-Image Diffusion by Orthogonal Finetuning; Liu et al., 2024, Parameter-Efficient
Orthogonal Finetuning via Butterfly Factorization, sec. 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.nets.adapters.devices import beside


def cayley(q: Tensor) -> Tensor:
    """(…, n, n) skew-symmetric -> (I + Q)(I - Q)⁻¹, float32."""
    q = q.float()
    eye = torch.eye(q.shape[-1], device=q.device).expand(q.shape)
    made: Tensor = torch.linalg.solve(eye - q, eye + q, left=False)
    return made


def neumann(q: Tensor, terms: int) -> Tensor:
    """The same by the first powers of its series, I + 2Q + 2Q² + … + Qᵖ with p = max(3, terms - 1), as PEFT has it: of
    two terms it leaves I + 2Q, of one I.   Qiu et al., 2025, Orthogonal Finetuning Made Scalable, sec. 4.2.
    """
    q = q.float()
    made = torch.eye(q.shape[-1], device=q.device).expand(q.shape)
    last = terms - 1 if terms < 3 else max(3, terms - 1)
    power = made
    for k in range(1, last + 1):
        power = power @ q
        made = made + (1.0 if k == last and terms > 2 else 2.0) * power
    return made


def skew(upper: Tensor) -> Tensor:
    """(r, n (n - 1) / 2), rows above the diagonal one after the other -> (r, n, n) skew-symmetric.  Raises RuntimeError
    where no n has so many."""
    n = round((1 + (1 + 8 * upper.shape[-1]) ** 0.5) / 2)
    if n * (n - 1) != 2 * upper.shape[-1]:
        raise RuntimeError(f"{upper.shape[-1]} numbers are no triangle")
    made = upper.new_zeros(*upper.shape[:-1], n, n, dtype=torch.float32)
    rows, columns = torch.triu_indices(n, n, 1)
    made[..., rows, columns] = upper.float()
    return made - made.transpose(-1, -2)


@dataclass(frozen=True, eq=False)
class Outputs:
    r"""W' = s ⊙ (R W), as kohya and LyCORIS have it: of blocks (k, n, n) R is a diagonal of transposed rotations, of
    (m, k, n, n) a product of m, before and after each of which outputs are exchanged: in factor i of groups of
    :math:`n\,2^i`, so that a block has halves of two neighbours.

    Q = blocks - blocksᵀ, no longer as a whole than ``alpha`` times the number of outputs where alpha is above 0.
    rescale: s, (out, 1, …).  https://github.com/KohakuBlueleaf/LyCORIS, diag_oft.py, boft.py (``bypass_forward``: its
    ``make_weight`` turns inputs, and only where there are as many); sd-scripts, oft.py.
    """

    blocks: Tensor
    rescale: Tensor | None = None
    alpha: float | None = None
    bias: Tensor | None = None
    scaled: bool = True

    def delta(self, weight: Tensor) -> Tensor:
        base = weight.float()
        turned = self._turned(base.flatten(1)).reshape(base.shape)
        if self.rescale is not None:
            turned = beside(base, self.rescale).reshape(-1, *(1,) * (base.ndim - 1)) * turned
        return turned - base

    def _turned(self, w: Tensor) -> Tensor:
        r = cayley(self._skew(w))
        if r.ndim == 3:
            return torch.einsum("knm,knp->kmp", r, w.reshape(*r.shape[:2], w.shape[1])).flatten(0, 1)
        for i, factor in enumerate(r):
            half = 2**i * (r.shape[-1] // 2)
            mixed = w.reshape(-1, 2, half, w.shape[1]).transpose(1, 2).reshape(*factor.shape[:2], w.shape[1])
            mixed = torch.einsum("dij,djp->dip", factor, mixed)
            w = mixed.reshape(-1, half, 2, w.shape[1]).transpose(1, 2).flatten(0, 2)
        return w

    def _skew(self, w: Tensor) -> Tensor:
        q = beside(w, self.blocks)
        q = q - q.transpose(-1, -2)
        outputs = len(w)
        most = (self.alpha or 0.0) * outputs
        if most <= 0:
            return q
        length = float(q.detach().norm())
        return q * (most / length) if most < length else q


@dataclass(frozen=True, eq=False)
class Inputs:
    """W' = s ⊙ (W Mᵀ), as PEFT has it: M = M_N … M_1, each a diagonal of blocks (d, n, n), in a product of several
    between two exchanges of the inputs.  A convolution's inputs are those of each place of its kernel, channels first.

    blocks: (N, d, n, n) rotations; one block alone is every block.   scale: s, (out,) in any shape.
    """

    blocks: Tensor
    scale: Tensor | None = None
    bias: Tensor | None = None
    scaled: bool = True

    def delta(self, weight: Tensor) -> Tensor:
        base = weight.float()
        turned = base.flatten(1)
        many, size = len(self.blocks), self.blocks.shape[-1]
        for i, blocks in enumerate(beside(base, self.blocks)):
            every = blocks.expand(turned.shape[1] // size, size, size) if len(blocks) == 1 else blocks
            order = butterfly(turned.shape[1], size << i, size // 2) if many > 1 else torch.arange(turned.shape[1])
            order = order.to(base.device)
            sides = turned[:, order.argsort()].reshape(len(turned), *every.shape[:2])
            turned = torch.einsum("odk,dck->odc", sides, every).flatten(1)[:, order]
        if self.scale is not None:
            turned = beside(base, self.scale).reshape(-1, 1) * turned
        return turned.reshape(base.shape) - base


def butterfly(n: int, group: int, half: int) -> Tensor:
    """The order (n,) of n inputs that puts in each group the even pieces of ``half`` before the odd ones.  Raises
    RuntimeError where n is not made of whole groups."""
    pieces = torch.arange(n).reshape(-1, group // half, half)
    return torch.cat([pieces[:, ::2], pieces[:, 1::2]], 1).flatten()


Rotation = Outputs | Inputs


def rotation_of(found: Mapping[str, Tensor], alpha: float | None) -> Rotation | None:
    """The rotation that a layer's tensors say, None where there is none.   oft_R: blocks already (``pretrained``)."""
    if "oft_blocks" in found:
        return Outputs(found["oft_blocks"], found.get("rescale"), alpha, found.get("diff_b"))
    if "oft_R" in found:
        return Inputs(found["oft_R"][None])
    if "boft_R" in found:
        q = found["boft_R"].float()
        return Inputs(cayley((q.transpose(-1, -2) - q) / 2), found.get("boft_s"))
    return None
