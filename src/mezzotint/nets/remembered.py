"""Layers whose input seldom changes: what cross-attention makes of a prompt is the same in every step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mezzotint.nets.shared import put, shared

KEPT = 2
"""Answers that a layer remembers: a batch's, and those of a request that runs beside it.  They are as large as the text
of a whole batch, in every layer: ``pretrained.memory`` counts them."""

OF_TEXT = ("attn2.to_k", "attn2.to_v")
"""Where diffusers' cross-attention makes keys and values of the text."""

CAPTION = "caption_projection"
"""What PixArt makes of the text before: remembered, it gives every layer the same input to know again."""


Kept = tuple[tuple[Tensor, Tensor], ...]
"""Inputs and the answers to them, the last one first.  A value, so that a copy of a layer has a memory of its own."""


def recalled(kept: Kept, x: Tensor, answer: Callable[[Tensor], Tensor]) -> tuple[Tensor, Kept]:
    """The answer to x, known by its contents or asked for, and what is kept then."""
    for known, made in kept:
        if same(known, x):
            return made, kept
    made = answer(x)
    return made, ((x, made), *kept[: KEPT - 1])


class Remembered(nn.Module):
    """y = layer(x), remembered for the last few x without gradients: the same bits, not computed again.

    An input is known by its contents, so that no request can be given another's answer.  Of a layer that learns nothing
    is remembered: its answers change.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self._kept: Kept = ()
        self._learns = any(p.requires_grad for p in layer.parameters())

    @property
    def weight(self) -> Tensor:
        """The layer's own, for code that asks for a dtype or device."""
        weight: Tensor = self.layer.weight  # type: ignore[assignment]
        return weight

    def forward(self, x: Tensor) -> Tensor:
        if self._learns or torch.is_grad_enabled():
            return self._asked(x)
        made, self._kept = recalled(self._kept, x, self._asked)
        return made

    def _asked(self, x: Tensor) -> Tensor:
        answer: Tensor = self.layer(x)
        return answer


class Recognised:
    """x -> the tensor of the same contents that came before, where it was one of the last few: asked once, and every
    layer that remembers knows what it is given by being it.  Without gradients; else x."""

    def __init__(self) -> None:
        self._kept: Kept = ()

    def __call__(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return x
        known, self._kept = recalled(self._kept, x, lambda new: new)
        return known


def same(a: Tensor, b: Tensor) -> bool:
    """Whether they are alike to the bit."""
    return a is b or (a.dtype == b.dtype and torch.equal(a, b))


def remembering(net: nn.Module, suffixes: tuple[str, ...] = OF_TEXT) -> nn.Module:
    """A network that shares every weight with ``net`` and remembers at the layers whose paths end so."""
    made = shared(net)
    for path, layer in list(net.named_modules()):
        if path.endswith(suffixes):
            put(made, path, Remembered(layer))
    return made
