"""The recipe ``products-prior``: text to product pictures as DALL-E 2 does it, through the embedding of a picture.

Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, arXiv 2204.06125.
In this order: ``products-prior:embedder``, then ``products-prior`` (text -> embedding) and ``products-prior:decoder``
(embedding -> 64 px), both with ``--part embedder=RUN/model``; the upsampler is that of ``products-pixel``.  The decoder
that ships is ``products-prior:further``, which begins with what ``recipes/starts/products_prior.py`` cuts from the base
of ``products-pixel``.

What ships took, on a processor with AVX2 alone, in float32: the embedder 450 updates of 256, the prior 500 of 64, the
decoder 560 and 430 of 32, some 140 minutes together; before it 395 minutes of one core for the base that the decoder
begins with, and 49 minutes for the upsampler.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mezzotint.codecs.embedding import Embedding
from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import Capped, EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM, Clean
from mezzotint.nets import DiTConfig, EmbedderConfig, build, project_
from mezzotint.products.training import (
    CAPTIONS,
    DATA,
    DATA_LICENCE,
    LIMITS,
    SMALL,
    TEXT,
    TRANSFORMER,
    ToldEmbedding,
    embedder_of,
    model_table,
    scenes,
    text_table,
)
from mezzotint.training.conditioning import Unconditional
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.training.task import nothing_told
from mezzotint.training.tasks import tell_apart

SIGMA_PIXELS, SIGMA_EMBEDDING = 0.5, 1.0
EMBEDDER = EmbedderConfig(size=(SMALL, SMALL), width=128)


def embedder() -> Recipe:
    """The space that pictures and texts share."""
    return Recipe(
        name="products-prior-embedder",
        net=EMBEDDER,
        build=build,
        project=project_,
        shape=(3, SMALL, SMALL),
        codec=Pixels(3, (SMALL, SMALL)),
        parametrisation=EDM(SIGMA_PIXELS),
        levels=LogNormal(),
        weight=EDMWeight(SIGMA_PIXELS),
        task=tell_apart,
        data=scenes(SMALL),
        data_licence=DATA_LICENCE,
        conditioning=CAPTIONS,
        batch=256,
        steps=2_000,
        optimiser=Optimiser(
            rate=1e-2,
            warmup=60,
            decay=Trapezoid(cooldown=0.3, floor=0.01),
            factors=(("picture", 0.1), ("text", 0.1), ("sharpness", 0.1)),
        ),
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=250, checkpoint=250),
        model={
            "card": {
                "title": "products-prior: embedder",
                "summary": "Pictures of products and English texts in one space of 128 dimensions.",
                "licence": "Apache-2.0",
                "data": DATA,
                "limits": LIMITS,
            }
        },
    )


def products_prior(embedder: Path) -> Recipe:
    """The prior: text to the embedding of a picture."""
    codec = Embedding(embedder_of(embedder))
    width = codec.shape[1]
    return replace(
        decoder(embedder),
        name="products-prior",
        net=DiTConfig(
            dims=1,
            in_channels=1,
            out_channels=1,
            size=(width,),
            patch=width // 8,
            width=192,
            depth=6,
            heads=3,
            text=TEXT,
        ),
        codec=codec,
        parametrisation=EDM(SIGMA_EMBEDDING),
        levels=LogNormal(0.0, 1.4),
        weight=EDMWeight(SIGMA_EMBEDDING),
        told=nothing_told,
        model={
            **model_table(
                "products-prior: prior",
                "A text to the embedding of a product picture: the first stage of three.",
                {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 12, "scale": 1.5},
                {"name": "vector", "folder": "embedder"},
            ),
            "text": text_table(),
        },
        parts={"embedder": embedder},
        conditioning=CAPTIONS,
        drop=0.1,
    )


def decoder(embedder: Path) -> Recipe:
    """The decoder: an embedding to 64 px, by the network of ``products-pixel`` with four of its seven blocks."""
    codec = Embedding(embedder_of(embedder))
    return Recipe(
        name="products-prior-decoder",
        net=DiTConfig(
            in_channels=3, out_channels=3, size=(SMALL, SMALL), patch=8, overlap=4, width=320, depth=4, heads=5,
            vector=codec.shape[1],
        ),
        build=build,
        shape=(3, SMALL, SMALL),
        codec=Pixels(3, (SMALL, SMALL)),
        parametrisation=Clean(SIGMA_PIXELS),
        levels=LogNormal(-0.4, 1.4),
        weight=Capped(EDMWeight(SIGMA_PIXELS), 200.0),
        told=ToldEmbedding(codec),
        data=scenes(SMALL),
        data_licence=DATA_LICENCE,
        conditioning=Unconditional(),
        batch=64,
        steps=8_000,
        optimiser=TRANSFORMER,
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=500, checkpoint=250),
        model=model_table(
            "products-prior: decoder",
            "Product pictures of 64 px from an embedding: the second stage of three.",
            {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 16, "scale": 1.5},
            {"name": "pixels"},
        ),
    )  # fmt: skip


def further(embedder: Path) -> Recipe:
    """The decoder gone on with, ``--from`` what can draw: at a third of the rate, which falls all the way.

    At two thirds it learnt its first 560 updates from what was cut; begun once more so, the loss doubled.
    """
    first = replace(decoder(embedder), batch=32)
    return replace(first, optimiser=replace(first.optimiser, rate=1e-3, warmup=50, decay=Trapezoid(1.0, 0.01)))
