"""Pictures to learn a product from: its photographs as they are, and cut out on other backgrounds, numbered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mezzotint.products.captions import colour_word
from mezzotint.products.colours import COLOURS, NAMES
from mezzotint.products.scene import background
from mezzotint.training.data.source import Item, Report
from mezzotint.tuning.masks import Mask
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.repaint import main_colour, repainted
from mezzotint.tuning.words import Subject, backdrop_name, said

Bytes = NDArray[np.uint8]

SUBJECT, PRIOR = 0, 1
"""Labels of items: of the product, and of what must stay as it is."""

OWN = 0.4
"""How often a photograph that could be cut out is shown as it is."""

GRADIENTS = 0.25
REPAINTED = 0.85
"""How often a product that was cut out is shown in a colour that is drawn, which its caption says.  At a third, a
quarter of a stool's pictures had the colour they were asked for; at two thirds, seven in ten; at this, nine in ten."""

FILLS = (0.7, 0.9)
"""Share of the picture's side that the longer side of a product takes."""

ROOM = (0.3, 0.7)
"""Where in the room that is left a product stands: near the middle, as catalogs have it."""

NEARER = (0.8, 1.0)
"""Share of a photograph's shorter side that is taken where it is shown as it is."""

UNSAID = 4
"""Every so many-th of the prior's pictures is also learnt without its words."""

RIM = 0.06
"""How far around a product its picture counts, as a share of the picture's side."""

VARIANTS = 64


@dataclass(frozen=True, eq=False)
class Scene:
    """pixels: (S, S, 3).  counts: (S, S), 255 where the picture is what its text says: everywhere, where the text says
    what is behind the product or nothing is known of where it is; else the product and a rim around it, without which
    nothing would say where it ends.  text: its caption."""

    pixels: Bytes
    counts: Bytes
    text: str


def colour_of(photos: Sequence[Photo]) -> str:
    """The name of a product's main colour, "" where no photograph says where the product is."""
    return main_colour([(photo.pixels, photo.mask.alpha) for photo in photos if photo.mask is not None])


def scene_of(photo: Photo, subject: Subject, colour: str, size: int, random: np.random.Generator) -> Scene:
    """One picture to learn from, of ``size`` px.   colour: of ``colour_of`` all its photographs."""
    if photo.mask is None or random.random() < OWN:
        return _own(photo, subject, size, random)
    name = str(random.choice(NAMES))
    name = f"{name} gradient" if random.random() < GRADIENTS else name
    paper = background(name, size, {}, random).pixels
    fill, at = random.uniform(*FILLS), (random.uniform(*ROOM), random.uniform(*ROOM))
    thing, pixels = _coloured(photo, photo.mask, subject.name, colour, random)
    made = _placed(pixels, photo.mask.alpha, paper, fill, at)
    return Scene(made, _all(size), said(thing, name, random))


def scene_on(photo: Photo, colour: str, size: int) -> Scene:
    """A photograph's product in the middle of a plain background; the middle of the photograph where it has no mask."""
    if photo.mask is None:
        side = min(photo.pixels.shape[:2])
        top, left = ((n - side) // 2 for n in photo.pixels.shape[:2])
        middle = photo.pixels[top : top + side, left : left + side]
        return Scene(_resized(middle, (size, size)), _all(size), "")
    return Scene(centred(photo.pixels, photo.mask.alpha, colour, size), _all(size), colour)


def centred(pixels: Bytes, alpha: Bytes, colour: str, size: int) -> Bytes:
    """(size, size, 3): what alpha (H, W) leaves of a picture (H, W, 3), in the middle of a plain background."""
    paper = np.broadcast_to(np.array(COLOURS[colour], np.uint8), (size, size, 3))
    return _placed(pixels, alpha, paper, sum(FILLS) / 2, (0.5, 0.5))


def _coloured(photo: Photo, mask: Mask, name: str, main: str, random: np.random.Generator) -> tuple[str, Bytes]:
    """What a product that was cut out is called, and its pixels (H, W, 3): some in another colour, so called."""
    if random.random() >= REPAINTED:
        return name, photo.pixels
    colour = str(random.choice(NAMES))
    return f"{colour_word(colour, random)} {name}", repainted(photo.pixels, mask.alpha, main, colour)


def stand_ins(photos: Mapping[Subject, Sequence[Photo]], size: int, each: int) -> list[Scene]:
    """For a prior without pictures of its own: the photographs, said to be any of their kind; what the base answers on
    them is kept, so that the kind's word goes on meaning what it meant."""
    random = np.random.Generator(np.random.Philox(key=0))
    kinds = [
        (replace(photo, caption=None), Subject(s.kind, s.kind), colour)
        for s, taken in photos.items()
        for colour in [colour_of(taken)]
        for photo in taken
    ]
    return [scene_of(*kind, size, random) for _ in range(each) for kind in kinds]


def unsaid(prior: Sequence[Scene]) -> list[Scene]:
    """Some of the prior's pictures without a word: what the base answers where nothing is asked for is kept too, which
    guidance holds every picture against."""
    return [replace(scene, text="") for scene in prior[::UNSAID]]


def _own(photo: Photo, subject: Subject, size: int, random: np.random.Generator) -> Scene:
    """A square part of the photograph that keeps the product, where that fits."""
    height, width = photo.pixels.shape[:2]
    box = (0, 0, width, height) if photo.mask is None else _box(photo.mask.alpha)
    least = max(box[2] - box[0], box[3] - box[1])
    side = min(min(height, width), max(least, round(min(height, width) * random.uniform(*NEARER))))
    left, top = (_begin(box[k], box[k + 2], side, n, random) for k, n in ((0, width), (1, height)))
    cut = (slice(top, top + side), slice(left, left + side))
    made, name = _resized(photo.pixels[cut], (size, size)), backdrop_name(photo)
    text = said(subject.name, name, random) if photo.caption is None else photo.caption
    if photo.mask is None or (name and photo.caption is None):
        return Scene(made, _all(size), text)
    return Scene(made, _rimmed(_resized(photo.mask.alpha[cut], (size, size))), text)


def _all(size: int) -> Bytes:
    return np.full((size, size), 255, np.uint8)


def _rimmed(mask: Bytes) -> Bytes:
    """A mask (S, S) with what is near it, a square around each of its pixels."""
    reach = max(1, round(RIM * len(mask)))
    return np.asarray(Image.fromarray(mask).filter(ImageFilter.MaxFilter(2 * reach + 1)))


def _box(alpha: Bytes) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is there, all of it where nothing is."""
    rows, columns = np.flatnonzero((alpha > 5).any(1)), np.flatnonzero((alpha > 5).any(0))
    if not len(rows):
        return 0, 0, alpha.shape[1], alpha.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _begin(low: int, high: int, side: int, whole: int, random: np.random.Generator) -> int:
    """Where a part of ``side`` of ``whole`` begins that holds low … high where it can."""
    first, last = max(0, high - side), min(low, whole - side)
    if first > last:
        return min(max(0, (low + high - side) // 2), whole - side)
    return int(random.integers(first, last + 1))


def _resized(x: Bytes, size: tuple[int, int]) -> Bytes:
    how = Image.Resampling.BOX if len(x) >= size[1] else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(x).resize(size, how))


def _placed(pixels: Bytes, alpha: Bytes, paper: Bytes, fill: float, at: tuple[float, float]) -> Bytes:
    """The product cut out, scaled to ``fill``, on paper (S, S, 3), at 0 … 1 of the room."""
    size = len(paper)
    left, top, right, bottom = _box(alpha)
    part = (slice(top, bottom), slice(left, right))
    scale = size * fill / max(right - left, bottom - top)
    width, height = (max(1, min(size, round(n * scale))) for n in (right - left, bottom - top))
    thin = alpha[part][..., None].astype(np.float32) / 255
    light = (pixels[part] * thin).round().astype(np.uint8)
    colour, cover = _resized(light, (width, height)), _resized(alpha[part], (width, height))
    y, x = round(at[0] * (size - height)), round(at[1] * (size - width))
    made = paper.copy()
    here = (slice(y, y + height), slice(x, x + width))
    there = cover[..., None].astype(np.float32) / 255
    made[here] = (paper[here] * (1 - there) + colour).round().clip(0, 255).astype(np.uint8)
    return made


Stored = Callable[[Bytes, Bytes], Bytes]
"""(pixels (S, S, 3), counts (S, S)) -> what an item holds: pixels or latents, and what counts, (C, h, w) uint8."""


def with_counts(pixels: Bytes, counts: Bytes) -> Bytes:
    """(4, S, S): what counts is the fourth channel."""
    return np.ascontiguousarray(np.concatenate([pixels, counts[..., None]], -1).transpose(2, 0, 1))


@dataclass(frozen=True, eq=False)
class Sittings:
    """A ``Source``: shard v has scene v of every photograph of every subject, and then some of the prior's pictures.

    photos: by subject.  prior: pictures (S, S, 3) of what must stay as it is, with their captions.
    share: of the prior's pictures among all items.  size: px.  stored: how a scene is kept.
    """

    photos: Mapping[Subject, Sequence[Photo]]
    prior: Sequence[Scene]
    share: float
    size: int
    stored: Stored = with_counts
    seed: int = 0
    shards: int = VARIANTS

    @property
    def classes(self) -> tuple[str, ...]:
        """None: scenes have captions."""
        return ()

    @cached_property
    def pairs(self) -> list[tuple[Subject, Photo]]:
        return [(subject, photo) for subject, photos in self.photos.items() for photo in photos]

    @cached_property
    def colours(self) -> Mapping[Subject, str]:
        """Main colours of the subjects."""
        return {subject: colour_of(photos) for subject, photos in self.photos.items()}

    @cached_property
    def beside(self) -> int:
        """Pictures of the prior in a shard."""
        if not self.prior or self.share <= 0:
            return 0
        return max(1, round(len(self.pairs) * self.share / (1 - self.share)))

    @cached_property
    def fingerprint(self) -> str:
        """Of the photographs, their masks and captions, the prior's pictures, and how scenes are made of them."""
        digest = hashlib.sha256(f"{self.size}/{self.share}/{self.seed}/{self.shards}/{self.beside}".encode())
        for subject, photo in self.pairs:
            digest.update(f"{subject}{photo.sha256}{photo.caption}".encode())
            digest.update(b"" if photo.mask is None else photo.mask.alpha.tobytes())
        for scene in self.prior:
            digest.update(scene.text.encode() + scene.pixels.tobytes())
        return digest.hexdigest()

    def open(self, shard: int, report: Report) -> Sitting:
        return Sitting(self, shard)

    def scene(self, k: int, variant: int) -> Scene:
        """Scene ``variant`` of the k-th photograph."""
        subject, photo = self.pairs[k]
        key = hashlib.sha256(f"{self.seed}/{photo.sha256}/{variant}".encode()).digest()
        random = np.random.Generator(np.random.Philox(key=int.from_bytes(key[:8], "little")))
        return scene_of(photo, subject, self.colours[subject], self.size, random)


@dataclass(frozen=True)
class Sitting:
    """Shard ``variant``."""

    sittings: Sittings
    variant: int

    def __len__(self) -> int:
        return len(self.sittings.pairs) + self.sittings.beside

    def __getitem__(self, i: int) -> Item:
        all_of_them = self.sittings
        if i < len(all_of_them.pairs):
            scene = all_of_them.scene(i, self.variant)
            name = f"{all_of_them.pairs[i][1].name}/{self.variant}"
            return Item(name, all_of_them.stored(scene.pixels, scene.counts), scene.text, SUBJECT)
        k = (self.variant * all_of_them.beside + i - len(all_of_them.pairs)) % len(all_of_them.prior)
        scene = all_of_them.prior[k]
        return Item(f"prior/{k}", all_of_them.stored(scene.pixels, scene.counts), scene.text, PRIOR)
