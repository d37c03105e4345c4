"""The text of a recipe file: a small transformer on bars, thirty steps."""

RECIPE = """
from dataclasses import replace
from mezzotint.nets import DiTConfig, build
from mezzotint.training.ema import Exponential, Power
from mezzotint.training.recipe import Every
from training_case import tiny

def toy():
    net = DiTConfig(size=(8, 8), patch=4, width=32, depth=1, heads=1, num_classes=10)
    model = {
        "schedule": {"name": "karras"},
        "sampling": {"standard": {"solver": "heun", "grid": {"name": "karras"}, "steps": 4}},
        "card": {"title": "toy", "summary": "Bars.", "licence": "CC0-1.0"},
    }
    return tiny(30, name="toy", net=net, build=build, batch=8, seed=5, model=model, ema=(Power(0.10), Exponential(0.9)),
                every=Every(validation=15, checkpoint=10, snapshot=10))
"""
