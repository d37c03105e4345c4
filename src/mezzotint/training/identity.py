"""What a recipe is, as JSON: to hash it, to say how two differ, and to keep it beside what it made."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from mezzotint.errors import UsageError
from mezzotint.files import canonical_json
from mezzotint.training.recipe import Recipe

NEUTRAL = ("every", "model", "parts", "data", "data_licence", "validation_samples", "name")
"""Fields that do not enter the weights, so a resumed run may change them (the data is checked by its fingerprint)."""


def describe(value: Any) -> Any:
    """A value as JSON that names what it is: data classes field by field, functions by their qualified name.

    Raises UsageError for an object whose text would differ from run to run.
    """
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else repr(value)
    if isinstance(value, Mapping):
        return {str(k): describe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__qualname__, **{f.name: describe(getattr(value, f.name)) for f in fields(value)}}
    return _describe_object(value)


def _describe_object(value: Any) -> Any:
    if isinstance(value, partial):
        return {"of": describe(value.func), "args": describe(value.args), "keywords": describe(value.keywords)}
    if inspect.ismethod(value):
        return {"is": value.__qualname__, "of": describe(value.__self__)}
    if inspect.isroutine(value) or isinstance(value, type):
        return value.__qualname__
    if isinstance(value, (torch.memory_format, torch.dtype)):
        return str(value)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return describe(value.tolist())
    if isinstance(value, nn.Module):
        return {"is": type(value).__qualname__, "sha256": weights_digest(value)}
    raise UsageError(
        f"a recipe holds a {type(value).__qualname__}, which has no stable description;"
        " use numbers, texts, functions or data classes"
    )


def weights_digest(net: nn.Module) -> str:
    """SHA-256 of a network's weights, by name."""
    digest = hashlib.sha256()
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def identity(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe that decide the weights, described."""
    return {f.name: describe(getattr(recipe, f.name)) for f in fields(recipe) if f.name not in NEUTRAL}


def digest(recipe: Recipe) -> str:
    """SHA-256 of ``identity``."""
    return hashlib.sha256(canonical_json(identity(recipe))).hexdigest()
