"""A recipe ready to be made: its job without pictures, and the number that its assets' ids begin from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.plan.words import Recipe, Words
from mezzotint.catalog.product.locked import Product, product_of
from mezzotint.errors import InputError
from mezzotint.files import canonical_json, sha256
from mezzotint.making.heeded import Checks, Heeded
from mezzotint.making.job import Job, Wanted
from mezzotint.making.prepare import Outline, outline
from mezzotint.making.prompt import Nothing

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model


@dataclass(frozen=True)
class Prepared:
    """job: of the recipe, without pictures.   product: that stays as it was photographed; None where none is locked.
    compared: that is made anew, and compared with its photograph; None where nothing says where it is.
    """

    outline: Outline
    job: Job
    product: Product | None = None
    compared: Product | None = None

    @property
    def task(self) -> Mapping[str, Any]:
        """For receipts."""
        return {**self.outline.task, **({} if self.product is None else self.product.said)}

    @cached_property
    def id(self) -> str:
        """The hash of all that determines a picture but what it is told and its seed."""
        return self.job.made(Wanted(0, "", Nothing(), self.task)).asset_id

    def wanted(self, prompt: str, seed: int) -> Wanted:
        """One picture.  Raises UsageError for a prompt that the model cannot be told."""
        return Wanted(seed, prompt, self.outline.told(prompt), self.task, name=prompt)

    def of(self, pictures: tuple[Wanted, ...], checks: Checks) -> Job:
        """The job of one batch.   checks: what the prompt gate said of each prompt."""
        return replace(self.job, pictures=pictures, heeded=Heeded(self.outline.licence, checks))


def prepared(recipe: Recipe, words: Words, model: Model, rows: int) -> Prepared:
    """Errors: as ``generate``, less those of prompts; InputError for photographs."""
    asked, product, compared = recipe.request(words, model), None, None
    if recipe.image and not recipe.lock:
        with suppress(InputError):  # it is made all the same
            compared = product_of(recipe.image, recipe.mask, asked.size, model.system)
    if recipe.lock:
        product = product_of(recipe.image, recipe.mask, asked.size, model.system)
        asked = replace(asked, image=product.placed, mask=product.painted, lock_mask=True, size=None)
    found = outline(asked)
    return Prepared(found, found.job((), rows), product, compared)


def asset_id(recipe: str, prompt: str, seed: int) -> str:
    """The hash of all that determines a picture: 32 hexadecimal digits.   recipe: ``Prepared.id``."""
    return sha256(canonical_json([recipe, prompt, seed]))[:32]
