"""The recipe ``fashion``: class-conditional pictures of clothes, 28 x 28, on Fashion-MNIST (60,000 photographs, MIT).

Xiao et al., 2017, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, arXiv 1708.07747.
``mezzotint train fashion`` trains what ships; ``fashion:dit`` is a pilot that it was chosen over (docs/log.md).
The data is the Debian package dataset-fashion-mnist, or the four IDX files in any folder: ``--data DIR``.
"""

from __future__ import annotations

from dataclasses import replace

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.nets import DiTConfig, UNetConfig, build, project_
from mezzotint.training.conditioning import Labels
from mezzotint.training.data.idx import FASHION, fashion_mnist
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe, unprojected
from mezzotint.training.schedule import Optimiser, Trapezoid

SIGMA_DATA = 0.71
"""Standard deviation of the training pixels on the scale -1 … 1 (measured: 0.706)."""

SYNONYMS = {
    "t-shirt": ["t-shirt/top", "top", "tee"],
    "trouser": ["pants", "jeans"],
    "pullover": ["sweater", "jumper"],
    "dress": ["gown"],
    "coat": ["jacket"],
    "sandal": ["flip-flop"],
    "shirt": ["blouse"],
    "sneaker": ["trainer", "running shoe"],
    "bag": ["handbag", "purse"],
    "ankle boot": ["boot"],
}

UNET = UNetConfig(width=32, multipliers=(1, 2, 4), blocks=1, attention=(2,), num_classes=len(FASHION))

MODEL = {
    "schedule": {"name": "karras", "sigma_min": 0.002, "sigma_max": 80.0, "rho": 7.0},
    "labels": [{"name": name, "synonyms": SYNONYMS[name]} for name in FASHION],
    "sampling": {
        "draft": {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 8, "scale": 1.0},
        "standard": {"solver": "dpmpp_2m", "grid": {"name": "karras"}, "steps": 20, "scale": 1.0},
        "best": {"solver": "heun", "grid": {"name": "karras"}, "steps": 25, "scale": 1.0},
    },
    "card": {
        "title": "fashion",
        "summary": "Grey 28 x 28 pictures of ten kinds of clothes, from a word. Small enough for any processor: the"
        " first thing to try, and the model that the documentation and the tests use.",
        "licence": "Apache-2.0",
        "data": "Fashion-MNIST, 60,000 training pictures (Zalando SE, MIT; Xiao et al., 2017, arXiv 1708.07747).",
        "limits": "Ten classes, 28 x 28, grey. It knows nothing else; people and marks do not occur in its data.",
    },
}


def fashion() -> Recipe:
    """The model that ships: a magnitude-preserving U-Net of 3 M parameters, EDM preconditioning."""
    return Recipe(
        name="fashion",
        net=UNET,
        build=build,
        project=project_,
        shape=(1, 28, 28),
        codec=Pixels(1, (28, 28)),
        parametrisation=EDM(SIGMA_DATA),
        levels=LogNormal(-0.6, 1.4),
        weight=EDMWeight(SIGMA_DATA),
        data=fashion_mnist,
        data_licence="MIT",
        conditioning=Labels(len(FASHION)),
        drop=0.1,
        batch=64,
        steps=9_000,
        optimiser=Optimiser(rate=1e-2, warmup=300, decay=Trapezoid(cooldown=0.4, floor=0.01)),
        ema=(Power(0.05), Power(0.10)),
        seed=7,
        every=Every(validation=1000, checkpoint=250, snapshot=500),
        model=MODEL,
    )


def dit() -> Recipe:
    """The pilot with a transformer: patches of 4 x 4, 6.9 M parameters."""
    return replace(
        fashion(),
        name="fashion-dit",
        net=DiTConfig(patch=4, width=256, depth=8, heads=4, num_classes=len(FASHION)),
        project=unprojected,
        optimiser=replace(fashion().optimiser, rate=1e-3, weight_decay=0.01),
    )
