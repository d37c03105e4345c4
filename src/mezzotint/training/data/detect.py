"""Which of the layouts a folder has."""

from __future__ import annotations

from pathlib import Path

from mezzotint.errors import InputError, UsageError
from mezzotint.training.data.files import is_picture, listed
from mezzotint.training.data.folders import METADATA, described, pictures
from mezzotint.training.data.idx import open_idx
from mezzotint.training.data.shards import tar_shards
from mezzotint.training.data.source import Data, Source, split

HELD_OUT_EVERY = 50
"""Of a data set that is not in two parts, one sample of so many is held out."""


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


def open_data(folder: Path | None, held_out_every: int = HELD_OUT_EVERY) -> Data:
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
        return _in_two(folder)
    return split(open_source(folder), held_out_every)


def _in_two(folder: Path) -> Data:
    """``train`` and ``validation``.  Each numbers its class folders for itself, so that both must have the same ones,
    but where captions say what pictures show and folders are no classes.

    Raises InputError.
    """
    train, held_out = open_source(folder / "train"), open_source(folder / "validation")
    if any(is_picture(path.name) and path.with_suffix(".txt").is_file() for path in (folder / "train").rglob("*")):
        return Data(train, held_out)
    for name in sorted(set(train.classes) ^ set(held_out.classes)):
        lacks, other = ("train", "validation") if name in held_out.classes else ("validation", "train")
        raise InputError(
            f"{folder / lacks} has no class folder {name!r}, which {other} has; give both the same class folders"
        )
    return Data(train, held_out)
