"""Real processes of the real command, in a folder of their own, with a tiny model called "fashion"."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Process = subprocess.CompletedProcess[str]
Run = Callable[..., Process]
BLOCKED = Path(__file__).parent / "no_network"


@pytest.fixture(scope="session")
def home(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MEZZOTINT_HOME whose model "fashion" is the tiny one."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(tiny, folder / "models" / "fashion")
    return folder


@pytest.fixture
def inside(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For command lines run inside this process: an empty folder to be in, and that home."""
    for name in [n for n in os.environ if n.startswith("MEZZOTINT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEZZOTINT_HOME", str(home))
    monkeypatch.setenv("MEZZOTINT_MODEL", "fashion")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Of every process here: that home, no settings of the user's, and an import path on which sockets are refused."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith("MEZZOTINT_")}
    own = {
        "MEZZOTINT_HOME": str(home),
        "MEZZOTINT_MODEL": "fashion",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "PYTHONPATH": str(BLOCKED),
    }
    return {**keep, **own, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def heeding() -> None:
    """Ctrl-C counts, also where these tests run in the background, whose processes ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``mezzotint …`` in tmp_path; whatever still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **more: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from mezzotint.cli import main; main()", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        child = subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, **{**pipes, "preexec_fn": heeding, **more}
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.fixture
def mezzotint(start: Callable[..., subprocess.Popen[str]]) -> Run:
    """Runs ``mezzotint …`` to its end."""

    def run(*arguments: str, **more: object) -> Process:
        child = start(*arguments, **more)
        out, err = child.communicate(timeout=120)
        return Process(arguments, child.returncode, out, err)

    return run
