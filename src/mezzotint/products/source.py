"""Photographed products as a data set of captioned scenes: numbered, endless enough, the same every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError
from mezzotint.products import textures
from mezzotint.products.captions import Facts, caption, plain_caption
from mezzotint.products.pack import Pack, packed
from mezzotint.products.scene import Textures, background, compose, draw_background
from mezzotint.products.session import records
from mezzotint.products.split import held_background, held_colour, subjects
from mezzotint.training.data.source import Item, Report

Part = Literal["train", "compositions", "subjects"]
"""What is learnt from; pairs of kind and colour or background that are never learnt; whole products never learnt."""

VARIANTS, CAPTIONS = 64, 16
"""Scenes of a picture, and how many captions they share: scene v has the caption of v mod CAPTIONS."""

DRAWING = 1
"""Version of how scenes are drawn; raise it where the same photographs and numbers become other pictures."""

CLEAR = 0.55
"""A product's own colour is named where so much of what is seen has it; a painted one where PAINTED has it."""
PAINTED = 0.3


@dataclass(frozen=True)
class Photograph:
    """One picture of a product, and what is true of it.

    row: in the pack.  colour: the one a caption may name, or "".  painted: whether the studio gave it that colour.
    """

    row: int
    product: str
    kind: str
    name: str
    number: int
    view: str
    colour: str
    painted: bool


def colour_of(shot: Mapping[str, Any]) -> str:
    """The colour that a picture clearly shows, or ""."""
    found: Mapping[str, float] = shot["shares"]
    if shot["colour"]:
        return str(shot["colour"]) if found.get(shot["colour"], 0.0) >= PAINTED else ""
    name, share = next(iter(found.items()), ("", 0.0))
    return name if share >= CLEAR else ""


def photographs(folder: Path) -> list[Photograph]:
    """Every picture of a session's folder, in the order of the pack.  Raises InputError where there is none."""
    made: list[Photograph] = []
    for name, r in records(folder).items():
        for shot in r.get("shots", ()):
            made.append(
                Photograph(
                    len(made), name, r["kind"], r["name"], shot["number"], shot["view"], colour_of(shot),
                    bool(shot["colour"]),
                )
            )  # fmt: skip
    if not made:
        raise InputError(f"{folder} holds no photographed products; make them with: mezzotint render --out {folder}")
    return made


def chosen(all_of_them: Sequence[Photograph], part: Part) -> list[Photograph]:
    """The pictures of a part.

    ``train`` has neither subjects nor held-out colours; ``compositions`` has pictures of known products that are
    painted in a held-out colour, and unpainted ones, which get a held-out background.
    """
    kept_out = subjects((p.product, p.kind) for p in all_of_them)
    if part == "subjects":
        return [p for p in all_of_them if p.product in kept_out]
    known = [p for p in all_of_them if p.product not in kept_out]
    if part == "train":
        return [p for p in known if not (p.colour and held_colour(p.kind, p.colour))]
    return [p for p in known if not p.painted or (p.colour and held_colour(p.kind, p.colour))]


@dataclass(frozen=True)
class Scenes:
    """A ``Source``: shard v is scene v of every picture of a part.

    folder: of ``mezzotint render``.  size: side of the scenes, px.  crop: side of the part of a scene that is taken,
    px; None is all of it.   Raises InputError for an empty folder.
    """

    folder: Path
    size: int
    part: Part = "train"
    seed: int = 0
    shards: int = VARIANTS
    crop: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """None: scenes have captions."""
        return ()

    @cached_property
    def pictures(self) -> list[Photograph]:
        return chosen(photographs(self.folder), self.part)

    @cached_property
    def pack(self) -> Pack:
        return packed(self.folder, self.size)

    @cached_property
    def textures(self) -> Textures:
        return textures.load(self.folder)

    @cached_property
    def fingerprint(self) -> str:
        """Of what was photographed, of the backgrounds, and of how scenes are drawn."""
        what = [[p.product, p.number, p.kind, p.colour] for p in self.pictures]
        said = json.dumps([what, self.size, self.part, self.seed, self.shards, self.crop, sorted(self.textures)])
        return hashlib.sha256(said.encode()).hexdigest()

    def open(self, shard: int, report: Report) -> SceneShard:
        return SceneShard(self, shard)

    def facts(self, picture: Photograph, variant: int) -> Facts:
        """What scene ``variant`` of a picture shows."""
        random = self._random(picture, variant % CAPTIONS, "facts")
        held = self.part == "compositions" and not picture.painted
        behind = draw_background(picture.kind, held, self.textures, random)
        return Facts(picture.kind, picture.name, picture.colour, behind, picture.view)

    def caption(self, picture: Photograph, variant: int) -> str:
        """Its caption; outside ``train`` the one plain form."""
        facts = self.facts(picture, variant)
        if self.part != "train":
            return plain_caption(facts)
        return caption(facts, self._random(picture, variant % CAPTIONS, "caption"))

    def image(self, picture: Photograph, variant: int) -> NDArray[np.uint8]:
        """(3, size, size), or (3, crop, crop) at a place that is drawn."""
        return self.image_and_mask(picture, variant)[0]

    def image_and_mask(self, picture: Photograph, variant: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The picture, and how much of each pixel is the product, 255 is all: (S, S)."""
        random = self._random(picture, variant, "scene")
        behind = background(self.facts(picture, variant).background, self.size, self.textures, random)
        colour, shadow = self.pack[picture.row]
        made, mask = compose(colour, shadow, behind, random)
        if self.crop is not None:
            top, left = random.integers(self.size - self.crop + 1, size=2)
            cut = (slice(top, top + self.crop), slice(left, left + self.crop))
            made, mask = made[cut], mask[cut]
        return np.ascontiguousarray(made.transpose(2, 0, 1)), np.ascontiguousarray(mask)

    def _random(self, picture: Photograph, variant: int, what: str) -> np.random.Generator:
        key = hashlib.sha256(f"{self.seed}/{picture.product}/{picture.number}/{variant}/{what}".encode()).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:8], "little")))


@dataclass(frozen=True)
class SceneShard:
    """Scene ``variant`` of every picture."""

    scenes: Scenes
    variant: int

    def __len__(self) -> int:
        return len(self.scenes.pictures)

    def name(self, i: int) -> str:
        """The id of item i."""
        picture = self.scenes.pictures[i]
        return f"{picture.product}/{picture.number:02d}/{self.variant}"

    def caption(self, i: int) -> str:
        """The caption of item i."""
        return self.scenes.caption(self.scenes.pictures[i], self.variant)

    def __getitem__(self, i: int) -> Item:
        return Item(self.name(i), self.scenes.image(self.scenes.pictures[i], self.variant), self.caption(i))


def held_pair(facts: Facts) -> bool:
    """Whether a scene shows a pair that is never learnt."""
    colour = bool(facts.colour) and held_colour(facts.kind, facts.colour)
    return colour or held_background(facts.kind, facts.background)
