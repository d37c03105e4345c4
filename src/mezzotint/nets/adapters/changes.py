"""Changes of a layer's weight that are no two thin products: LyCORIS', DoRA's and rotations, each made whole when it is
put on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.nets.adapters.devices import beside
from mezzotint.nets.adapters.rotations import Inputs, Outputs, rotation_of


class Change(Protocol):
    """What an adapter does to one layer.

    scaled: whether the file has an alpha of its own for it, or needs none.  bias: what is added to the layer's, or
    None.
    """

    @property
    def scaled(self) -> bool: ...
    @property
    def bias(self) -> Tensor | None: ...
    def delta(self, weight: Tensor) -> Tensor:
        """What is added to a weight, float32, on the weight's device wherever the change's own tensors lie: as many
        values as it has, the first axis its own."""
        ...


def tucker(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """(r, s, kh, kw), (r, out), (s, in) -> (out, in, kh, kw): a convolution's weight from a core and two matrices."""
    return torch.einsum("ij...,jr,ip->pr...", core.float(), b.float(), a.float())


def product(a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    """a b, or with a core between them, float32."""
    return a.float() @ b.float().flatten(1) if core is None else tucker(core, a, b)


def _side_by(weight: Tensor, a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    """``product``, where a weight lies."""
    return product(beside(weight, a), beside(weight, b), None if core is None else beside(weight, core))


@dataclass(frozen=True, eq=False)
class LoHa:
    """ΔW = (alpha / r) (A₁ B₁) ⊙ (A₂ B₂).

    a, b: two matrices each, (out, r) and (r, in).  cores: of convolutions in Tucker's form, else None.
    Hyeon-Woo et al., 2022, FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning, eq. 2;
    Yeh et al., 2024, Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation, sec. 3.
    """

    a: tuple[Tensor, Tensor]
    b: tuple[Tensor, Tensor]
    cores: tuple[Tensor | None, Tensor | None]
    alpha: float | None
    bias: Tensor | None = None

    @property
    def scaled(self) -> bool:
        return self.alpha is not None

    def delta(self, weight: Tensor) -> Tensor:
        one, two = (_side_by(weight, *parts) for parts in zip(self.a, self.b, self.cores, strict=True))
        rank = self.b[0].shape[0]
        return (1.0 if self.alpha is None else self.alpha / rank) * one * two


@dataclass(frozen=True, eq=False)
class LoKr:
    """ΔW = (alpha / r) C ⊗ D, a Kronecker product; either may be a product of thin matrices itself.

    rank: r of those, None where both are whole, and then nothing is scaled.
    Edalati et al., 2022, KronA: Parameter Efficient Tuning with Kronecker Adapter, eq. 5; Yeh et al., 2024, as above.
    """

    left: Tensor
    right: Tensor
    rank: int | None
    alpha: float | None
    bias: Tensor | None = None

    @property
    def scaled(self) -> bool:
        return self.alpha is not None

    def delta(self, weight: Tensor) -> Tensor:
        scale = 1.0 if self.alpha is None or self.rank is None else self.alpha / self.rank
        left, right = beside(weight, self.left), beside(weight, self.right)
        wide = left.reshape(*left.shape, *(1,) * (right.ndim - left.ndim))
        return scale * torch.kron(wide, right.contiguous())


@dataclass(frozen=True, eq=False)
class Full:
    """ΔW as it is."""

    whole: Tensor
    bias: Tensor | None = None
    scaled: bool = True

    def delta(self, weight: Tensor) -> Tensor:
        return beside(weight, self.whole)


@dataclass(frozen=True, eq=False)
class DoRA:
    """W' = m (W + ΔW) / ‖W + ΔW‖, the norm of each row (or of each column, as m lies); what is added is W' - W.

    change: ΔW.  magnitude: m, (out,), (out, 1, …) or (1, in, …).
    Liu et al., 2024, DoRA: Weight-Decomposed Low-Rank Adaptation, eq. 5.
    """

    change: Change
    magnitude: Tensor

    @property
    def scaled(self) -> bool:
        return self.change.scaled

    @property
    def bias(self) -> Tensor | None:
        return self.change.bias

    def delta(self, weight: Tensor) -> Tensor:
        base = weight.float()
        moved = base + self.change.delta(weight).reshape(base.shape)
        by_rows = self.magnitude.shape[0] == base.shape[0]
        axes = tuple(k for k in range(base.ndim) if k != (0 if by_rows else 1))
        norm: Tensor = torch.linalg.vector_norm(moved, dim=axes, keepdim=True)
        return beside(weight, self.magnitude).reshape(norm.shape) * moved / norm - base


Ranges = tuple[tuple[int, int], ...]
"""Output rows, [begin, end) each."""


@dataclass(frozen=True)
class Cut:
    """Which of a layer's output rows.   rows: one range after the other.  of: how many it has."""

    rows: Ranges
    of: int


def taken(x: Tensor, cut: Cut) -> Tensor:
    """Some of the rows of a tensor.  Raises RuntimeError where it has another number of them."""
    if len(x) != cut.of:
        raise RuntimeError(f"it has {len(x)} rows; expected {cut.of}")
    return torch.cat([x[begin:end] for begin, end in cut.rows])


@dataclass(frozen=True, eq=False)
class Part:
    """Some output rows of a change of a layer that holds several."""

    change: Change
    cut: Cut

    @property
    def scaled(self) -> bool:
        return self.change.scaled

    @property
    def bias(self) -> Tensor | None:
        return None if self.change.bias is None else taken(self.change.bias, self.cut)

    def delta(self, weight: Tensor) -> Tensor:
        whole = self.change.delta(weight)
        return taken(whole.reshape(len(whole), *weight.shape[1:]), self.cut)


def part_of(change: Change, cut: Cut) -> Change | None:
    """Some rows of a change; None where it cannot be cut: DoRA by columns has norms of the whole, and a rotation of
    outputs mixes them."""
    if isinstance(change, Outputs):
        return None
    if isinstance(change, Inputs):  # each row is turned by itself
        scale = None if change.scale is None else taken(change.scale.flatten(), cut)
        return replace(change, scale=scale)
    if isinstance(change, DoRA):
        inner = part_of(change.change, cut)
        by_rows = change.magnitude.numel() == len(change.magnitude)
        return DoRA(inner, taken(change.magnitude, cut)) if inner is not None and by_rows else None
    return Part(change, cut)


Matrices = Mapping[str, Tensor]


def change_of(found: Matrices, alpha: float | None, thin: Change | None) -> Change | None:
    """The change that some tensors of a layer say, None where some are missing.

    thin: of two thin matrices, where there are.
    """
    bias = found.get("diff_b")
    change: Change | None = thin or rotation_of(found, alpha)
    if "hada_w1_a" in found:
        change = _loha(found, alpha, bias)
    elif any(name.startswith("lokr_") for name in found):
        change = _lokr(found, alpha, bias)
    elif "diff" in found:
        change = Full(found["diff"], bias)
    elif "w_norm" in found:
        change = Full(found["w_norm"], found.get("b_norm"))
    if change is not None and "magnitude" in found:
        return DoRA(change, found["magnitude"])
    return change


def used_of(found: Matrices) -> frozenset[str]:
    """Of a layer's tensors those that ``change_of`` takes, by its order; what else there is belongs to another
    change."""
    if "hada_w1_a" in found:
        names = {name for name in found if name.startswith("hada_")} | {"diff_b"}
    elif any(name.startswith("lokr_") for name in found):
        names = _sides_of(found) | {"diff_b"}
    elif "diff" in found:
        names = {"diff", "diff_b"}
    elif "w_norm" in found:
        names = {"w_norm", "b_norm"}
    elif "down" in found and "up" in found:
        names = {"down", "up", "mid", "diff_b"}
    elif "oft_blocks" in found:
        names = {"oft_blocks", "rescale", "diff_b"}
    else:
        names = {"oft_R"} if "oft_R" in found else {"boft_R", "boft_s"}
    return frozenset(names | {"magnitude"})


def _sides_of(found: Matrices) -> set[str]:
    """What each side of a Kronecker product is made of: one matrix, or the thin ones in its place."""
    whole = {name for name in ("lokr_w1", "lokr_w2") if name in found}
    thin = {f"{name}_{k}" for name in ("lokr_w1", "lokr_w2") if name not in found for k in "ab"}
    return whole | thin | ({"lokr_t2"} if "lokr_w2" not in found else set())


def _loha(found: Matrices, alpha: float | None, bias: Tensor | None) -> LoHa | None:
    names = ("hada_w1_a", "hada_w2_a", "hada_w1_b", "hada_w2_b")
    if not all(name in found for name in names):
        return None
    one, two, three, four = (found[name] for name in names)
    return LoHa((one, two), (three, four), (found.get("hada_t1"), found.get("hada_t2")), alpha, bias)


def _lokr(found: Matrices, alpha: float | None, bias: Tensor | None) -> LoKr | None:
    left, right = (_side(found, f"lokr_w{k}", found.get(f"lokr_t{k}")) for k in (1, 2))
    if left is None or right is None:
        return None
    ranks = [found[name].shape[0] for name in ("lokr_w1_b", "lokr_w2_b") if name in found]
    return LoKr(left, right, ranks[0] if ranks else None, alpha, bias)


def _side(found: Matrices, name: str, core: Tensor | None) -> Tensor | None:
    if name in found:
        return found[name]
    a, b = found.get(f"{name}_a"), found.get(f"{name}_b")
    if a is None or b is None:
        return None
    if core is None and b.ndim > 2:
        return product(a, b, None).reshape(a.shape[0], *b.shape[1:])
    return product(a, b, core)
