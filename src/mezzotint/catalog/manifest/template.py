"""Texts with the names of columns in braces: ``a {colour} {name} on a {background} background``.

Names alone: no attributes, no indices, no formats, so that a manifest from outside can say nothing but its own cells.
``{{`` and ``}}`` are braces.  What a cell says is never read as a template again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mezzotint.catalog.manifest.problem import WrongError

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NAME = re.compile(r"\w[\w .-]*")
"""What a column or a factor may be called."""


@dataclass(frozen=True)
class Template:
    """parts: (text, name of the cell that follows it, "" for none)."""

    parts: tuple[tuple[str, str], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each once, in their order."""
        return tuple(dict.fromkeys(name for _, name in self.parts if name))

    @cached_property
    def constant(self) -> str:
        """What every row has where no cell is named, with single spaces."""
        return single_spaced(self.filled({}))

    def filled(self, cells: Mapping[str, str]) -> str:
        """The text.  Raises KeyError for a name that has no cell."""
        return "".join([text + (cells[name] if name else "") for text, name in self.parts])


def single_spaced(text: str) -> str:
    """As people would have written it."""
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def template(text: str) -> Template:
    """Raises WrongError for braces that name nothing."""
    parts, said, begin = list[tuple[str, str]](), "", 0
    for found in _PART.finditer(text):
        said, begin = said + text[begin : found.start()], found.end()
        if found[0] in ("{{", "}}"):
            said += found[0][0]
        elif found[1] is not None and NAME.fullmatch(found[1].strip()):
            parts, said = [*parts, (said, found[1].strip())], ""
        else:
            raise WrongError(f"{found[0]} names no column; expected {{column}}, or {{{{ and }}}} for braces")
    return Template((*parts, (said + text[begin:], "")))
