"""A recipe ready to be made: its job without pictures, and the number that its assets' ids begin from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from mezzotint.catalog.plan.words import Recipe, Words
from mezzotint.catalog.product.backdrop import backdrop_of
from mezzotint.catalog.product.composing import Composing
from mezzotint.catalog.product.locked import Product, product_of
from mezzotint.catalog.variants.identity import spelt
from mezzotint.errors import InputError
from mezzotint.files import canonical_json, sha256
from mezzotint.governance.provenance.manifest import COMPOSED
from mezzotint.making.heeded import Checks
from mezzotint.making.image import Image, Progress
from mezzotint.making.job import Job, Wanted
from mezzotint.making.leaving import Leaving
from mezzotint.making.marked import marking_of
from mezzotint.making.prepare import outline
from mezzotint.making.prompt import Nothing
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.spec import Choice

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

Kept = TypeVar("Kept")
GUESS = "guess"


@dataclass(frozen=True)
class Prepared:
    """job: of the recipe, without pictures.   task: for receipts.   told: what a prompt tells a model, or UsageError.

    product: that stays as it was photographed; None where none is locked.
    compared: that is made anew, and compared with its photograph; None where nothing says where it is.
    """

    job: Job | Composing
    told: Callable[[str], Reading]
    task: Choice
    product: Product | None = None
    compared: Product | None = None

    @cached_property
    def id(self) -> str:
        """The hash of all that determines a picture but what it is told, its seed, and the shape of its batch.

        The shape changes its rounding alone: it is in the plan and in the receipt, so that a rerun gives the same bits,
        and what is made in one shape is not made again in another.
        """
        told_nothing = Wanted(0, "", Nothing(), self.task)
        if isinstance(self.job, Composing):
            return self.job.made(told_nothing).asset_id
        made = replace(self.job, rows=1).made(told_nothing).asset_id
        ranked = self.job.ranked(self.job.main)  # of which a picture that is told nothing has none
        return made if ranked == (None, None) else sha256(canonical_json([made, *ranked]))[: len(made)]

    def wanted(self, prompt: str, seed: int) -> Wanted:
        """One picture.  Raises UsageError for a prompt that the model cannot be told."""
        return Wanted(seed, prompt, self.told(prompt), self.task, name=prompt)

    def sampled(self, pictures: tuple[Wanted, ...], checks: Checks) -> Iterator[Progress | Image]:
        """The steps of one batch, and its pictures, which still have to pass ``leaving``.

        checks: what the prompt gate said of each prompt.   Raises NonFiniteError, and whatever making raises.
        """
        heeded = replace(self.job.heeded, checks=checks)
        if isinstance(self.job, Composing):
            return replace(self.job, pictures=pictures, heeded=heeded).sampled()
        from mezzotint.making.run import sampled

        return sampled(replace(self.job, pictures=pictures, heeded=heeded))

    def leaving(self, gate: Callable[[Image], Image | Kept]) -> Leaving[Kept]:
        """What every picture of the recipe has to pass."""
        return Leaving(self.job.mark, self.product, gate)


def prepared(recipe: Recipe, words: Words, model: Model, rows: int) -> Prepared:
    """Errors: as ``generate``, less those of prompts; InputError for photographs."""
    if recipe.backdrop:
        return _composed(recipe, words, model)
    asked, product, compared = recipe.request(words, model), None, None
    if recipe.image and not recipe.lock:
        with suppress(InputError):  # it is made all the same
            compared = product_of(recipe.image, recipe.mask, asked.size, model.system, recipe.key)
    if recipe.lock:
        product = product_of(recipe.image, recipe.mask, asked.size, model.system, recipe.key)
        asked = replace(asked, image=product.placed, mask=product.cover, mask_means="product", size=None)
    if compared is not None and compared.found == GUESS:
        compared = None
    found = outline(asked)
    return Prepared(found.job((), rows), found.told, found.task, product, compared)


def _composed(recipe: Recipe, words: Words, model: Model) -> Prepared:
    """Of pictures that no network makes; of the model goes by what sizes and colours its others have."""
    product = product_of(recipe.image, recipe.mask, recipe.size or None, model.system, recipe.key)
    height, width, channels = product.pixels.shape
    job = Composing(backdrop_of(recipe.backdrop), (width, height), channels, marking_of(words.sampling.mark))
    picture = sha256(product.pixels.tobytes())
    task = {"name": COMPOSED, "picture": picture, "backdrop": recipe.backdrop, **product.said}
    return Prepared(job, _nothing, task, product)


def _nothing(prompt: str) -> Reading:
    return Nothing()


def asset_id(recipe: str, prompt: str, seed: int) -> str:
    """The hash of all that is asked of a picture: 32 hexadecimal digits.   recipe: ``Prepared.id``."""
    return sha256(spelt(recipe, prompt, seed))[:32]
