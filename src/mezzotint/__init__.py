"""Mezzotint: train, tune, run and answer for denoising diffusion models.

>>> import mezzotint as mz
>>> model = mz.load("fashion")
>>> for image in mz.generate("sneaker", model=model, n=4, seed=7).images:
...     image.save(f"sneaker-{image.seed}.png")

Importing it is cheap: each name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mezzotint.config import settings as settings
    from mezzotint.errors import MezzotintError as MezzotintError
    from mezzotint.exported.write import export as export
    from mezzotint.governance.provenance.verify import Verified as Verified
    from mezzotint.governance.provenance.verify import verify as verify
    from mezzotint.making.calibrated.calibrate import Calibration as Calibration
    from mezzotint.making.calibrated.words import calibrate as calibrate
    from mezzotint.making.distilled.distill import Distillation as Distillation
    from mezzotint.making.distilled.words import distill as distill
    from mezzotint.making.evaluate import evaluate as evaluate
    from mezzotint.making.evaluated import Evaluated as Evaluated
    from mezzotint.making.explain import Explanation as Explanation
    from mezzotint.making.explain import explain as explain
    from mezzotint.making.forward import noise as noise
    from mezzotint.making.frontier.frontier import Frontier as Frontier
    from mezzotint.making.frontier.frontier import frontier as frontier
    from mezzotint.making.guided.guide import Guide as Guide
    from mezzotint.making.guided.words import guide as guide
    from mezzotint.making.image import Image as Image
    from mezzotint.making.image import Progress as Progress
    from mezzotint.making.image import Result as Result
    from mezzotint.making.inspection import inspect as inspect
    from mezzotint.making.job import Job as Job
    from mezzotint.making.prepare import prepare as prepare
    from mezzotint.making.recalled.read import read as read
    from mezzotint.making.request import Request as Request
    from mezzotint.making.request import Sampling as Sampling
    from mezzotint.making.run import generate as generate
    from mezzotint.making.run import stream as stream
    from mezzotint.making.tuned.tune import Tuned as Tuned
    from mezzotint.making.tuned.words import tune as tune
    from mezzotint.making.upscale import upscale as upscale
    from mezzotint.making.vary import vary as vary
    from mezzotint.pretrained.model import Model as Model
    from mezzotint.pretrained.model import load as load
    from mezzotint.pretrained.store import models as models
    from mezzotint.products.rendering import render as render
    from mezzotint.replayed import Replayed as Replayed
    from mezzotint.replayed import replay as replay

__version__ = "0.1.0"

_HOME = {
    "Calibration": "making.calibrated.calibrate",
    "Distillation": "making.distilled.distill",
    "Frontier": "making.frontier.frontier",
    "Evaluated": "making.evaluated",
    "Explanation": "making.explain",
    "Guide": "making.guided.guide",
    "Image": "making.image",
    "Job": "making.job",
    "MezzotintError": "errors",
    "Model": "pretrained.model",
    "Progress": "making.image",
    "Replayed": "replayed",
    "Request": "making.request",
    "Sampling": "making.request",
    "Result": "making.image",
    "Verified": "governance.provenance.verify",
    "Tuned": "making.tuned.tune",
    "calibrate": "making.calibrated.words",
    "distill": "making.distilled.words",
    "frontier": "making.frontier.frontier",
    "evaluate": "making.evaluate",
    "explain": "making.explain",
    "export": "exported.write",
    "generate": "making.run",
    "guide": "making.guided.words",
    "inspect": "making.inspection",
    "load": "pretrained.model",
    "models": "pretrained.store",
    "noise": "making.forward",
    "prepare": "making.prepare",
    "read": "making.recalled.read",
    "render": "products.rendering",
    "replay": "replayed",
    "settings": "config",
    "stream": "making.run",
    "tune": "making.tuned.words",
    "upscale": "making.upscale",
    "vary": "making.vary",
    "verify": "governance.provenance.verify",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'mezzotint' has no attribute {name!r}")
    value = getattr(import_module(f"mezzotint.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
