"""Gradient checkpointing: a network's blocks keep what they were given, and are run once more for their gradients.

Chen, Xu, Zhang & Guestrin, 2016, Training Deep Nets with Sublinear Memory Cost, sec. 3, with a segment a block.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from mezzotint.errors import UsageError
from mezzotint.nets.compiled import repeated_blocks


def checkpointed(net: nn.Module) -> nn.Module:
    """The same network, whose repeated blocks forget what they computed until gradients are asked of them; in place.

    Answers and gradients stay the same to the bit where a block run again gives the same bits, as on a processor.
    Raises UsageError where the network repeats nothing.
    """
    blocks = list(repeated_blocks(net))
    if not blocks:
        raise UsageError(f"{type(net).__name__} has no repeated blocks; leave --gradient-checkpointing out")
    for block in blocks:
        block.forward = partial(_forgotten, block.forward)
    return net


def _forgotten(forward: Callable[..., Any], *args: Any, **words: Any) -> Any:
    """A block's own call, nothing within it kept."""
    return checkpoint(forward, *args, use_reentrant=False, **words)
