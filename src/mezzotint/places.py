"""Where models and text encoders are looked for: the user's home of Mezzotint, then what ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mezzotint.config import home

SHIPPED = "mezzotint_models"


def places() -> list[tuple[str, Path]]:
    """(origin, folder of folders), in the order they are searched; origin is "home" or "shipped"."""
    found = [("home", home() / "models")]
    shipped = importlib.util.find_spec(SHIPPED)
    if shipped is not None:
        found += [("shipped", Path(p)) for p in shipped.submodule_search_locations or ()]
    return found
