"""A row of a manifest that was checked: what it says, in its types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mezzotint.catalog.manifest.template import Template

NOTHING = Template(())


@dataclass(frozen=True, slots=True)
class Row:
    """number: as spreadsheets have it.  cells: all of its columns, as they were said.

    prompt, negative_prompt: with names of columns and factors.  image, mask: files; None where there are none.
    lock: whether the product stays as it was photographed.  adapter: FILE or FILE:WEIGHT, "" is none.
    size: (width, height); None is the model's.  variants: None is as the brief says.
    key: the colour behind the product in its photograph, "" is not said.  backdrop: that it is laid on, with names of
    columns and factors; empty is one that the model paints.
    """

    number: int
    sku: str
    cells: Mapping[str, str]
    prompt: Template
    negative_prompt: Template
    image: Path | None
    mask: Path | None
    lock: bool
    adapter: str
    size: tuple[int, int] | None
    scale: float | None
    seed: int | None
    variants: int | None
    key: str = ""
    backdrop: Template = NOTHING
