"""Recipes made ready when their first batch is; the newest few are kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mezzotint.catalog.plan.prepared import Prepared, prepared
from mezzotint.catalog.plan.words import Recipe, Words
from mezzotint.errors import ModelError

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

KEPT = 16


@dataclass
class Recipes:
    """said: (id, recipe, rows, work) of each, as the ledger has them."""

    words: Words
    model: Model
    said: list[tuple[str, Recipe, int, int]]
    _ready: OrderedDict[int, Prepared] = field(default_factory=OrderedDict)

    def __getitem__(self, number: int) -> Prepared:
        """Raises ModelError where this machine or its files would make other pictures than were planned; else as
        ``prepared``."""
        if number not in self._ready:
            planned, recipe, rows, _ = self.said[number]
            ready = prepared(recipe, self.words, self.model, rows)
            if ready.id != planned:
                raise ModelError(
                    "the plan was made with another model, photograph, program or kind of machine, which would give"
                    " other pictures; run the manifest again, which plans anew"
                )
            self._ready[number] = ready
            while len(self._ready) > KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(number)
        return self._ready[number]
