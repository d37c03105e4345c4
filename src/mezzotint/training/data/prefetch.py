"""Work ahead in a thread, without changing what comes out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
POLL_S = 0.1


@dataclass(frozen=True)
class _Value(Generic[T]):
    value: T


@dataclass(frozen=True)
class _Failed:
    error: BaseException


class _End:
    pass


_Entry = _Value[T] | _Failed | _End


def prefetched(make: Callable[[], Iterator[T]], depth: int) -> Generator[T]:
    """What ``make()`` yields, computed up to ``depth`` ahead in a thread; its exceptions surface here, in their place.

    depth 0 computes in the caller.  Closing the generator stops the thread.
    """
    if depth == 0:
        yield from make()
        return
    line: queue.Queue[_Entry[T]] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(make, line, stop), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(entry := line.get(), _End):
            if isinstance(entry, _Failed):
                raise entry.error
            yield entry.value
    finally:
        stop.set()
        thread.join()


def _work(make: Callable[[], Iterator[T]], line: queue.Queue[_Entry[T]], stop: threading.Event) -> None:
    try:
        for value in make():
            if not _put(line, _Value(value), stop):
                return
        _put(line, _End(), stop)
    except BaseException as error:  # whatever it is, it belongs to the reader
        _put(line, _Failed(error), stop)


def _put(line: queue.Queue[_Entry[T]], entry: _Entry[T], stop: threading.Event) -> bool:
    """Whether the entry was taken before the reader left."""
    while not stop.is_set():
        try:
            line.put(entry, timeout=POLL_S)
        except queue.Full:
            continue
        return True
    return False
