"""Where a network runs and in which number format: a rule, not a guess: the same words give the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mezzotint.config import DEVICES, DTYPES
from mezzotint.errors import UsageError, unknown

if TYPE_CHECKING:
    import torch


def device_for(name: str) -> str:
    """The kind of device; "auto" is the accelerator where there is one, else "cpu".  Raises UsageError."""
    import torch

    if name not in DEVICES:
        raise unknown("device", name, DEVICES)
    here = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    found = here.type if here is not None and here.type in DEVICES else "cpu"
    if name in ("auto", "cpu"):
        return found if name == "auto" else "cpu"
    if name != found:
        raise UsageError(f"no {name} device is here; this machine has {found}, use --device {found} or auto")
    return name


def dtype_for(name: str, device: str) -> torch.dtype:
    """The number format of the network's weights.

    "auto" is bfloat16 on cuda and float32 elsewhere.  "fastest" measures: another machine, or this one on a busy day,
    may choose otherwise and give slightly other pictures.   Raises UsageError for an unknown name.
    """
    import torch

    if name not in DTYPES:
        raise unknown("dtype", name, DTYPES)
    if name == "fastest":
        from mezzotint.nets.precision import best_dtype

        return best_dtype(device)
    if name == "auto":
        return torch.bfloat16 if device == "cuda" else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def processor(device: str) -> str:
    """What rounds: the processor's instruction set, or the accelerator's name."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return torch.backends.cpu.get_cpu_capability() if device == "cpu" else device


def use_threads(threads: int | None) -> int:
    """Sets torch's threads where a number is given.   Returns: the number in use.   Raises UsageError for none."""
    import torch

    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads}; expected a whole number from 1")
    if threads is not None:
        torch.set_num_threads(threads)
    return torch.get_num_threads()
