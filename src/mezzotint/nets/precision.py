"""Which number format is fast here: measured once a process, never assumed from a processor's name."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

_ROUNDS = 6  # the first warms up
_GAIN = 1.15  # bfloat16 must beat float32 by this factor: below it the lost digits buy nothing


def compute_dtype(weight: Tensor) -> torch.dtype:
    """The dtype of activations beside ``weight``: autocast's where autocast is on, else the weight's own."""
    kind = weight.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype


def best_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16 where one small matmul and one small convolution run faster in it than in float32, else float32.

    Measured once a process and device kind (a few milliseconds), then remembered.  Never raises: a device that cannot
    compute in bfloat16 answers float32.
    """
    return _measured(torch.device(device))


@cache
def _measured(device: torch.device) -> torch.dtype:
    try:
        half, full = _race(device, torch.bfloat16, torch.float32)
    except RuntimeError:
        return torch.float32
    return torch.bfloat16 if half * _GAIN < full else torch.float32


def _race(device: torch.device, *dtypes: torch.dtype) -> list[float]:
    """Seconds of the fastest round in each dtype; rounds take turns, so that a busy moment does not pick the winner."""
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        works = [_work(device, dtype) for dtype in dtypes]
        rounds = [[_seconds(work, device) for work in works] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds[1:], strict=True)]


def _work(device: torch.device, dtype: torch.dtype) -> Callable[[], None]:
    """One linear map and one 3 x 3 convolution of everyday size."""
    rows = torch.full((512, 256), 0.5, device=device, dtype=dtype)
    weight = torch.full((1024, 256), 0.5, device=device, dtype=dtype)
    image = torch.full((2, 64, 28, 28), 0.5, device=device, dtype=dtype)
    kernel = torch.full((64, 64, 3, 3), 0.5, device=device, dtype=dtype)

    def work() -> None:
        F.linear(rows, weight)
        F.conv2d(image, kernel, padding=1)

    return work


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    """Time of one round: this thread's own on a CPU (others may keep it waiting), the clock's on an accelerator."""
    if device.type == "cpu":
        start = time.thread_time()
        work()
        return time.thread_time() - start
    torch.accelerator.synchronize(device)
    start = time.perf_counter()
    work()
    torch.accelerator.synchronize(device)
    return time.perf_counter() - start
