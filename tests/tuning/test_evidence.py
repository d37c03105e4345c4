"""Evidence catches planted faults: a copied photograph, other things turned into the product, wrong backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from test_choose import BASE, moment
from torch import Tensor
from tuning_case import mug, photographs

from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.pictures.png import Pixels
from mezzotint.products.colours import COLOURS
from mezzotint.tuning.choose import choose
from mezzotint.tuning.evidence import COPY, Evidence, Pictures, Real, copied, drift_of, evidence, marks, nearness, real
from mezzotint.tuning.nearest import nearest
from mezzotint.tuning.photos import Photo, read_shoot
from mezzotint.tuning.prompts import BACKGROUNDS, PAINTS, Asked, asked_of
from mezzotint.tuning.scenes import scene_on
from mezzotint.tuning.words import Subject

SIDE, N = 64, 12
BLUE, RED = (30, 90, 170), (200, 40, 30)


@pytest.fixture(scope="module")
def features() -> Features:
    return extractor(2 * DEFAULT_SIZE)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Photo, ...]:
    """On transparency, so that they can be cut out."""
    return read_shoot(photographs(tmp_path_factory.mktemp("evidence") / "mugs", 6), 2 * SIDE).photos


@pytest.fixture(scope="module")
def against(photos: tuple[Photo, ...]) -> Real:
    return real(photos[:2], photos[2:], SIDE, "white")


def questions() -> Asked:
    return asked_of([Subject("acme mug", "mug")], "", N, "white")[0]


def shown(made: Pictures, against: Real, features: Features, base: Pictures | None = None) -> Evidence:
    """What pictures show, without drift."""
    return evidence(marks(made, questions(), against, features, base))


def stacked(pixels: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()


def blots(seed: int, n: int = N) -> Tensor:
    """Pictures of other things: a few discs each, by what "noise" they were drawn with."""
    random, made = np.random.default_rng(seed), []
    for _ in range(n):
        image = Image.new("RGB", (SIDE, SIDE), tuple(int(v) for v in random.integers(0, 255, 3)))
        for _ in range(5):
            x, y, r = *random.integers(0, SIDE, 2).tolist(), int(random.integers(4, 20))
            ImageDraw.Draw(image).ellipse(
                (x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in random.integers(0, 255, 3))
            )
        made.append(np.asarray(image, np.uint8))
    return stacked(made)


def product(photos: tuple[Photo, ...], colours: list[str]) -> Tensor:
    """The product itself, a photograph after the other, on backgrounds by name."""
    return stacked([scene_on(photos[k % len(photos)], colour, SIDE).pixels for k, colour in enumerate(colours)])


def named(names: Sequence[str], shift: int = 0) -> list[str]:
    """N of them as they are asked for, shifted by some."""
    return [names[(k + shift) % len(names)] for k in range(N)]


def painted(names: Sequence[str]) -> Tensor:
    """The product as it is drawn in colours by name, on white."""
    drawn = [np.asarray(mug(SIDE, COLOURS[name], k, COLOURS["white"]), np.uint8) for k, name in enumerate(names)]
    return stacked(drawn)


def made(photos: tuple[Photo, ...], *, shift: int = 0, seed: int = 1) -> Pictures:
    """Of a good model: the product on the backgrounds and in the colours that were asked for, shifted by some."""
    behind, colours = product(photos, named(BACKGROUNDS, shift)), painted(named(PAINTS, shift))
    return Pictures(product(photos, ["white"] * N), behind, colours, blots(seed))


def test_adherence_falls_where_backgrounds_are_wrong(
    photos: tuple[Photo, ...], against: Real, features: Features
) -> None:
    good, bad = (shown(made(photos, shift=k), against, features) for k in (0, 1))
    assert good.adherence.value == 1.0 and bad.adherence.value == 0.0
    half = made(photos)
    behind = torch.cat([half.behind[: N // 2], made(photos, shift=1).behind[N // 2 :]])
    found = shown(replace(half, behind=behind), against, features).adherence
    assert found.value == 0.5 and found.low < 0.5 < found.high


def test_colours_are_looked_for_on_the_product(photos: tuple[Photo, ...], against: Real, features: Features) -> None:
    good, bad = (shown(made(photos, shift=k), against, features) for k in (0, 1))
    assert good.painted.value == 1.0 and bad.painted.value == 0.0 and good.painted.n == N
    paper = stacked([np.broadcast_to(np.array(COLOURS[name], np.uint8), (SIDE, SIDE, 3)) for name in named(PAINTS)])
    assert shown(replace(made(photos), painted=paper), against, features).painted.value == 0.0  # and no product
    behind = product(photos, named(PAINTS))
    assert shown(replace(made(photos), painted=behind), against, features).painted.value < 0.5  # blue is the mug's own


def test_the_product_is_like_its_photographs_and_of_its_colour(
    photos: tuple[Photo, ...], against: Real, features: Features, tmp_path: Path
) -> None:
    other = read_shoot(photographs(tmp_path / "red", 6, hue=RED), 2 * SIDE).photos
    good, wrong = (shown(made(p), against, features) for p in (photos, other))
    nothing = shown(replace(made(photos), subject=blots(5)), against, features)
    assert good.colour is not None and wrong.colour is not None
    assert good.colour.value < 3 < 30 < wrong.colour.value
    assert good.fidelity.low > wrong.fidelity.high > nothing.fidelity.high


@pytest.mark.parametrize("colour", ["beige", "black", "green"])
def test_what_is_behind_the_product_and_where_it_stands_is_none_of_its_likeness(
    photos: tuple[Photo, ...], against: Real, features: Features, colour: str
) -> None:
    def likeness(subject: Tensor) -> Tensor:
        return marks(replace(made(photos), subject=subject), questions(), against, features).likeness

    white, other = product(photos, ["white"] * N), product(photos, [colour] * N)
    aside = torch.roll(other, (5, 3), (2, 3))
    assert float((likeness(other) - likeness(white)).abs().max()) < 0.12
    assert float((likeness(aside) - likeness(other)).abs().max()) < 1e-9


def test_gain_is_the_product_s_and_drift_that_of_other_things(
    photos: tuple[Photo, ...], against: Real, features: Features
) -> None:
    base, again = replace(made(photos, seed=1), subject=blots(5)), made(photos, seed=2)
    honest, spoilt = made(photos, seed=3), replace(made(photos), other=product(photos, ["white"] * N))
    for pictures, low, high in ((base, 1.0, 1.0), (honest, 0.3, 1.5), (spoilt, 3.0, 1e9)):
        moved = drift_of(pictures.other, base.other, again.other, features)
        found = evidence(marks(pictures, questions(), against, features, base), moved)
        assert found.drift is not None and low <= found.drift.value <= high, found.drift
        assert found.gain is not None and (found.gain.low > 0.1) == (pictures is not base)
    assert choose({0: BASE, 1: moment(0.1), 2: found}).step == 1


def picture_of(photo: Photo, *, mirrored: bool = False) -> Tensor:
    shown = np.asarray(Image.fromarray(photo.pixels).resize((SIDE, SIDE), Image.Resampling.BOX))
    return stacked([shown[:, ::-1] if mirrored else shown])[0]


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_planted_photograph_is_a_copy_and_that_moment_is_not_kept(
    photos: tuple[Photo, ...], against: Real, features: Features, mirrored: bool
) -> None:
    planted = blots(5)
    planted[3] = picture_of(photos[3], mirrored=mirrored)
    assert copied(planted, photos[2:]).tolist() == [k == 3 for k in range(N)]
    assert not copied(planted, photos[:1]).any()  # the photographs that were not learnt from
    honest = shown(replace(made(photos), subject=blots(5)), against, features)
    over = shown(replace(made(photos), subject=planted), against, features)
    assert honest.copies.value == 0 and over.copies.value == pytest.approx(1 / (3 * N))
    assert over.fidelity.value > honest.fidelity.value  # which is why it would be kept
    base = replace(BASE, adherence=honest.adherence, painted=honest.painted)
    assert choose({0: base, 1: honest, 2: over}).step == 1


@pytest.mark.parametrize("sort", ["subject", "behind", "painted"])
def test_a_copy_is_looked_for_among_all_pictures_of_the_product(
    photos: tuple[Photo, ...], against: Real, features: Features, sort: str
) -> None:
    planted = blots(5)
    planted[3] = picture_of(photos[3])
    plain = Pictures(blots(6), blots(7), blots(8), blots(1))
    assert shown(plain, against, features).copies.value == 0
    assert shown(replace(plain, **{sort: planted}), against, features).copies.value == pytest.approx(1 / (3 * N))


@pytest.mark.parametrize("sort", ["subject", "behind", "painted"])
def test_the_nearest_photograph_is_named(photos: tuple[Photo, ...], sort: str) -> None:
    planted, learnt = blots(5), photos[2:]
    planted[3] = picture_of(photos[4], mirrored=True)
    plain = Pictures(blots(6), blots(7), blots(8), blots(1))
    far, near = nearest(plain, learnt), nearest(replace(plain, **{sort: planted}), learnt)
    assert near.photograph == "4.png" and near.most > COPY > far.most
    # The mean over all 3 N pictures of the highest correlation, said again.
    every = [image for of in (plain.subject, plain.behind, plain.painted) for image in of]
    highest = [float(nearness(image[None], learnt).max()) for image in every]
    assert far.similarity.value == pytest.approx(sum(highest) / (3 * N)) and far.similarity.n == 3 * N
    assert far.similarity.low < far.similarity.value < far.similarity.high and far.most == pytest.approx(max(highest))


def test_a_copy_with_noise_on_it_is_one_too(photos: tuple[Photo, ...]) -> None:
    noise = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    near = (picture_of(photos[3]).float() + 4 * noise).clamp(0, 255).to(torch.uint8)
    assert copied(near[None], photos).all()


def test_the_product_elsewhere_is_no_copy(photos: tuple[Photo, ...]) -> None:
    moved = torch.roll(picture_of(photos[3]), 10, 2)  # its background is plain: a picture of the same from farther left
    assert not copied(torch.stack([moved, *product(photos, ["blue"])]), photos).any()


def test_a_picture_no_nearer_than_photographs_are_to_each_other_is_no_copy() -> None:
    random = np.random.default_rng(0)
    first, last = (random.normal(size=(32, 32, 3)) for _ in range(2))
    angles = (0.0, 0.18, 0.37, 0.04)
    drawn = [(128 + 30 * (np.cos(a) * first + np.sin(a) * last)).clip(0, 255).astype(np.uint8) for a in angles]
    (one, other) = shots([drawn[0], drawn[1]])
    seen = stacked([drawn[2], drawn[3]])
    assert copied(seen, [other]).tolist() == [True, True]  # one photograph: COPY alone
    assert copied(seen, [one, other]).tolist() == [False, True]  # no nearer to the second than the first is
    assert copied(seen, [one, one, other]).tolist() == [False, True]  # also where one is there twice


def shots(drawn: list[Pixels]) -> list[Photo]:
    return [Photo(str(k), pixels, (32, 32), None, None, str(k)) for k, pixels in enumerate(drawn)]


def test_the_middle_of_a_long_photograph_is_one(photos: tuple[Photo, ...]) -> None:
    square = photos[3].pixels
    sides = np.full((square.shape[0], square.shape[1] // 2, 3), 90, np.uint8)
    long = replace(photos[3], pixels=np.concatenate([sides, square, sides], 1))
    assert copied(picture_of(photos[3])[None], [long]).all()


def test_colours_are_measured_on_the_background_that_was_asked_for() -> None:
    assert set(BACKGROUNDS) | set(PAINTS) <= set(COLOURS) and "white" not in PAINTS
