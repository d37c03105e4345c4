"""Many pictures of one of our models, every class alike, in pieces that survive a kill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE = 250


@dataclass(frozen=True)
class Request:
    """What to make: n pictures from ``seed`` on with at most ``calls`` network calls each.

    dtype: auto, float32, bfloat16 or fastest.  quality: the preset that names solver, grid and scale.
    """

    model: Path
    n: int
    calls: int
    seed: int = 0
    dtype: str = "auto"
    quality: str = "standard"
    batch: int = PIECE


def steps_for(model: Any, request: Request) -> tuple[int, int]:
    """(steps, calls): the most steps of the preset whose network calls, guidance included, are within those allowed."""
    import mezzotint as mz

    def calls(steps: int) -> int:
        return mz.explain(model, quality=request.quality, steps=steps).calls

    steps = request.calls
    while steps > 1 and calls(steps) > request.calls:
        steps -= 1
    return steps, calls(steps)


def prompts(model: Any) -> tuple[str, ...]:
    """The classes of a model, or no prompt for a model without."""
    return tuple(label.name for label in model.system.labels) or ("",)


@dataclass(frozen=True)
class Piece:
    """Pictures of one class with seeds in a row."""

    prompt: str
    seed: int
    n: int


def pieces(names: tuple[str, ...], request: Request) -> Iterator[Piece]:
    """n pictures over the classes, as even as can be, no seed twice."""
    seed = request.seed
    for k, name in enumerate(names):
        count = request.n // len(names) + (k < request.n % len(names))
        for start in range(0, count, request.batch):
            n = min(request.batch, count - start)
            yield Piece(name, seed, n)
            seed += n


def make(model: Any, piece: Piece, request: Request, steps: int) -> Any:
    """The pictures of a piece, uint8 (N, C, H, W)."""
    import numpy as np

    import mezzotint as mz

    result = mz.generate(
        piece.prompt, model=model, n=piece.n, seed=piece.seed, quality=request.quality, steps=steps,
        dtype=request.dtype, batch=piece.n,
    )  # fmt: skip
    return np.stack([image.pixels for image in result.images]).transpose(0, 3, 1, 2)


def pictures(request: Request, work: Path) -> tuple[Any, dict[str, Any]]:
    """All of them, uint8 (N, C, H, W), and how they were made; pieces already in ``work`` are not made again."""
    import numpy as np
    import torch

    import mezzotint as mz

    model = mz.load(request.model)
    steps, calls = steps_for(model, request)
    key = f"{model.system.weights_sha256[:12]}-{request.quality}-{request.dtype}-{steps}"
    work.mkdir(parents=True, exist_ok=True)
    found = []
    for piece in pieces(prompts(model), request):
        path = work / f"{key}-{piece.seed}-{piece.n}.npy"
        if not path.is_file():
            part = path.with_suffix(".part.npy")
            np.save(part, make(model, piece, request, steps))
            part.replace(path)
        found.append(np.load(path))
    about = {"model": model.name, "weights_sha256": model.system.weights_sha256, "steps": steps, "calls": calls}
    settings = {"seed": request.seed, "n": request.n, "dtype": request.dtype, "quality": request.quality}
    return torch.from_numpy(np.concatenate(found)), {**about, **settings}
