"""Small data sets of every layout, made on the spot."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile

from PIL import Image

from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.source import BadItemError

COLOURS = {"red": (200, 10, 10), "green": (10, 200, 10), "blue": (10, 10, 200)}


def picture(colour="red", size=(12, 8), kind="PNG"):
    """An encoded picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(out, kind)
    return out.getvalue()


def everything(source, seed=0, epoch=0, report=None):
    """All items of one epoch in order; damaged ones as their exception."""
    order, cursor, out = Order(source, seed, 8, report or (lambda bad: None)), Cursor(epoch), []
    while cursor.epoch == epoch:
        (pick,), cursor = order.take(cursor, 1)
        try:
            out.append(order.item(pick))
        except BadItemError as bad:
            out.append(bad)
    return out


def add(tar, name, data, **changes):
    """Adds a member to an open tar file."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def shard_file(path, n=6, first=0):
    """A shard of n samples: picture, caption, class."""
    with tarfile.open(path, "w") as tar:
        for k in range(first, first + n):
            add(tar, f"{k:06d}.png", picture(list(COLOURS)[k % 3]))
            add(tar, f"{k:06d}.txt", f"number {k}".encode())
            add(tar, f"{k:06d}.cls", str(k % 3).encode())


def idx(path, array, pack=gzip.compress):
    """Writes an array of bytes as IDX."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(pack(header + array.tobytes()))
