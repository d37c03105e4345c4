"""``vary``: pictures like a given one, or between two, through the embedding of pictures that a prior's system has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mezzotint.codecs.embedding import Embedding
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import InputError, UsageError
from mezzotint.files import read_bytes, sha256
from mezzotint.making.checked import checked, named
from mezzotint.making.counts import check_count, rows_for
from mezzotint.making.heeded import Heeded
from mezzotint.making.image import Result
from mezzotint.making.job import Job, Wanted
from mezzotint.making.licensed import licensed
from mezzotint.making.opened import opened
from mezzotint.making.planned import planned
from mezzotint.making.prompt import Nothing, told
from mezzotint.making.request import How, Sampling
from mezzotint.making.run import result_of
from mezzotint.pictures.flat import rgb
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.model import load
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

MAX_BYTES = 200_000_000


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    r"""From a (d,) at t = 0 to b (d,) at t = 1 along the great circle, lengths in between too; a straight line where
    they point the same way or opposite ways.

    .. math:: \frac{\sin((1-t)\theta)}{\sin\theta} a + \frac{\sin(t\theta)}{\sin\theta} b,
              \qquad \theta = \angle(a, b)

    Shoemake, 1985, Animating Rotation with Quaternion Curves, sec. 3.3.
    """
    theta = torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0).clamp(-1, 1).acos()
    if float(theta.sin()) < 1e-6:
        return torch.lerp(a, b, t)
    weights = torch.sin(torch.tensor([1 - t, t], dtype=torch.float64) * theta) / theta.sin()
    return (weights[0] * a.double() + weights[1] * b.double()).to(a)


def _pixels(path: Path, shape: tuple[int, int, int]) -> Tensor:
    """A picture as the embedder reads it: (C, H, W) uint8.  Raises InputError."""
    from mezzotint.training.data.decode import decode
    from mezzotint.training.data.source import BadItemError, Item

    try:
        return decode(Item(path.name, read_bytes(path, MAX_BYTES)), shape)
    except BadItemError as error:
        raise InputError(
            f"{path} is not a picture that can be read ({error.reason}); give a PNG, JPEG or WebP"
        ) from None


def _codec(model: Model) -> Embedding:
    """What pictures are embedded with.  Raises UsageError where the system has no such thing."""
    codec = model.stages[0].codec()
    told = {name for stage in model.stages[1:] for name in stage.takes}
    if not isinstance(codec, Embedding) or told & {"text", "label"}:
        raise UsageError(
            f"{model.system.name} does not go through the embedding of a picture; expected a model with a prior that"
            " does, such as products-prior"
        )
    return codec


def prepare_vary(pictures: Sequence[Path], how: How) -> Job:
    """The job of ``vary``'s words.  Arguments and errors: as ``vary``."""
    from mezzotint.diffusion.philox import seeds_from

    rows = rows_for(check_count("n", how.n), how.batch)
    system = opened(how.model)
    heeded = Heeded(licensed(system), checked([""], named(pictures)))
    loaded = load(system) if isinstance(how.model, str | Path) else how.model
    vectors, hashes = _seen(pictures, system) if system.eye else _embedded(pictures, _codec(loaded))
    says = told(system, Prompts(), system.size) if system.eye else Nothing()
    wanted = _alike(pictures[0], vectors[0], hashes[0], says, seeds_from(how.seed, how.n))
    if len(pictures) == 2:
        wanted = _between(pictures, vectors, hashes, says, seeds_from(how.seed, 1)[0], how.n)
    first = next(k for k, member in enumerate(system.members) if member.link["name"] == "vector")
    job = planned(replace(how, model=loaded), system, wanted, rows, system.size, first=first)
    return replace(job, heeded=heeded)


def _embedded(pictures: Sequence[Path], codec: Embedding) -> tuple[Tensor, list[str]]:
    """(N, width): pictures as the prior's own embedder reads them, and the hashes of what it read."""
    data = [_pixels(path, codec.data_shape) for path in pictures]
    hashes = [sha256(x.permute(1, 2, 0).contiguous().numpy().tobytes()) for x in data]
    return codec.decode(codec.encode(torch.stack(data))), hashes


def _seen(pictures: Sequence[Path], system: System) -> tuple[Tensor, list[str]]:
    """The same as a folder's picture encoder sees them."""
    from mezzotint.pretrained.families.clip_vision import looked_at, seen, side_of

    assert system.components is not None
    eye, data = system.components[system.eye], [rgb(path) for path in pictures]
    found = [seen(eye, looked_at(pixels, side_of(eye))).embedding for pixels in data]
    return torch.cat(found), [sha256(pixels.tobytes()) for pixels in data]


def _alike(path: Path, vector: Tensor, pixels_sha256: str, says: Reading, seeds: Sequence[int]) -> tuple[Wanted, ...]:
    """One embedding, other noise each time."""
    task = {"name": "vary", "pictures": [pixels_sha256]}
    return tuple(Wanted(seed, "", says, task, vector, f"like {path.stem}") for seed in seeds)


def _between(
    paths: Sequence[Path], vectors: Tensor, hashes: Sequence[str], says: Reading, seed: int, n: int
) -> tuple[Wanted, ...]:
    """n embeddings from one to the other, the same noise each time."""
    made, (a, b) = [], (path.stem[:12] for path in paths)
    for k in range(n):
        t = k / max(1, n - 1)
        task = {"name": "vary", "pictures": list(hashes), "at": round(t, 6)}
        made.append(Wanted(seed, "", says, task, slerp(vectors[0], vectors[1], t), f"{a} to {b} {k + 1:03d}"))
    return tuple(made)


def vary(
    picture: str | Path,
    other: str | Path | None = None,
    *,
    model: str | Path | Model = "products-prior",
    n: int = 4,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
    mark: str = "off",
) -> Result:
    """Makes n pictures like a given one; or, where another is given, n from the one to the other.

    The picture's embedding takes the place of what the prior makes of a text: Ramesh et al., 2022, Hierarchical
    Text-Conditional Image Generation with CLIP Latents, sec. 3.1 and 3.2.  Likenesses have seeds seed + k;
    a path between two has one noise throughout and moves along the great circle.
    Args: picture, other: files.  model: a name, a folder, or what ``load`` gave, of a system with a prior.   The rest:
            as ``generate``.
    Raises: UsageError (words; another kind of model), InputError (files, model), ModelError, NonFiniteError.
    """
    both = [Path(picture)] if other is None else [Path(picture), Path(other)]
    sampling = Sampling(
        quality, steps, scale, solver, grid, device, dtype, threads, mark, candidates=1, classifier_scale=0.0
    )
    how = How(model=model, n=n, seed=seed, batch=batch, sampling=sampling)
    return result_of(prepare_vary(both, how))
