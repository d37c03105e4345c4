"""Which of the layouts a folder has."""

from __future__ import annotations

from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.training.data.files import listed
from mezzotint.training.data.folders import METADATA, described, pictures
from mezzotint.training.data.idx import open_idx
from mezzotint.training.data.shards import tar_shards
from mezzotint.training.data.source import Data, Source, split


def open_source(folder: Path) -> Source:
    """The samples of a folder: tar shards, ``metadata.jsonl``, class folders, or pictures with side-car captions.

    Raises InputError when there is nothing of the kind in it.
    """
    names = [e.name for e in listed(folder)]
    if any(".tar" in Path(n).suffixes for n in names):
        return tar_shards(folder)
    if METADATA in names:
        return described(folder)
    return pictures(folder)


def open_data(folder: Path | None, held_out_every: int = 50) -> Data:
    """A recipe's data from a folder of any layout, IDX included.

    ``train`` and ``validation`` folders in it, or IDX's "train" and "t10k" files, are taken as they are; else every
    ``held_out_every``-th sample is held out.   Raises UsageError without a folder, InputError.
    """
    if folder is None:
        raise UsageError("this recipe has no data of its own; give a folder with --data")
    names = {e.name for e in listed(folder)}
    if any(n.startswith("train-images-idx3-ubyte") for n in names):
        return Data(open_idx(folder, "train"), open_idx(folder, "t10k"))
    if {"train", "validation"} <= names:
        return Data(open_source(folder / "train"), open_source(folder / "validation"))
    return split(open_source(folder), held_out_every)
