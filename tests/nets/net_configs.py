"""Small networks for the tests, and the pilots that recipes can take as they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mezzotint.nets import DiTConfig, TextConfig, UNetConfig, UpsamplerConfig, build
from mezzotint.nets.config import LEVEL_WAVES

AnyConfig = DiTConfig | UNetConfig | UpsamplerConfig

SIZES = {1: (16,), 2: (8, 12), 3: (4, 8, 8)}
TEXT_DIM = 12

PILOTS = {
    "dit-p4": DiTConfig(patch=4, width=256, depth=8, heads=4, num_classes=10),
    "dit-p2": DiTConfig(patch=2, width=192, depth=8, heads=3, num_classes=10),
    "unet-small": UNetConfig(width=32, multipliers=(1, 2, 4), blocks=2, attention=(1, 2), head_dim=64, num_classes=10),
}
"""Class-conditional 28 x 28 x 1, ten classes."""


def dit(dims: int = 2, mode: str | None = None, norm: str = "rms", classes: int | None = 3) -> DiTConfig:
    patch = (1, 2, 2) if dims == 3 else 2
    text = None if mode is None else TextConfig(TEXT_DIM, mode, length=5)
    return DiTConfig(
        dims, 2, 2, SIZES[dims], patch, width=64, depth=2, heads=2, norm=norm, num_classes=classes, text=text
    )


def unet(dims: int = 2, mode: str | None = None, classes: int | None = 3) -> UNetConfig:
    stride = (1, 2, 2) if dims == 3 else None
    text = None if mode is None else TextConfig(TEXT_DIM, mode, length=5)
    return UNetConfig(
        dims, 2, 2, SIZES[dims], 1, 16, (1, 2), 1, (1,), head_dim=16, num_classes=classes, text=text, stride=stride
    )


def middled() -> UNetConfig:
    """Convolutions around a transformer that reads the text."""
    inner = DiTConfig(2, 32, 32, (4, 6), 1, width=32, depth=2, heads=2, text=TextConfig(TEXT_DIM, "in_context", 5))
    return UNetConfig(2, 2, 2, SIZES[2], width=16, multipliers=(1, 2), blocks=1, attention=(), middle=inner)


def overlapping() -> DiTConfig:
    """Squares of 2 x 2 that reach one pixel over their neighbours."""
    return DiTConfig(2, 2, 2, SIZES[2], 2, width=64, depth=2, heads=2, num_classes=3, overlap=1)


def folded() -> UNetConfig:
    return UNetConfig(2, 2, 2, (16, 24), 2, 16, (1, 2), 1, (1,), head_dim=16)


def upsampler() -> UpsamplerConfig:
    return UpsamplerConfig(
        UNetConfig(2, 4, 2, (16, 24), 2, 16, (1, 2), 1, (), head_dim=16, num_classes=3, vector=LEVEL_WAVES)
    )


def plain(config: AnyConfig) -> DiTConfig | UNetConfig:
    """The network inside."""
    return config.inner if isinstance(config, UpsamplerConfig) else config


def text_of(config: AnyConfig) -> TextConfig | None:
    """The text that a network reads, itself or in its middle."""
    inner = plain(config)
    middle = inner.middle if isinstance(inner, UNetConfig) else None
    return inner.text if middle is None else middle.text


def alive(config: AnyConfig, seed: int = 0) -> nn.Module:
    """The network with its zero-started parameters drawn, so that every path shows in the answer."""
    torch.manual_seed(seed)
    net = build(config)
    with torch.no_grad():
        for p in net.parameters():
            if not p.any():
                p.normal_(std=0.1) if p.ndim else p.fill_(0.7)
    return net.eval()


def state(config: AnyConfig, rows: int = 2, seed: int = 1) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """(x, c_noise, cond) that fit ``config``."""
    g = torch.Generator().manual_seed(seed)
    inner, text = plain(config), text_of(config)
    cond: dict[str, Tensor] = {}
    if inner.num_classes is not None:
        cond["label"] = torch.randint(0, inner.num_classes + 1, (rows,), generator=g)
    if text is not None:
        cond["text"] = torch.randn(rows, 5, text.dim, generator=g)
        cond["text_mask"] = torch.arange(5)[None] < torch.randint(1, 5, (rows, 1), generator=g)
    x = torch.randn(rows, inner.out_channels, *inner.size, generator=g)
    if isinstance(config, UpsamplerConfig):
        cond["lowres"], cond["lowres_logsnr"] = torch.randn(x.shape, generator=g), torch.rand(rows, generator=g) * 9
    elif inner.vector is not None:
        cond["vector"] = torch.randn(rows, inner.vector, generator=g)
    return x, torch.rand(rows, generator=g) * 4 - 2, cond


def three_layers() -> nn.Sequential:
    """A convolution and two linear layers, at ``PLACES``; always the same."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(1), nn.Linear(128, 24), nn.SiLU(), nn.Linear(24, 12, bias=False)
    )


PLACES = ("0", "2", "4")
X = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))
"""What ``three_layers`` takes."""
