"""The recipe ``products-judge``: the network that names what a product picture shows, to measure the product models by.

``mezzotint train products-judge``.  It learns from the same photographs as they do, never from what they make.

What ships took 4,000 updates of 64 pictures, 117 minutes of one core (bfloat16).
"""

from __future__ import annotations

from pathlib import Path

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.nets import JudgeConfig, build, project_
from mezzotint.products.judging import VIEW_NAMES, KindAndView, LabelledScenes, judge, kinds
from mezzotint.products.source import Scenes
from mezzotint.products.training import DATA, DATA_LICENCE, LIMITS, photographs
from mezzotint.training.data.source import Data
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe
from mezzotint.training.schedule import Optimiser, Trapezoid

SIDE = 128


def labelled(folder: Path | None) -> Data:
    """Scenes with kind, view and mask; measured on held-out compositions."""
    where = photographs(folder)
    train, held = Scenes(where, SIDE), Scenes(where, SIDE, "compositions", shards=1)
    return Data(LabelledScenes(train), LabelledScenes(held))


def products_judge() -> Recipe:
    """Kinds, views and masks at 128 px."""
    return Recipe(
        name="products-judge",
        net=JudgeConfig(kinds=len(kinds()), views=len(VIEW_NAMES), size=(SIDE, SIDE)),
        build=build,
        project=project_,
        shape=(4, SIDE, SIDE),
        codec=Pixels(4, (SIDE, SIDE)),
        parametrisation=EDM(0.5),
        levels=LogNormal(),
        weight=EDMWeight(0.5),
        task=judge,
        data=labelled,
        data_licence=DATA_LICENCE,
        conditioning=KindAndView(),
        batch=64,
        steps=5_000,
        optimiser=Optimiser(
            rate=1e-2,
            warmup=200,
            decay=Trapezoid(cooldown=0.4, floor=0.01),
            factors=(("kinds", 0.1), ("views", 0.1)),
        ),
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        mix=1,
        every=Every(validation=250, checkpoint=250),
        model={
            "card": {
                "title": "products-judge",
                "summary": "Names the kind and the view of a product picture and finds the product's pixels.",
                "licence": "Apache-2.0",
                "data": DATA,
                "limits": LIMITS + " A measuring instrument for models of the same products, nothing more.",
            }
        },
    )
