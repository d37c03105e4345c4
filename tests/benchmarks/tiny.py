"""The smallest recipe that trains, exports and samples: what the benchmarks are tried on."""

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.nets import UNetConfig, build
from mezzotint.training.conditioning import Labels
from mezzotint.training.data.idx import FASHION, fashion_mnist
from mezzotint.training.ema import Power
from mezzotint.training.recipe import Every, Recipe

NET = UNetConfig(width=16, multipliers=(1, 1), blocks=1, attention=(1,), head_dim=16, num_classes=len(FASHION))
MODEL = {
    "schedule": {"name": "karras"},
    "sampling": {"standard": {"solver": "dpm++2m", "grid": {"name": "karras"}, "steps": 4, "scale": 2.0}},
    "card": {"title": "Tiny", "summary": "For tests.", "licence": "Apache-2.0"},
}


def tiny() -> Recipe:
    """A few thousand parameters, labels and guidance included."""
    return Recipe(
        name="tiny",
        net=NET,
        build=build,
        shape=(1, 28, 28),
        codec=Pixels(1, (28, 28)),
        parametrisation=EDM(0.7),
        levels=LogNormal(-0.6, 1.4),
        weight=EDMWeight(0.7),
        data=fashion_mnist,
        conditioning=Labels(len(FASHION)),
        drop=0.1,
        batch=4,
        steps=2,
        ema=(Power(0.05),),
        dtype="float32",
        every=Every(validation=0, checkpoint=1000),
        model=MODEL,
    )
