"""Small networks whose every path shows in the answer."""

from __future__ import annotations

import torch
from torch import nn

from mezzotint.nets.build import build, freeze
from mezzotint.nets.config import DiTConfig, UNetConfig

CLASSES = 3
SIZE = (8, 12)
NETS = {
    "dit": DiTConfig(2, 2, 2, SIZE, 2, width=64, depth=3, heads=2, num_classes=CLASSES),
    "unet": UNetConfig(2, 2, 2, SIZE, 1, 16, (1, 2), 1, (1,), head_dim=16, num_classes=CLASSES),
    "folded": UNetConfig(2, 2, 2, (16, 24), 2, 16, (1, 2), 1, (1,), head_dim=16),
}


def network(name: str, seed: int = 0) -> nn.Module:
    """As inference has it; what starts at zero is drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = build(NETS[name])
        with torch.no_grad():
            for p in net.parameters():
                if not p.any():
                    p.normal_(std=0.1) if p.ndim else p.fill_(0.7)
    return freeze(net, torch.float32)


def shape(name: str) -> tuple[int, ...]:
    """Of one row's state."""
    return (NETS[name].in_channels, *NETS[name].size)
