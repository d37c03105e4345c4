"""Killed with -9 at random moments and run again: equal pixels and receipts, none lost, none made twice.

A moment is a system call that opens, links, renames or removes a file, or the begin or the end of a commit: the process
kills itself there, so that writes, renames and commits are all cut in two.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, receipts, rows, states, worker

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.money import spent_by
from mezzotint.catalog.planning import Asked

EVENTS = ("open", "os.rename", "os.link", "os.remove", "os.mkdir")


def in_a_child(act: Callable[[Callable[[], None]], None], moment: int) -> int | None:
    """Runs something in a forked process that kills itself at a moment.   Returns: the moments that there were, where
    it came to its end; None where it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        passed = [0]

        def pass_moment() -> None:
            passed[0] += 1
            if passed[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(lambda event, arguments: pass_moment() if event in EVENTS else None)
        code = 1
        try:
            act(pass_moment)
            os.write(write, str(passed[0]).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read, "rb") as said:
        text = said.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return int(text)


def run_all(said: Asked, out: Path) -> Callable[[Callable[[], None]], None]:
    """A whole run, its commits among the moments."""

    def act(pass_moment: Callable[[], None]) -> None:
        from sqlalchemy import event

        run, where, model = begun(said, out)
        event.listen(where.db.engine, "begin", lambda _: pass_moment())
        event.listen(where.db.engine, "commit", lambda _: pass_moment())
        assert worker(run, where, model).work() == "done"

    return act


LONG = (pytest.mark.slow, pytest.mark.timeout(1200))
SLICES = [
    range(4),
    *(pytest.param(range(k, k + 10), marks=LONG) for k in range(0, 50, 10)),
]


@pytest.mark.parametrize("kills", SLICES, ids=str)
def test_killed_anywhere_and_run_again(tmp_path: Path, tiny: Path, kills: range, monkeypatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    said = asked(manifest(tmp_path, rows=3, variants=2), tiny)
    moments = in_a_child(run_all(said, tmp_path / "whole"), -1)
    assert moments is not None and moments > 40
    for k in kills:
        generator = random.Random(k)
        out = tmp_path / f"killed-{k}"
        while in_a_child(run_all(said, out), generator.randrange(1, moments)) is None:
            pass
        assert pixels(out) == pixels(tmp_path / "whole"), "none is lost, all are equal"
        assert receipts(out) == receipts(tmp_path / "whole")
        run, where, _ = begun(said, out)
        assert states(where.db) == ["done"] * 6 and len(rows(where.db, t.made)) == 6
        assert spent_by(run).reserved.amount == 0
        where.db.engine.dispose()
