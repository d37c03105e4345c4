"""What a network may be told beside the noisy state: a closed set of names, checked at the door."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import ModelError, UsageError

NAMES = ("label", "text", "text_mask", "text_kv", "vector", "lowres", "lowres_logsnr")
"""label (B,) int64, null = num_classes; text (B, L, D) token states; text_mask (B, L) bool, True = real;
text_kv: what ``net.text_kv`` made of text, in its place; vector (B, D), an embedding; lowres (B, C, *spatial), the
smaller picture at this one's size, noised to lowres_logsnr (B,)."""


class Told(Protocol):
    """What of a network's configuration says which names it takes."""

    @property
    def num_classes(self) -> int | None: ...
    @property
    def vector(self) -> int | None: ...
    @property
    def text(self) -> object | None: ...


def cond_names(config: Told) -> tuple[str, ...]:
    """The names that ``cond`` must hold for a network of this configuration."""
    label = () if config.num_classes is None else ("label",)
    vector = () if config.vector is None else ("vector",)
    text = () if config.text is None else ("text", "text_mask")
    return (*label, *vector, *text)


def check_names(cond: Cond, expected: Iterable[str]) -> None:
    """Raise UsageError unless the names in ``cond`` are exactly those the network was built for."""
    want = set(expected)
    if "text_kv" in cond:
        want = want - {"text"} | {"text_kv"} if "text" in want else want
    got = set(cond)
    if got == want:
        return
    missing, extra = sorted(want - got), sorted(got - want)
    problem = "; ".join(
        f"{kind} {', '.join(names)}" for kind, names in (("missing", missing), ("unknown", extra)) if names
    )
    raise UsageError(
        f"cond: {problem}; this network takes {sorted(want) or 'no conditioning'}; pass exactly these names"
    )


def check_label(label: Tensor, rows: int, num_classes: int) -> Tensor:
    """The labels (rows,) int64 in 0 ... num_classes (the last is null); raises UsageError otherwise."""
    if label.shape != (rows,) or label.dtype != torch.int64:
        raise UsageError(
            f"cond label: expected ({rows},) int64, got {tuple(label.shape)} {label.dtype}; one number a row"
        )
    # Reading values of an accelerator's tensor would wait for it, and a network that is being exported has none: there
    # the embedding itself reports.
    here = label.device.type == "cpu" and not torch.compiler.is_exporting()
    if here and rows and (int(label.min()) < 0 or int(label.max()) > num_classes):
        raise UsageError(
            f"cond label: values must be 0 to {num_classes} ({num_classes} is null); got {label.tolist()[:8]}"
        )
    return label


def check_vector(vector: Tensor, rows: int, dim: int) -> Tensor:
    """The embeddings (rows, dim); raises UsageError for any other shape."""
    if vector.shape != (rows, dim):
        raise UsageError(f"cond vector: expected ({rows}, {dim}), got {tuple(vector.shape)}; one embedding a row")
    return vector


def check_text(cond: Cond, rows: int, dim: int) -> None:
    """Raise UsageError unless text is (rows, L, dim), or text_kv (rows, *), and text_mask (rows, L) bool."""
    text, mask = cond.get("text"), cond["text_mask"]
    if text is None:
        fits = len(cond["text_kv"]) == rows and mask.ndim == 2 and len(mask) == rows
    else:
        fits = text.ndim == 3 and text.shape[::2] == (rows, dim) and mask.shape == text.shape[:2]
    if not fits or mask.dtype != torch.bool:
        shapes = ", ".join(f"{k} {tuple(v.shape)} {v.dtype}" for k, v in cond.items() if k.startswith("text"))
        raise UsageError(
            f"cond text: expected ({rows}, L, {dim}) with text_mask ({rows}, L) bool, got {shapes}; "
            "use this model's text encoder, one prompt a row"
        )


def check_state(x: Tensor, dims: int, channels: int, divisor: tuple[int, ...]) -> None:
    """Raise ModelError unless x is (B, channels, *spatial) with ``dims`` spatial axes, divisible by ``divisor``."""
    spatial = x.shape[2:]
    if x.ndim != dims + 2 or x.shape[1] != channels or any(n % p for n, p in zip(spatial, divisor, strict=False)):
        raise ModelError(
            f"network input: expected (B, {channels}, {dims} axes divisible by {divisor}), got {tuple(x.shape)}; "
            "resize the state or build the network for it"
        )


def check_noise(c_noise: Tensor, x: Tensor) -> Tensor:
    """c_noise as (B, 1) or (B, F), float32; raises UsageError for any other shape."""
    rows, frames = x.shape[0], x.shape[2] if x.ndim == 5 else 1
    c = c_noise.to(x.device, torch.float32)
    if c.ndim == 0:
        return c.expand(rows, 1)
    if c.ndim == 1 and c.shape[0] in (1, rows):
        return c[:, None].expand(rows, 1)
    if x.ndim == 5 and c.shape == (rows, frames):
        return c
    frame = f" or ({rows}, {frames})" if x.ndim == 5 else ""
    raise UsageError(
        f"c_noise: expected (), ({rows},){frame}, got {tuple(c_noise.shape)}; give one level a row or a frame"
    )
