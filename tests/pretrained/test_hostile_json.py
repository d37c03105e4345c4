"""Any single change to ``model.json`` either works or is one clear error, never a crash."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mezzotint.cli.models import Judging, listed
from mezzotint.errors import MezzotintError
from mezzotint.pretrained.folder import JSON_NAME, describe, load_described
from mezzotint.pretrained.plan import plan
from mezzotint.pretrained.spec import labels_of
from mezzotint.pretrained.stage_model import codec_of, parametrisation_of, schedule_of
from mezzotint.pretrained.store import Found
from mezzotint.pretrained.system import describe_system

VALUES: list[Any] = [None, True, 0, -1, 1e308, 10**30, "x", [1], {"name": 1}]


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from nodes(child, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return copy


def use(folder: Path) -> None:
    described = describe(folder)
    for look in (schedule_of, parametrisation_of, plan):
        look(described.spec)
    labels_of(described.spec.labels)
    codec_of(described)
    listed(Found(described.name, folder, "home", describe_system(folder)), Judging())
    load_described(described)


def test_any_one_change(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "m")
    table = json.loads((folder / JSON_NAME).read_text())
    refused = tried = 0
    for path in nodes(table):
        for new in VALUES:
            (folder / JSON_NAME).write_text(json.dumps(changed(table, path, new)))
            tried += 1
            try:
                use(folder)
            except MezzotintError as error:
                refused += 1
                assert "\n" not in str(error), error
            except Exception as error:
                raise AssertionError(f"{path} = {new!r}: {type(error).__name__}: {error}") from error
    assert refused > tried / 2
