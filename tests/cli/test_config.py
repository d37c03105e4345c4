"""Settings: who overrides whom, and that nothing unknown is ignored."""

from pathlib import Path

import pytest

from mezzotint import config
from mezzotint.errors import InputError, UsageError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with a user's file of its own and a clean environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    for setting in config.SETTINGS:
        monkeypatch.delenv(config.PREFIX + setting.name.upper(), raising=False)
    config.user_file().parent.mkdir(parents=True)
    return tmp_path


def test_each_layer_overrides_the_next(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> tuple[object, str]:
        found = config.settings({"device": given})["device"]
        return found.value, found.source

    given: str | None = None
    assert device() == ("auto", "default")
    config.user_file().write_text('device = "mps"')
    assert device() == ("mps", str(config.user_file()))
    (place / "mezzotint.toml").write_text('device = "cuda"\nthreads = 2')
    assert device() == ("cuda", "mezzotint.toml")
    monkeypatch.setenv("MEZZOTINT_DEVICE", "cpu")
    assert device() == ("cpu", "environment MEZZOTINT_DEVICE")
    given = "cuda"
    assert device() == ("cuda", "command line")
    assert config.settings()["threads"] == config.Value("threads", 2, "mezzotint.toml")


def test_unknown_keys_are_errors(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "mezzotint.toml").write_text("thread = 2")
    with pytest.raises(UsageError, match=r"mezzotint.toml: unknown setting 'thread'; did you mean threads"):
        config.settings()
    (place / "mezzotint.toml").unlink()
    monkeypatch.setenv("MEZZOTINT_THREADS_", "2")
    with pytest.raises(UsageError, match=r"MEZZOTINT_THREADS_: unknown setting"):
        config.settings()
    monkeypatch.delenv("MEZZOTINT_THREADS_")
    monkeypatch.setenv("MEZZOTINT_SAFETY_DATA", "prompts")  # where tests find prompt sets: no setting, and no error
    assert "safety_data" not in config.settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("threads = 0", "whole number from 1"),
        ("threads = true", "whole number from 1"),
        ("threads = 1.5", "whole number from 1"),
        ('dtype = "float23"', "did you mean float32"),
        ("model = 3", "expected a text"),
        ('home = "x"', "unknown setting 'home'"),
    ],
)
def test_wrong_values_name_their_source(text: str, message: str, place: Path) -> None:
    (place / "mezzotint.toml").write_text(text)
    with pytest.raises(UsageError, match=f"mezzotint.toml.*{message}"):
        config.settings()


def test_a_broken_file_names_the_line(place: Path) -> None:
    (place / "mezzotint.toml").write_text("model = \n")
    with pytest.raises(InputError, match=r"mezzotint.toml.*line 1"):
        config.settings()


def test_numbers_in_the_environment_are_texts(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_THREADS", "3")
    assert config.settings()["threads"].value == 3
    monkeypatch.setenv("MEZZOTINT_THREADS", "three")
    with pytest.raises(UsageError, match="MEZZOTINT_THREADS: threads is 'three'"):
        config.settings()


def test_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.settings()["home"].source == "default"
    monkeypatch.setenv("MEZZOTINT_HOME", str(place / "h"))
    assert config.home() == place / "h"
    assert config.settings()["home"].source == "environment MEZZOTINT_HOME"
