"""Settings: command line over environment over ``./mezzotint.toml`` over the user's file over defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, UsageError, unknown
from mezzotint.files import user_path

PREFIX = "MEZZOTINT_"
FILE_NAME = "mezzotint.toml"
DEFAULT_MODEL = "products-latent"

DEVICES = ("auto", "cpu", "cuda", "mps")
SECTIONS = ("licence", "cost", "safety", "provenance")
"""Tables of settings files that are read by what they are for (``section``)."""

NO_SETTINGS = ("MEZZOTINT_SAFETY_DATA",)
"""Variables of the same beginning that are no settings: where tests find prompt sets that are not theirs to ship."""

DTYPES = ("auto", "float32", "bfloat16", "fastest")
CREDENTIALS = ("auto", "off", "required")
MARKS = ("auto", "off", "required")
QUALITIES = ("draft", "standard", "best")


@dataclass(frozen=True)
class Setting:
    """One setting: what it is for, its default, and what it takes (``choices``, else text, or numbers from 1)."""

    name: str
    default: str | int | None
    about: str
    choices: tuple[str, ...] = ()
    number: bool = False


SETTINGS = (
    Setting("home", None, "where models, caches and ledgers are kept (environment only)"),
    Setting("model", DEFAULT_MODEL, "name or path of the model to use"),
    Setting("model_path", None, "folders of models as ComfyUI keeps them, separated as in PATH"),
    Setting("quality", "standard", "the model's preset of solver, grid, steps and scale", QUALITIES),
    Setting("device", "auto", "where the network runs; auto takes an accelerator when there is one", DEVICES),
    Setting("dtype", "auto", "number format of the network; fastest measures this machine", DTYPES),
    Setting("threads", None, "processor threads; unset takes 1 for small pictures, else torch's number", number=True),
    Setting("batch", None, "rows computed together; unset fits it to the number of pictures", number=True),
    Setting("text_cache", "on", "whether what text encoders made of a prompt is kept under home", ("on", "off")),
    Setting("ledger", None, "file of the ledger of pictures; off keeps none; unset keeps it under home"),
    Setting("credentials", "auto", "signed credentials in pictures; auto signs where there are keys", CREDENTIALS),
    Setting("mark", "auto", "invisible marks in pictures; auto marks where there is a key (keys mark)", MARKS),
    Setting("out", None, "folder of a run's files; unset makes a new one in ./mezzotint-out"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Value:
    """A setting's value and its source: "command line", "environment MEZZOTINT_…", a file's path, or "default"."""

    name: str
    value: str | int | None
    source: str


def checked(name: str, value: Any, source: str) -> str | int:
    """The value of a setting in its type.  Raises UsageError that names the source."""
    setting = _BY_NAME[name]
    if setting.number:
        return _number(name, value, source)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: {name} is {value!r}; expected a text")
    if setting.choices and value not in setting.choices:
        raise UsageError(f"{source}: {unknown(name, value, setting.choices)}")
    return value


def _number(name: str, value: Any, source: str) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UsageError(f"{source}: {name} is {value!r}; expected a whole number from 1")
    return number


def from_file(path: Path) -> dict[str, Value]:
    """The settings of a TOML file, none where it does not exist.  Raises InputError (not TOML), UsageError (wrong)."""
    table = {name: value for name, value in _table(path).items() if name not in SECTIONS}
    for name in table:
        if name not in _BY_NAME or name == "home":
            raise UsageError(f"{path}: {unknown('setting', name, [s for s in _BY_NAME if s != 'home'])}")
    return {name: Value(name, checked(name, value, str(path)), str(path)) for name, value in table.items()}


def _table(path: Path) -> dict[str, Any]:
    """A TOML file, {} where there is none.  Raises InputError."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}; expected settings as TOML") from error


def section(name: str) -> dict[str, tuple[Any, str]]:
    """A table of the settings files: each value and the file it is from; ``./mezzotint.toml`` over the user's.

    Raises InputError for a file that is no TOML, or where the name is no table.
    """
    found: dict[str, tuple[Any, str]] = {}
    for path in (user_file(), Path(FILE_NAME)):
        values = _table(path).get(name, {})
        if not isinstance(values, dict):
            raise InputError(f"{path}: {name} is {values!r}; expected a table, [{name}]")
        found |= {key: (value, str(path)) for key, value in values.items()}
    return found


def from_environment(environment: Mapping[str, str]) -> dict[str, Value]:
    """The settings among environment variables ``MEZZOTINT_<NAME>``; empty ones count as unset.  Raises UsageError."""
    found = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in NO_SETTINGS or not text:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in _BY_NAME:
            raise UsageError(f"environment {variable}: {unknown('setting', name, _BY_NAME)}")
        found[name] = Value(name, checked(name, text, f"environment {variable}"), f"environment {variable}")
    return found


def user_file() -> Path:
    """The user's own settings file.  It need not exist."""
    from platformdirs import user_config_path

    return user_config_path("mezzotint", appauthor=False) / "config.toml"


def settings(given: Mapping[str, Any] | None = None) -> dict[str, Value]:
    """Every setting, resolved.

    Args: given: what the command line says, by name; None values count as unset.   Raises UsageError, InputError.
    """
    said = {k: v for k, v in (given or {}).items() if v is not None}
    line = {k: Value(k, checked(k, v, "command line"), "command line") for k, v in said.items()}
    defaults = {s.name: Value(s.name, s.default, "default") for s in SETTINGS}
    files = {**from_file(user_file()), **from_file(Path(FILE_NAME))}
    found = {**defaults, **files, **from_environment(os.environ), **line}
    if found["home"].value is None:
        found["home"] = Value("home", str(home()), "default")
    return found


def home() -> Path:
    """``MEZZOTINT_HOME``, else the user's data folder for mezzotint: models, caches, ledgers.  It need not exist."""
    given = os.environ.get(PREFIX + "HOME")
    if given:
        return user_path(given)
    from platformdirs import user_data_path

    return user_data_path("mezzotint", appauthor=False)
