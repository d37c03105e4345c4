"""How much memory a run will take, before anything is loaded; and how much there is."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.errors import UsageError
from mezzotint.pretrained.components import Component, Components
from mezzotint.pretrained.system import SCALED

if TYPE_CHECKING:
    import torch

    from mezzotint.pretrained.spec import Spec
    from mezzotint.pretrained.system import Member, System

FLOAT32 = 4
DENOISER_TENSORS = 12
"""Tensors as wide as a network's first layer that are alive at its peak, for each row: measured on U-Nets at 256 px."""

DECODER_TENSORS = 4
"""Tensors as wide as a decoder's last block but one, at the picture's size, that are alive at its peak."""

REMEMBERING = ("UNet2DConditionModel", "PixArtTransformer2DModel")
"""Classes of networks that remember what their layers make of a text."""

PROCESS_BYTES = 600_000_000
"""Of Python and the libraries alone."""


@dataclass(frozen=True)
class Needed:
    """bytes.  weights: of each part, in the number format it runs in.  working: beside them, of the part that works
    hardest.  offload: whether only one part at a time is there."""

    weights: Mapping[str, int]
    working: int
    offload: bool

    @property
    def total(self) -> int:
        held = max(self.weights.values(), default=0) if self.offload else sum(self.weights.values())
        return PROCESS_BYTES + held + self.working

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {giga(size)}" for name, size in self.weights.items())
        one = ", one at a time" if self.offload else ""
        return f"about {giga(self.total)} of memory ({parts}{one}; work {giga(self.working)})"


def giga(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def needed(system: System, specs: Sequence[Spec], rows: int, dtype: torch.dtype, *, offload: bool) -> Needed | None:
    """What a diffusers folder's run takes; None for a model of our own, which is small.

    specs: of its stages, at the size that is asked for.  rows: of a batch, each told twice where it is guided.
    """
    found = system.components
    if found is None:
        return None
    weights = held(system, found, dtype)
    if system.refiner is not None and system.refiner.components is not None:
        more = held(system.refiner, system.refiner.components, dtype)
        weights |= {f"refiner's {name}": size for name, size in more.items() if name != "vae"}
    for one in system.attached:
        weights |= one.held(dtype.itemsize)
    tokens = 0 if system.text is None else system.text.tokens
    works = (_works(member, spec, found, rows, dtype, tokens) for member, spec in zip(system.own, specs, strict=False))
    return Needed(weights, max(works), offload)


def _works(member: Member, spec: Spec, found: Components, rows: int, dtype: torch.dtype, tokens: int) -> int:
    """Bytes beside a stage's weights at its peak.   tokens: of a text."""
    pixels, net = math.prod(spec.shape[1:]), found[member.nets[0]]
    denoising = DENOISER_TENSORS * 2 * rows * pixels * width(net) * dtype.itemsize
    denoising += 2 * rows * tokens * remembered(net) * dtype.itemsize
    if spec.codec.get("name") not in SCALED:
        return denoising
    factor = int(spec.codec["factor"])
    return max(denoising, DECODER_TENSORS * pixels * factor**2 * 2 * width(found[member.codec]) * dtype.itemsize)


def remembered(net: Component) -> int:
    """Numbers of a text's token that a network's layers remember."""
    from mezzotint.nets.remembered import CAPTION, KEPT, OF_TEXT

    if net.class_name not in REMEMBERING:
        return 0
    ends = tuple(f"{name}.weight" for name in (*OF_TEXT, f"{CAPTION}.linear_2"))
    return KEPT * sum(shape[0] for name, shape in net.shapes.items() if name.endswith(ends))


def held(system: System, found: Components, dtype: torch.dtype) -> dict[str, int]:
    """Bytes of each part's weights as they run: what reads pictures in float32; the networks of one stage are there
    together."""
    runs = {
        name: found[name].parameters * (FLOAT32 if name == system.eye else dtype.itemsize) for name in system.readers
    }
    for member in system.own:
        runs[" and ".join(member.nets)] = sum(found[name].parameters for name in member.nets) * dtype.itemsize
        if member.codec:
            runs[member.codec] = found[member.codec].parameters * dtype.itemsize
    return runs


def width(part: Component) -> int:
    """Channels of a part's first layer."""
    channels = part.config.get("block_out_channels")
    if isinstance(channels, list) and channels and type(channels[0]) is int:
        return channels[0]
    heads, size = part.config.get("num_attention_heads", 1), part.config.get("attention_head_dim", 64)
    return heads * size if type(heads) is int and type(size) is int else 64


def check(wanted: Needed, device: str) -> None:
    """Raises UsageError where a run cannot fit, with the numbers."""
    free = available(device)
    if free is not None and wanted.total > free:
        whole = "" if wanted.offload else "--offload, "
        raise UsageError(
            f"this needs {wanted}, and {giga(free)} are free;"
            f" use {whole}a smaller --size or --batch, or --dtype bfloat16"
        )


def peak() -> int:
    """Bytes of memory that this process has held at most; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def available(device: str) -> int | None:
    """Bytes free where a network runs, None where nobody says; of the processor's within this process' own limit."""
    import torch

    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    if device != "cpu":
        return None
    import psutil

    free = int(psutil.virtual_memory().available)
    limit = group_limit(Path("/sys/fs/cgroup"))
    return free if limit is None else min(free, limit)


def group_limit(folder: Path) -> int | None:
    """Bytes that are left of a control group's limit (Linux, version 2), what can be given back counted as left; None
    without one."""
    try:
        most, used = ((folder / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return None if most == "max" else int(most) - int(used) + int(stat.get("inactive_file", 0))
    except (OSError, ValueError):
        return None
