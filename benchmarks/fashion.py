"""Fashion-MNIST as tensors, and the distance to its test pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT = Path("/usr/share/datasets/fashion-mnist")
CLASSES = 10
SPLITS = {"train": "train", "test": "t10k"}


def there(folder: Path) -> bool:
    """Whether the four files are in a folder, compressed or not."""
    return all(_file(folder, f"{s}-{kind}") for s in SPLITS.values() for kind in ("images-idx3", "labels-idx1"))


def _file(folder: Path, stem: str) -> Path | None:
    found = [p for p in (folder / f"{stem}-ubyte", folder / f"{stem}-ubyte.gz") if p.is_file()]
    return found[0] if found else None


def _read(folder: Path, stem: str) -> Any:
    from mezzotint.training.data.idx import read_idx

    path = _file(folder, stem)
    if path is None:
        raise SystemExit(
            f"no {stem}-ubyte(.gz) in {folder}; install the Debian package dataset-fashion-mnist, or give --data DIR"
        )
    return read_idx(path)


def images(folder: Path, split: str) -> Any:
    """uint8 (N, 1, 28, 28)."""
    import torch

    return torch.from_numpy(_read(folder, f"{SPLITS[split]}-images-idx3").copy())[:, None]


def labels(folder: Path, split: str) -> Any:
    """int64 (N,)."""
    import torch

    return torch.from_numpy(_read(folder, f"{SPLITS[split]}-labels-idx1").astype("int64"))


def balanced(n: int) -> Any:
    """n labels, as many of each class as can be, in turn: the test set has 1,000 of each."""
    import torch

    return torch.arange(n) % CLASSES


@dataclass(frozen=True)
class Judge:
    """The Fréchet distance to the 10,000 test pictures, and its floor; the distance of patches to them.

    minimum: the least number of pictures; None is the metric's own, lower only in tests of the benchmark itself.
    """

    extract: Any
    reference: Any
    train: Any
    held_out: Any
    minimum: int | None = None

    def distance(self, pictures: Any) -> Any:
        """A ``mezzotint.evaluation.frechet.Distance``."""
        from mezzotint.evaluation.score import distance

        return distance(pictures, self.reference, self.extract, self.minimum)

    def patches(self, pictures: Any) -> float:
        """The mean over resolutions of ``mezzotint.evaluation.patches``."""
        from mezzotint.evaluation.patches import LEAST, patch_distances

        found = patch_distances(pictures, self.held_out, minimum=LEAST if self.minimum is None else self.minimum)
        return sum(found) / len(found)

    def floor(self, n: int, seed: int = 0) -> Any:
        """The distance of n real training pictures, drawn by a seed."""
        import torch

        chosen = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))[:n]
        return self.distance(self.train[chosen])


def judge(folder: Path, size: int = 64, limit: int | None = None) -> Judge:
    """The judge for a data folder.  limit: compare with so many test pictures only, in tests of the benchmarks."""
    from mezzotint.evaluation.features import extractor
    from mezzotint.evaluation.score import reference

    extract = extractor(size)
    held_out = images(folder, "test")[:limit]
    real = images(folder, "train")
    return Judge(extract, reference(held_out, extract), real, held_out, None if limit is None else 2)
