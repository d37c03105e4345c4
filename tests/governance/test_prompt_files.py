"""A file of the gate that is missing or altered stops the start: real files, copied, one of them touched each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

import mezzotint
from mezzotint.cli import run
from mezzotint.errors import GateError
from mezzotint.governance.safety.prompt import meaning as meanings
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.gate import load
from mezzotint.governance.safety.prompt.meaning import ENCODER, PINNED, meaning
from mezzotint.governance.safety.prompt.pinned import FILES
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.places import places

NAMES = sorted(FILES)
PACKAGE = "copied_lists"


def altered(path: Path) -> None:
    """One bit of one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def removed(path: Path) -> None:
    path.unlink()


HOW: dict[str, Callable[[Path], None]] = {"changed": altered, "missing": removed}


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's lists and heads, which the gate reads in their place."""
    folder = tmp_path / PACKAGE
    shutil.copytree(str(resources.files(shipped.PACKAGE)), folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(shipped, "PACKAGE", PACKAGE)
    forget()
    yield folder
    forget()
    sys.modules.pop(PACKAGE, None)


def forget() -> None:
    shipped.lexicon.cache_clear()
    meaning.cache_clear()


def encoder() -> Path:
    """The folder of the text encoder that ships."""
    return next(place / ENCODER for origin, place in places() if origin == "shipped")


def test_an_untouched_copy_is_read(lists: Path) -> None:
    assert load(Policy()).files.items() >= FILES.items()
    assert set(NAMES) == {p.name for p in lists.iterdir() if p.suffix in (".toml", ".safetensors")}


@pytest.mark.parametrize("how", sorted(HOW))
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_or_changed_stops_the_start(
    lists: Path, name: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    HOW[how](lists / name)
    with pytest.raises(GateError, match=f"{name} .*{how}, so nothing is made"):
        load(Policy())
    forget()
    assert run(["check", "--prompt", "a red chair"]) == 4
    said = capsys.readouterr()
    assert f"{name} " in said.err and f"{how}, so nothing is made" in said.err and "ALLOW" not in said.out


@pytest.mark.parametrize(("name", "how"), [("en.toml", "changed"), ("head.safetensors", "missing")])
def test_the_command_of_such_a_package_refuses(tmp_path: Path, name: str, how: str) -> None:
    """The whole package copied and its file touched; a process of its own, nothing patched."""
    source = tmp_path / "src"
    shutil.copytree(Path(mezzotint.__file__).parent, source / "mezzotint", ignore=shutil.ignore_patterns("__pycache__"))
    HOW[how](source / "mezzotint/governance/safety/prompt/lexicon_data" / name)
    words = [sys.executable, "-m", "mezzotint", "check", "--prompt", "a red chair"]
    beside = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=beside, cwd=tmp_path)
    assert done.returncode == 4 and f"{name} " in done.stderr and "so nothing is made" in done.stderr


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models that ships, with a copy of the text encoder alone."""
    folder = tmp_path / "models"
    shutil.copytree(encoder(), folder / ENCODER)
    monkeypatch.setattr(meanings, "places", lambda: [("shipped", folder)])
    forget()
    yield folder
    forget()


def test_a_text_encoder_of_which_the_whole_folder_is_missing_is_refused_where_it_is_required(models: Path) -> None:
    assert load(Policy(meaning="required")).meaning is not None
    shutil.rmtree(models / ENCODER)
    forget()
    with pytest.raises(GateError, match="is required and its text encoder is not installed"):
        load(Policy(meaning="required"))


@pytest.mark.parametrize("how", sorted(HOW))
@pytest.mark.parametrize("name", sorted(PINNED))
def test_a_file_of_the_text_encoder_that_is_missing_or_changed_stops_the_start(
    models: Path, name: str, how: str
) -> None:
    HOW[how](models / ENCODER / name)
    with pytest.raises(GateError, match=f"{name} .*{how}, so nothing is made"):
        load(Policy())
