"""Every Python example of the README and the documentation runs, page by page, from top to bottom."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(p.read_text())], ids=lambda p: p.stem)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "example"}
    for number, code in enumerate(BLOCK.findall(page.read_text())):
        exec(compile(code, f"{page.name}[{number}]", "exec", dont_inherit=True), scope)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()]
    assert not missing, f"{page.name} points to {missing}"


SLOW = ("without-torch",)
"""Pages whose commands take long."""


def _with_commands() -> list[Any]:
    found = [p for p in PAGES if CONSOLE.search(p.read_text())]
    return [pytest.param(p, id=p.stem, marks=pytest.mark.slow if p.stem in SLOW else ()) for p in found]


@pytest.mark.parametrize("page", _with_commands())
def test_commands_run(page: Path, tmp_path: Path) -> None:
    lines = [line[2:] for block in CONSOLE.findall(page.read_text()) for line in block.splitlines() if line[:2] == "$ "]
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "mezzotint", f"{page.name} shows a command that is not ours: {line}"
        env = os.environ | {"MEZZOTINT_HOME": str(tmp_path / "home")}
        command = [sys.executable, "-m", "mezzotint", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
