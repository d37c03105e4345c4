"""Progress of long commands: a bar on a terminal, and lines now and then where standard error is a file."""

from __future__ import annotations

import os
import pty
import re
import select
import termios

import pytest

from mezzotint.cli import output
from mezzotint.cli.output import Bar


def went(shown: bool = True, total: int = 0) -> None:
    with Bar(total, "update", shown) as bar:
        for done in (1, 2, 3):
            bar.at(done, f"loss 0.{done}", 4)


def test_a_file_gets_a_line_with_how_far_and_how_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "APART", 0.0)
    went()
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) == 3
    assert re.fullmatch(r"mezzotint: 75% 3/4 \[\d\d:\d\d<\d\d:\d\d, .*update.*, loss 0\.3\]", lines[-1])


def test_another_unit_has_a_clock_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "APART", 0.0)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Bar(20, "picture", True) as bar:
        now[0] = 1000.0
        bar.at(20, "model", 20, "picture")
        bar.at(100, "model", 400, "photograph")
        now[0] = 1010.0
        bar.at(200, "model", 400, "photograph")
    last = capsys.readouterr().err.splitlines()[-1]
    assert "200/400 [00:10<00:20, 10.00photograph/s, model]" in last


def test_what_is_done_within_a_minute_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    went()
    assert capsys.readouterr().err == ""


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(output, "APART", 0.0)
    went(shown=False)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr(output, "APART", 0.0)
        went(total=4)
        terminal.flush()
        assert select.select([ours], [], [], 5.0)[0]
        seen = os.read(ours, 4096).decode()
    os.close(ours)
    assert "\r" in seen and "mezzotint:" not in seen and "0/4" in seen
