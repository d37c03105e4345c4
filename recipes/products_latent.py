"""The recipe ``products-latent``: text to product pictures as Stable Diffusion does it, in the latent of an
autoencoder.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752.
``mezzotint train products-latent:autoencoder`` comes first, then ``mezzotint train products-latent --part
autoencoder=RUN/model``.

What ships took, on processors alone and beside other work: the denoiser 531,000 pictures in 151 minutes of one core
(AMX, bfloat16) and 256,000 in 115 minutes of two (Zen 4), the ranker's reward 28, 17 and 56 minutes, then 320,000 in
91 minutes, 345,600 in 95 minutes and, made finer, 102,400 in 94 minutes, of two processes each (AMX); the autoencoder
8,000 updates of 16 crops, 45 minutes; the ranker 2,500 and 700 updates of 128 latents, 21 and 4 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mezzotint.codecs.latent import Stored
from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.nets import AutoencoderConfig, DiTConfig, RankerConfig, build, project_
from mezzotint.nets.finer import finer as finer_net
from mezzotint.products.colours import NAMES
from mezzotint.products.evened import evened
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.ranking import Shown, labelled, tell
from mezzotint.products.rewarding import CaptionsAsking, Rewarded, ranker_of
from mezzotint.products.training import (
    CAPTIONS,
    DATA,
    DATA_LICENCE,
    LIMITS,
    SIDE,
    TEXT,
    TRANSFORMER,
    autoencoder_of,
    latent_scenes,
    model_table,
    scenes,
    text_table,
)
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.training.tasks import Reconstruct

AUTOENCODER = AutoencoderConfig(size=(SIDE, SIDE), latent=16, fold=4, widths=(64, 128, 192), blocks=1)
SIGMA_DATA = 1.0
CROP = 128
SEEN = {"name": "karras", "sigma_min": 0.01, "sigma_max": 20.0}
"""Noise at which a latent shows something; from 80 to 0.002 a quarter of the steps did nothing (docs/log.md)."""


def autoencoder() -> Recipe:
    """256 px to 16 x 16 latents of 16 channels, learnt on crops."""
    return Recipe(
        name="products-latent-autoencoder",
        net=replace(AUTOENCODER, size=(CROP, CROP)),
        build=build,
        project=project_,
        shape=(3, CROP, CROP),
        codec=Pixels(3, (CROP, CROP)),
        parametrisation=EDM(SIGMA_DATA),
        levels=LogNormal(),
        weight=EDMWeight(SIGMA_DATA),
        task=Reconstruct(),
        data=scenes(SIDE, crop=CROP),
        data_licence=DATA_LICENCE,
        batch=16,
        steps=8_000,
        optimiser=Optimiser(rate=1e-2, warmup=300, decay=Trapezoid(cooldown=0.3, floor=0.01)),
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=500, checkpoint=250),
        model={
            "card": {
                "title": "products-latent: autoencoder",
                "summary": "Pictures to latents a sixteenth as wide and high, and back.",
                "licence": "Apache-2.0",
                "data": DATA,
                "limits": LIMITS,
            }
        },
    )


def products_latent(autoencoder: Path) -> Recipe:
    """The denoiser: a transformer on the latents, 64 tokens, with the text in context."""
    trained = autoencoder_of(autoencoder)
    shape = replace(trained.config, size=(SIDE, SIDE)).shape
    return Recipe(
        name="products-latent",
        net=DiTConfig(
            in_channels=shape[0], out_channels=shape[0], size=shape[1:], patch=2, width=320, depth=7, heads=5, text=TEXT
        ),
        build=build,
        shape=shape,
        codec=Stored(shape),
        parametrisation=EDM(SIGMA_DATA),
        levels=LogNormal(0.0, 1.2),
        weight=EDMWeight(SIGMA_DATA),
        data=latent_scenes(trained, SIDE),
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
                "products-latent",
                "Product pictures of 256 px from a text, made in the latent of an autoencoder.",
                {"solver": "dpmpp_2m", "grid": SEEN, "steps": 12, "scale": 4.0, "classifier_scale": 45.0},
                {"name": "latent", "folder": "autoencoder"},
                # eight steps do not bear 4: plain backgrounds are lost (docs/log.md)
                {"steps": 8, "scale": 3.0},
            ),
            "text": text_table(),
        },
        parts={"autoencoder": autoencoder},
    )


def further(autoencoder: Path) -> Recipe:
    """The denoiser gone on with, ``--from`` what is trained: the rate falls all the way, most levels are those at which
    the shape of a product is settled, where what ships is furthest from right (docs/log.md), and rare kinds come more
    often than they were photographed."""
    first = products_latent(autoencoder)
    falling = replace(first.optimiser, warmup=100, decay=Trapezoid(1.0, 0.01))
    return replace(first, data=evened(first.data), batch=128, levels=LogNormal(0.7, 1.0), optimiser=falling)


def finer(autoencoder: Path) -> Recipe:
    """The denoiser with a token for each pixel of the latent, ``--from`` what ``recipes/starts/products_latent.py``
    makes of a trained one: four times the work a picture, and a loss that 64 tokens never reached (docs/log.md)."""
    first = further(autoencoder)
    assert isinstance(first.net, DiTConfig)
    every = replace(first.every, validation=100, checkpoint=100)
    return replace(first, net=finer_net(first.net), batch=64, steps=1_600, every=every)


def rewarded(autoencoder: Path, ranker: Path, second_ranker: Path) -> Recipe:
    """The denoiser taught to show what it is asked for, ``--from`` what is trained; by rankers of two seeds, for what
    pleases one alone is not to be learnt."""
    first = finer(autoencoder)
    return replace(
        first,
        batch=128,
        task=Rewarded((ranker_of(ranker), ranker_of(second_ranker))),
        conditioning=CaptionsAsking(CAPTIONS),
        steps=1_500,
        optimiser=replace(first.optimiser, rate=1e-3, warmup=50),
        validation_samples=128,
        every=Every(validation=100, checkpoint=50),
        parts={**first.parts, "ranker": ranker, "second_ranker": second_ranker},
    )


def ranker(autoencoder: Path) -> Recipe:
    """What chooses among several pictures of a prompt, before they are decoded."""
    first = products_latent(autoencoder)
    height, width = first.shape[1:]
    return Recipe(
        name="products-latent-ranker",
        net=RankerConfig(len(kinds()), len(VIEW_NAMES), len(NAMES), first.shape[0], (height, width)),
        build=build,
        project=project_,
        shape=first.shape,
        codec=first.codec,
        parametrisation=first.parametrisation,
        levels=LogNormal(),
        weight=first.weight,
        task=tell,
        data=labelled(first.data),
        data_licence=DATA_LICENCE,
        conditioning=Shown(),
        batch=128,
        steps=2_500,
        optimiser=Optimiser(
            rate=1e-2,
            warmup=200,
            decay=Trapezoid(cooldown=0.5, floor=0.01),
            factors=(("kinds", 0.1), ("views", 0.1), ("colours", 0.1)),
        ),
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=500, checkpoint=250),
        model={
            "card": {
                "title": "products-latent: ranker",
                "summary": "Names kind, view and colour of a product from its latent: which of several is kept.",
                "licence": "Apache-2.0",
                "data": DATA,
                "limits": LIMITS,
            }
        },
    )
