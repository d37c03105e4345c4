"""torch.compile for the blocks that a network repeats; what was compiled is kept on disk for the next process.

Whole networks take minutes to compile and are compiled anew for other sizes; a block is compiled once and serves all of
its like.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from mezzotint.config import home
from mezzotint.errors import UsageError

CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Where torch looks for what it compiled before; a person's own choice stands."""

SHAPES = 64
"""Variants of one block (sizes, channels, with and without gradients) before torch gives up and runs it as it is."""


def repeated_blocks(net: nn.Module) -> Iterator[nn.Module]:
    """The outermost members of the network's lists of modules, in order: its blocks."""
    for child in net.children():
        if isinstance(child, nn.ModuleList):
            yield from (block for block in child if next(block.parameters(), None) is not None)
        else:
            yield from repeated_blocks(child)


def compile_blocks(net: nn.Module) -> None:
    """Has every repeated block compiled when it is first called, in place; weights and their names stay.

    Answers differ from the plain network's by rounding.
    Raises UsageError where the network repeats nothing, or where a processor's code cannot be compiled because there is
    no C++ compiler.
    """
    blocks = list(repeated_blocks(net))
    if not blocks:
        raise UsageError(f"{type(net).__name__} has no repeated blocks to compile; leave --compile out")
    on_cpu = next(net.parameters()).device.type == "cpu"
    if on_cpu and shutil.which(os.environ.get("CXX", "g++")) is None:
        raise UsageError("--compile needs a C++ compiler (g++, or the one CXX names); install it, or leave it out")
    os.environ.setdefault(CACHE, str(cache_folder()))
    torch._dynamo.config.recompile_limit = max(SHAPES, torch._dynamo.config.recompile_limit)
    for block in blocks:
        block.compile()


def compiled_copy(net: nn.Module) -> nn.Module:
    """A network that shares its tensors and whose repeated blocks are compiled; ``net`` stays as it is.  Raises as
    ``compile_blocks``."""
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    made = copy.deepcopy(net, shared)
    compile_blocks(made)
    return made


def cache_folder() -> Path:
    """Where compiled code is kept."""
    return home() / "compiled"
