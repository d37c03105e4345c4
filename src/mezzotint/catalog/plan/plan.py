"""The plan of a run: every asset with its id, the batches, what it takes; decided before anything is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from mezzotint.catalog.brief import Brief
from mezzotint.catalog.ladder import Rung, bounds
from mezzotint.catalog.manifest.row import Row
from mezzotint.catalog.plan.batches import batched, rows_of
from mezzotint.catalog.plan.prepared import asset_id, prepared
from mezzotint.catalog.plan.words import Recipe, Usual, Words, recipe_of
from mezzotint.catalog.variants.expand import Asset, assets_of
from mezzotint.errors import InputError
from mezzotint.files import canonical_json, sha256
from mezzotint.keeping import keeping
from mezzotint.making.job import Job

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

Calls = Callable[[Recipe], int]
"""Network calls a picture."""


@dataclass(frozen=True, slots=True)
class Cooked:
    """A recipe of the plan.   work: of one batch, network calls times rows times pixels; time goes with it."""

    recipe: Recipe
    id: str
    rows: int
    calls: int
    work: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An asset with its id and the number of its recipe.

    kept: whether it is there from an earlier run.   error: why it cannot be made, "" where it can.
    """

    asset: Asset
    id: str
    recipe: int
    kept: bool = False
    error: str = ""


@dataclass(frozen=True)
class Batch:
    """Assets, by their number in the plan, that are computed together; none has the id of another."""

    recipe: int
    assets: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """rungs: of the ladder, that were taken for the budget."""

    words: Words
    brief: Brief
    recipes: tuple[Cooked, ...]
    assets: tuple[Placed, ...]
    batches: tuple[Batch, ...]
    rungs: tuple[Rung, ...] = ()

    @property
    def made(self) -> int:
        """Pictures that the plan makes."""
        return sum(len(batch.assets) for batch in self.batches)

    @property
    def calls(self) -> int:
        """Network calls of all of them."""
        return sum(len(batch.assets) * self.recipes[batch.recipe].calls for batch in self.batches)

    @property
    def composed(self) -> int:
        """Pictures that need no network."""
        return sum(len(batch.assets) for batch in self.batches if not self.recipes[batch.recipe].calls)

    @property
    def work(self) -> int:
        """Of all batches, padding too."""
        return sum(self.recipes[batch.recipe].work for batch in self.batches)


@dataclass(frozen=True)
class Sketch:
    """What some rungs leave of a manifest, before anything is read for it."""

    words: Words
    brief: Brief
    rungs: tuple[Rung, ...]
    groups: dict[Recipe, list[Asset]]

    def work(self, calls: Calls, size: tuple[int, int]) -> int:
        """Of all batches, as though nothing was kept from earlier runs."""
        found = 0
        for recipe, assets in self.groups.items():
            rows = rows_of(len(assets), self.words.batch)
            found += math.ceil(len(assets) / rows) * work_of(recipe, rows, calls(recipe), size)
        return found


def work_of(recipe: Recipe, rows: int, calls: int, size: tuple[int, int]) -> int:
    """Of one batch.   size: the model's."""
    width, height = map(int, recipe.size.split("x")) if recipe.size else size
    return calls * rows * width * height


@keeping()
def sketch(rows: Sequence[Row], brief: Brief, words: Words, rungs: tuple[Rung, ...], usual: Usual) -> Sketch:
    """Raises UsageError for more than a million assets."""
    left = bounds(rungs)
    groups: dict[Recipe, list[Asset]] = {}
    for asset in assets_of(rows, brief, words.seed, left.variants):
        groups.setdefault(recipe_of(asset, left, usual), []).append(asset)
    return Sketch(words, brief, rungs, groups)


def calls_of(words: Words, model: Model) -> Calls:
    """Looked up once for all recipes that differ in photographs alone."""
    from mezzotint.making.calls import calls

    @cache
    def look(recipe: Recipe) -> int:
        job = prepared(recipe, words, model, 1).job
        assert isinstance(job, Job)
        return calls(job)

    return lambda recipe: 0 if recipe.backdrop else look(plain(recipe))


def plain(recipe: Recipe) -> Recipe:
    """Without its photograph: what that adds is little beside the network."""
    return replace(recipe, image="", mask="", lock=False, key="")


def fitting(
    sketches: Callable[[tuple[Rung, ...]], Sketch], ladder: Sequence[Rung], fits: Callable[[Sketch], bool]
) -> Sketch | None:
    """The first sketch down the ladder that fits; None where not even the last one does."""
    for k in range(len(ladder) + 1):
        found = sketches(tuple(ladder[:k]))
        if fits(found):
            return found
    return None


@keeping()
def planned(found: Sketch, model: Model, calls: Calls, kept: Collection[str] = ()) -> Plan:
    """The plan.   kept: ids of assets that are there already.   Errors: as ``prepared``, but for InputError."""
    recipes, placed, batches = list[Cooked](), list[Placed](), list[Batch]()
    for number, (recipe, assets) in enumerate(found.groups.items()):
        rows = rows_of(len(assets), found.words.batch)
        try:
            name, error = prepared(recipe, found.words, model, rows).id, ""
        except InputError as wrong:  # a photograph that will not do; the other products are made
            name, error = sha256(canonical_json(asdict(recipe)))[:32], str(wrong)
        work = work_of(recipe, rows, calls(recipe), model.system.size)
        recipes.append(Cooked(recipe, name, rows, calls(recipe), work))
        own = [_placed(asset, number, name, kept, error) for asset in assets]
        wanted = [(one.id, len(placed) + k) for k, one in enumerate(own) if not one.kept and not error]
        placed += own
        batches += map(partial(Batch, number), map(tuple, batched(sorted(dict(reversed(wanted)).values()), rows)))
    return Plan(found.words, found.brief, tuple(recipes), tuple(placed), tuple(batches), found.rungs)


def _placed(asset: Asset, number: int, recipe: str, kept: Collection[str], error: str) -> Placed:
    name = asset_id(recipe, asset.prompt, asset.seed)
    return Placed(asset, name, number, name in kept, error)
