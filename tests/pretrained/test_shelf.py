"""So many networks at a time."""

from __future__ import annotations

import threading
import time
import weakref

from torch import nn

from mezzotint.pretrained.shelf import Shelf


def test_one_at_a_time() -> None:
    shelf = Shelf(1)
    first = weakref.ref(shelf.get("a", lambda: nn.Linear(1, 1)))

    def second() -> nn.Module:
        assert first() is None, "the one before is still in memory while the next is made"
        return nn.Linear(1, 1)

    shelf.get("b", second)
    assert len(shelf) == 1


def test_the_one_used_longest_ago_gives_way() -> None:
    shelf, made = Shelf(2), list[str]()

    def get(key: str) -> nn.Module:
        return shelf.get(key, lambda: made.append(key) or nn.Linear(1, 1))  # type: ignore[func-returns-value]

    for key in "ababacab":
        get(key)
    assert made == ["a", "b", "c", "b"]
    shelf.resize(1)
    assert len(shelf) == 1 and get("b") is get("b") and made[-1] == "b"


def test_making_one_may_fetch_another() -> None:
    """An adapter is put on a base: with room for one, the base goes and what shares its weights stays."""
    shelf = Shelf(1)
    shelf.get("adapted", lambda: nn.Sequential(shelf.get("base", lambda: nn.Linear(1, 1))))
    assert len(shelf) == 1
    assert isinstance(shelf.get("adapted", nn.Identity), nn.Sequential)


def test_threads_share_one_making() -> None:
    shelf, made = Shelf(), list[int]()

    def make() -> nn.Module:
        time.sleep(0.05)
        made.append(1)
        return nn.Linear(1, 1)

    threads = [threading.Thread(target=shelf.get, args=("a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
