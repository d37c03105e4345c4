"""Jobs: everything about a run decided and checked, nothing computed.

What can be wrong without any arithmetic (names, labels, hashes, headers) is checked before torch is imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint import __version__
from mezzotint.conditioning.labels import Labels
from mezzotint.errors import UsageError
from mezzotint.governance.receipt import Made
from mezzotint.pretrained.folder import Described, describe, verify
from mezzotint.pretrained.spec import labels_of
from mezzotint.pretrained.store import find

if TYPE_CHECKING:
    import torch

    from mezzotint.pretrained.model import Model
    from mezzotint.pretrained.plan import Plan

MAX_BATCH = 16
MAX_PICTURES = 1_000_000
SMALL_BATCH = 4096


@dataclass(frozen=True)
class Job:
    """Everything decided, nothing computed: ``stream`` runs it.

    seeds: one a picture.  rows: of every batch, the last one padded, so that a picture's bits depend on its seed alone.
    label, negative: classes, or None for a model without.
    """

    model: Model
    prompt: str
    negative_prompt: str
    seeds: tuple[int, ...]
    plan: Plan
    device: str
    dtype: torch.dtype
    threads: int
    rows: int
    label: int | None
    negative: int | None

    @property
    def batches(self) -> list[tuple[int, ...]]:
        """The seeds of each batch."""
        return [self.seeds[i : i + self.rows] for i in range(0, len(self.seeds), self.rows)]

    @property
    def total(self) -> int:
        """Steps of the whole job."""
        return self.plan.steps * len(self.batches)

    def made(self, seed: int) -> Made:
        """What determines the picture of a seed; known before it is made."""
        import numpy as np
        import torch

        from mezzotint.pretrained.device import processor
        from mezzotint.pretrained.plan import levels_hash

        shape = self.model.codec.shape
        return Made(
            model=self.model.name,
            weights_sha256=self.model.described.weights_sha256,
            config_sha256=self.model.config_sha256,
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            seed=seed,
            size=(shape[2], shape[1]),
            solver=self.plan.solver_choice,
            grid=self.plan.grid_choice,
            levels_sha256=levels_hash(self.plan.levels),
            steps=self.plan.steps,
            scale=self.plan.scale,
            dtype=str(self.dtype).removeprefix("torch."),
            device=self.device,
            processor=processor(self.device),
            threads=self.threads,
            batch=(self.rows, *shape),
            versions={"mezzotint": __version__, "torch": torch.__version__, "numpy": np.__version__},
        )


def parse_size(size: str) -> tuple[int, int]:
    """(width, height) of "WxH".  Raises UsageError."""
    width, cross, height = size.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise UsageError(f"size {size!r} is not WxH in pixels, such as 28x28")
    return int(width), int(height)


def _check_size(described: Described, size: str | None) -> None:
    height, width = described.spec.shape[-2:]
    if size is not None and parse_size(size) != (width, height):
        raise UsageError(f"size {size} is not one that {described.name} makes; it makes {width}x{height}")


def _classes(described: Described, prompt: str, negative_prompt: str) -> tuple[int | None, int | None]:
    """The labels of a prompt and of what to steer away from.  Raises UsageError for an unknown one."""
    labels: Labels | None = labels_of(described.spec)
    if labels is not None:
        return labels.index(prompt), labels.index(negative_prompt)
    if prompt or negative_prompt:
        raise UsageError(f"{described.name} is unconditional: a prompt has no effect on it; use ''")
    return None, None


def _check_scale(described: Described, scale: float, negative_prompt: str) -> None:
    """Raises UsageError where guidance or a negative prompt would have no effect."""
    if negative_prompt and scale == 1:
        raise UsageError(
            "a negative prompt has no effect at scale 1, guidance off; give another scale, or leave it out"
        )
    if not described.spec.labels and scale != 1:
        raise UsageError(f"{described.name} is unconditional: scale has no effect on it; leave it out")


def _check_count(name: str, n: int) -> int:
    if not 1 <= n <= MAX_PICTURES:
        raise UsageError(f"{name} is {n}; expected 1 to {MAX_PICTURES}")
    return n


def threads_for(model: str | Path, n: int, batch: int | None) -> int | None:
    """The command's number of threads where none is given: 1 for a batch below 4096 values, which more would only
    slow down, else None, torch's own.  Raises as ``find`` and ``describe``.
    """
    values = math.prod(describe(find(str(model))).spec.shape) * _rows(n, batch)
    return 1 if values < SMALL_BATCH else None


def _rows(n: int, batch: int | None) -> int:
    """Rows of every batch.  Raises UsageError for numbers out of range."""
    return min(_check_count("n", n), MAX_BATCH) if batch is None else _check_count("batch", batch)


def prepare(
    prompt: str,
    *,
    negative_prompt: str = "",
    model: str | Path | Model = "fashion",
    n: int = 1,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
    size: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
) -> Job:
    """The job of ``generate``'s words, checked before any picture is made.  Arguments and errors: as ``generate``."""
    _check_count("n", n)
    rows = _rows(n, batch)
    described = verify(describe(find(str(model)))) if isinstance(model, str | Path) else model.described
    _check_size(described, size)
    label, negative = _classes(described, prompt, negative_prompt)

    from mezzotint.diffusion.noise import seeds_from
    from mezzotint.pretrained.device import device_for, dtype_for, use_threads
    from mezzotint.pretrained.model import load
    from mezzotint.pretrained.plan import plan

    seeds = seeds_from(seed, n)
    made = plan(described.spec, quality=quality, solver=solver, grid=grid, steps=steps, scale=scale)
    _check_scale(described, made.scale, negative_prompt)
    kind = device_for(device)
    return Job(
        model=load(described) if isinstance(model, str | Path) else model,
        prompt=prompt,
        negative_prompt=negative_prompt,
        seeds=seeds,
        plan=made,
        device=kind,
        dtype=dtype_for(dtype, kind),
        threads=use_threads(threads),
        rows=rows,
        label=label,
        negative=negative,
    )


def described(job: Job) -> Mapping[str, Any]:
    """What a job will do, as JSON."""
    made = job.made(job.seeds[0])
    return {
        "model": made.model,
        "prompt": made.prompt,
        "negative_prompt": made.negative_prompt,
        "n": len(job.seeds),
        "seed": job.seeds[0],
        "size": list(made.size),
        "solver": dict(made.solver),
        "grid": dict(made.grid),
        "steps": made.steps,
        "scale": made.scale,
        "device": made.device,
        "dtype": made.dtype,
        "batch": list(made.batch),
    }
