"""How a run began: what its folder says of that, and trained weights of a folder in place of drawn ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from mezzotint.errors import InputError
from mezzotint.files import read_bytes
from mezzotint.pretrained.folder import JSON_NAME, WEIGHTS_NAME, check_weights, describe, verify
from mezzotint.pretrained.network import NETWORK_JSON, describe_network, load_network
from mezzotint.tensorfile import read_tensors
from mezzotint.training.distributed import put
from mezzotint.training.state import Training

RUN_JSON, MAX_BYTES = "run.json", 1 << 20
"""What a run's folder says of it; how long that is at most."""


@dataclass(frozen=True)
class Began:
    """first: the SHA-256 of the weights that a run began with, "" where they were drawn.  data_licence: as declared
    then, None where nothing is said.  steps: its length, as it was last planned; seed: what it was begun with; None
    where nothing is said.
    """

    first: str = ""
    data_licence: str | None = None
    steps: int | None = None
    seed: int | None = None


def began_with(folder: Path) -> Began:
    """What the run of a folder began with; nothing where there is no run.

    Raises InputError where what the folder says is damaged.
    """
    path = folder / RUN_JSON
    if not path.is_file():
        return Began()
    try:
        said = json.loads(read_bytes(path, MAX_BYTES))
        licence, fields = said.get("data_licence"), said.get("fields", {})
        first, licensed = str(said.get("first", "")), None if licence is None else str(licence)
        steps, seed = (None if fields.get(name) is None else int(fields[name]) for name in ("steps", "seed"))
        return Began(first, licensed, steps, seed)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}); expected what `mezzotint train` wrote there") from error


def begun_with(training: Training, folder: Path) -> None:
    """Puts the weights of a folder into a run before its first update; its averages have seen nothing yet.

    The optimiser's moments begin at zero: a recipe with a warm-up suits it.
    Raises InputError (no such folder), ModelError (damaged, or of another network: the first tensor that differs is
    named).
    """
    path, training.first = folder / WEIGHTS_NAME, weights_of(folder)
    weights = read_tensors(path)
    check_weights(training.net, weights, path)
    with torch.no_grad():
        for name, target in training.net.state_dict().items():
            put(target, weights[name].to(target.dtype))


def weights_of(folder: Path) -> str:
    """The SHA-256 of a folder's weights, checked against what the folder says.  Raises InputError, ModelError."""
    if (folder / JSON_NAME).is_file():
        return verify(describe(folder)).weights_sha256
    if not (folder / NETWORK_JSON).is_file():
        raise InputError(f"{folder} is no model to begin with ({JSON_NAME} or {NETWORK_JSON} expected); give RUN/model")
    part = describe_network(folder)
    load_network(part)
    return part.weights_sha256
