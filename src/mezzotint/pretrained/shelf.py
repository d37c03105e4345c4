"""Networks in memory: so many at a time, those used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

MANY = 16
"""Room where nobody says: every part of a model, and of the models before it."""


class Shelf:
    """At most ``room`` networks; the one used longest ago gives way before the next is made.

    Threads that ask for the same one wait for one making of it.
    """

    def __init__(self, room: int = MANY) -> None:
        self._lock = RLock()
        self._kept: OrderedDict[Hashable, nn.Module] = OrderedDict()
        self._room = room

    def resize(self, room: int) -> None:
        """From now on at most ``room``, 1 or more."""
        with self._lock:
            self._room = room
            self._make_room(room)

    def get(self, key: Hashable, make: Callable[[], nn.Module]) -> nn.Module:
        """The network of a key, made where it is not here."""
        with self._lock:
            if key not in self._kept:
                self._make_room(self._room - 1)
                made = make()
                self._make_room(self._room - 1)  # making one may fetch another: an adapter's base
                self._kept[key] = made
            self._kept.move_to_end(key)
            return self._kept[key]

    def __len__(self) -> int:
        return len(self._kept)

    def _make_room(self, most: int) -> None:
        while len(self._kept) > most:
            self._kept.popitem(last=False)


SHELF = Shelf()
"""That of this process."""
