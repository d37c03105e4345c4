"""Recipes by name: a recipe file is Python with functions that return a ``Recipe``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mezzotint.errors import InputError, MezzotintError, UsageError, unknown
from mezzotint.training.recipe import Recipe


def _places() -> list[Path]:
    """Folders with the project's recipes: of the checkout, and as installed."""
    return [Path(__file__).parents[3] / "recipes", Path(sys.prefix) / "share" / "mezzotint" / "recipes"]


def recipe_names() -> list[str]:
    """The names that ``load_recipe`` knows."""
    stems = {p.stem for place in _places() for p in place.glob("*.py") if not p.stem.startswith("_")}
    return sorted(stem.replace("_", "-") for stem in stems)


def _find(name: str) -> Path:
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise InputError(
                f"no recipe file {path}; expected a Python file with a function of its own name that returns a Recipe"
            )
        return path
    for place in _places():
        if (path := place / f"{name.replace('-', '_')}.py").is_file():
            return path
    raise unknown("recipe", name, recipe_names())


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mezzotint_recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Data classes and workers look their module up by name.
    sys.modules[spec.name] = module
    with _of_the_user(f"recipe file {path} cannot be run"):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _of_the_user(fails: str) -> Iterator[None]:
    """Around what is the user's program, in which anything can be wrong.  fails: said then.   Raises InputError."""
    try:
        yield
    except MezzotintError:
        raise
    except Exception as error:
        raise InputError(f"{fails}: {type(error).__name__}: {error}") from error


def _functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    """The public functions that a recipe file defines itself."""
    own = {k: v for k, v in vars(module).items() if inspect.isfunction(v) and v.__module__ == module.__name__}
    return {k: v for k, v in own.items() if not k.startswith("_")}


def load_recipe(name_or_path: str, parts: Mapping[str, Path] | None = None) -> Recipe:
    """The recipe of a name, ``fashion``, or of a file, ``my.py``; after a colon a variant in it, ``fashion:small``.

    A recipe file is Python that is run: load only files that you trust.  Its function of the file's name, or the
    variant's, returns a ``Recipe``; what it takes are the folders of trained parts, of ``parts`` by name.
    Raises UsageError, InputError.
    """
    head, _, tail = name_or_path.rpartition(":")
    where, variant = (head, tail) if head and "/" not in tail and "\\" not in tail else (name_or_path, "")
    path = _find(where)
    known = _functions(_execute(path))
    chosen = (variant or path.stem).replace("-", "_")
    if chosen not in known:
        raise unknown(f"recipe in {path.name}", chosen, known)
    taken = _taken(name_or_path, known[chosen], parts or {})
    with _of_the_user(f"{path.name}: {chosen}() cannot be run"):
        recipe = known[chosen](**taken)
    if not isinstance(recipe, Recipe):
        raise InputError(f"{path.name}: {chosen}() returned {type(recipe).__name__}; expected a Recipe")
    return recipe


def _taken(name: str, function: Callable[..., object], parts: Mapping[str, Path]) -> dict[str, Path]:
    """The parts that a recipe's function takes.  Raises UsageError for one that is missing, or that it does not
    take.
    """
    wanted = list(inspect.signature(function).parameters)
    for part in parts:
        if part not in wanted:
            raise UsageError(f"recipe {name} takes no part {part!r}; it takes {', '.join(wanted) or 'none'}")
    for part in wanted:
        if part not in parts:
            raise UsageError(f"recipe {name} needs a trained part: give --part {part}=FOLDER")
    return {part: parts[part] for part in wanted}
