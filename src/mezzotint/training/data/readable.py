"""Samples in their keyed order, the damaged ones passed over, for whoever only wants some that can be used."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from mezzotint.training.data.decode import decode
from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.source import BadItemError, Item


def readable(order: Order) -> Iterator[Item]:
    """The samples of the first epoch.  Raises InputError when the source has none."""
    cursor = Cursor()
    while cursor.epoch == 0:
        (pick,), cursor = order.take(cursor, 1)
        try:
            item = order.item(pick)
        except BadItemError:
            continue
        yield item


def decodable(order: Order, shape: tuple[int, int, int]) -> Iterator[tuple[Item, Tensor]]:
    """The samples of the first epoch, each with its picture (C, H, W) uint8.  Raises InputError when the source has
    none.
    """
    for item in readable(order):
        try:
            picture = decode(item, shape)
        except BadItemError:
            continue
        yield item, picture
