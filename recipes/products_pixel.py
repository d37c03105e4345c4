"""The recipe ``products-pixel``: text to product pictures as Imagen does it, in pixels, 64 px and then 64 -> 256.

Saharia et al., 2022, Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding, arXiv 2205.11487.
``mezzotint train products-pixel`` trains the first stage, ``products-pixel:upsampler`` the second.  The data is what
``mezzotint render`` photographs.

What ships took, on processors alone: the base 1,254,000 pictures in updates of 64, 395 minutes of one core (AMX,
bfloat16) beside other work; the upsampler 2,200 updates of 32 crops, 49 minutes of a shared core.
"""

from __future__ import annotations

from dataclasses import replace

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import Capped, EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM, Clean
from mezzotint.nets import DiTConfig, UNetConfig, UpsamplerConfig, build, project_
from mezzotint.nets.config import LEVEL_WAVES
from mezzotint.products.training import (
    CAPTIONS,
    DATA_LICENCE,
    SIDE,
    SMALL,
    TEXT,
    TRANSFORMER,
    SmallCopy,
    model_table,
    scenes,
    text_table,
)
from mezzotint.training.conditioning import Unconditional
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid

SIGMA_DATA = 0.5
CROP = 128
"""Pixels of a finished picture that the upsampler learns on at a time: four times the pictures for its compute."""

BASE = DiTConfig(
    in_channels=3, out_channels=3, size=(SMALL, SMALL), patch=8, overlap=4, width=320, depth=7, heads=5, text=TEXT
)
HYBRID = UNetConfig(
    in_channels=3, out_channels=3, size=(SMALL, SMALL), fold=4, width=64, multipliers=(1, 2), blocks=1, attention=(),
    middle=DiTConfig(
        in_channels=128, out_channels=128, size=(8, 8), patch=1, width=320, depth=6, heads=5, text=TEXT
    ),
)  # fmt: skip

UPSAMPLER = UpsamplerConfig(
    UNetConfig(
        in_channels=6, out_channels=3, size=(SIDE, SIDE), fold=4, width=56, multipliers=(1, 2, 2), blocks=1,
        attention=(), vector=LEVEL_WAVES,
    )
)  # fmt: skip
MP = Optimiser(rate=1e-2, warmup=300, decay=Trapezoid(cooldown=0.3, floor=0.01), factors=(("middle.", 0.1),))
"""For magnitude-preserving networks."""

WEIGHT = Capped(EDMWeight(SIGMA_DATA), 200.0)
"""A network that predicts the clean picture cannot be exact at low noise, where it would count most."""


def products_pixel() -> Recipe:
    """The first stage: a transformer on squares of 8 x 8 pixels that overlap, with the text in context."""
    return Recipe(
        name="products-pixel",
        net=BASE,
        build=build,
        shape=(3, SMALL, SMALL),
        codec=Pixels(3, (SMALL, SMALL)),
        parametrisation=Clean(SIGMA_DATA),
        levels=LogNormal(-0.4, 1.4),
        weight=WEIGHT,
        data=scenes(SMALL),
        data_licence=DATA_LICENCE,
        conditioning=CAPTIONS,
        drop=0.1,
        batch=64,
        steps=10_000,
        optimiser=TRANSFORMER,
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=500, checkpoint=250),
        model={
            **model_table(
                "products-pixel: base",
                "Product pictures of 64 px from a text: the first stage of a cascade.",
                {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 16, "scale": 4.0},
                {"name": "pixels"},
            ),
            "text": text_table(),
        },
    )


def further() -> Recipe:
    """The first stage gone on with, ``--from`` what is trained: at a third of the rate, which falls all the way.

    At the full rate a trained model first loses what the fall of its last run had won.
    """
    first = products_pixel()
    return replace(first, optimiser=replace(first.optimiser, rate=1e-3, warmup=100, decay=Trapezoid(1.0, 0.01)))


def hybrid() -> Recipe:
    """A pilot: magnitude-preserving convolutions around a transformer at 8 x 8, which learns more slowly."""
    return replace(
        products_pixel(),
        name="products-pixel-hybrid",
        net=HYBRID,
        project=project_,
        parametrisation=EDM(SIGMA_DATA),
        weight=EDMWeight(SIGMA_DATA),
        optimiser=MP,
    )


def upsampler() -> Recipe:
    """The second stage: from 64 to 256 px, told the smaller picture alone; convolutional, and learnt on crops."""
    return replace(
        products_pixel(),
        name="products-pixel-upsampler",
        net=UPSAMPLER,
        project=project_,
        shape=(3, CROP, CROP),
        codec=Pixels(3, (CROP, CROP)),
        data=scenes(SIDE, crop=CROP),
        data_licence=DATA_LICENCE,
        conditioning=Unconditional(),
        drop=0.0,
        told=SmallCopy(SIDE // SMALL, (0.0, 9.0)),
        batch=32,
        steps=6_000,
        optimiser=replace(MP, factors=()),
        model={
            **model_table(
                "products-pixel: upsampler",
                "Product pictures of 64 px to 256 px: the second stage of a cascade.",
                {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 6, "scale": 1.0},
                {"name": "pixels"},
            ),
            "shape": (3, SIDE, SIDE),
        },
    )
