"""Every Python example of the README and the documentation runs, page by page, from top to bottom."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mezzotint.cli import run

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


SLOW = ("without-torch",)
"""Pages whose examples and commands take long."""


def _with(block: re.Pattern[str]) -> list[Any]:
    found = [p for p in PAGES if block.search(p.read_text())]
    return [pytest.param(p, id=p.stem, marks=pytest.mark.slow if p.stem in SLOW else ()) for p in found]


@pytest.mark.parametrize("page", _with(BLOCK))
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEZZOTINT_MODEL")
    scope: dict[str, object] = {"__name__": "example"}
    for number, code in enumerate(BLOCK.findall(page.read_text())):
        exec(compile(code, f"{page.name}[{number}]", "exec", dont_inherit=True), scope)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()]
    assert not missing, f"{page.name} points to {missing}"


@pytest.mark.parametrize("page", _with(CONSOLE))
def test_commands_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: that the program starts is for the tests of the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MEZZOTINT_MODEL")
    lines = [line[2:] for block in CONSOLE.findall(page.read_text()) for line in block.splitlines() if line[:2] == "$ "]
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "mezzotint", f"{page.name} shows a command that is not ours: {line}"
        assert run(arguments) == 0, f"{line}: {capsys.readouterr().err}"
