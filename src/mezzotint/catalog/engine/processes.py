"""Several workers on this machine, each a process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from mezzotint.errors import MezzotintError

WATCH_SECONDS = 1.0


def work_in_processes(run: str, out: str, ledger: str | None, workers: int, watch: Callable[[], None]) -> bool:
    """Until all have ended.   watch: called now and then.   Returns: whether all ended well."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_work, args=(run, out, ledger), daemon=True) for _ in range(workers)]
    for one in started:
        one.start()
    try:
        while any(one.is_alive() for one in started):
            for one in started:
                one.join(WATCH_SECONDS / workers)
            watch()
    except BaseException:
        for one in started:
            one.terminate()
        raise
    return not any(one.exitcode for one in started)


def _end_with(parent: BaseProcess | None) -> None:
    """Ends this process as Ctrl-C does, once the one that began it is gone: nobody would know of it."""
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGINT)


def _work(run: str, out: str, ledger: str | None) -> None:
    """A worker's process."""
    from mezzotint.catalog.engine.alone import work_alone

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    try:
        work_alone(run, out, ledger)
    except MezzotintError as error:
        print(f"mezzotint: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
