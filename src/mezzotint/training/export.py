"""What a run leaves: a model folder of a denoiser, a network folder of anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mezzotint.diffusion.parametrisation import EDM, PARAMETRISATIONS, Clean
from mezzotint.errors import UsageError
from mezzotint.files import write_atomic
from mezzotint.nets.build import config_to_dict
from mezzotint.pretrained.folder import WEIGHTS_NAME, save_model
from mezzotint.pretrained.network import NETWORK_JSON, describe_network, save_network
from mezzotint.pretrained.spec import Card, Spec, card_of, from_dict
from mezzotint.training.recipe import Recipe
from mezzotint.training.state import on_cpu

if TYPE_CHECKING:
    from mezzotint.training.run import Outcome


def _parametrisation(recipe: Recipe) -> dict[str, Any]:
    for name, made in (("edm", EDM), ("clean", Clean)):
        if isinstance(recipe.parametrisation, made):
            return {"name": name, "sigma_data": recipe.parametrisation.sigma_data}
    for name, known in PARAMETRISATIONS.items():
        if recipe.parametrisation is known:
            return {"name": name}
    raise UsageError(
        f"recipe {recipe.name}: a model folder cannot name its parametrisation; use {', '.join(PARAMETRISATIONS)}"
    )


def exported(recipe: Recipe, classes: tuple[str, ...]) -> Spec | Card | None:
    """What the exported folder will say: a Spec for a denoiser, whose table has a schedule, a Card for another network,
    None where the recipe has no ``model`` table.   Raises UsageError, ModelError where the recipe cannot be exported.
    """
    if not recipe.model:
        return None
    if "schedule" not in recipe.model:
        return card_of(recipe.model.get("card"))
    known = {
        "net": config_to_dict(recipe.net),
        "parametrisation": _parametrisation(recipe),
        "codec": {"name": "pixels"},
        "shape": recipe.codec.shape,
        "labels": [{"name": name} for name in classes],
    }
    return from_dict({**known, **recipe.model})


def _compute(outcome: Outcome) -> str:
    run = outcome.training
    what = f"{torch.get_num_threads()} threads of a CPU" if run.device.type == "cpu" else run.device.type
    kind = str(run.dtype).removeprefix("torch.")
    before = "".join(f" Planned over {steps:,} up to update {step:,}." for step, steps in run.planned)
    made = f"{run.step:,} updates of {run.recipe.batch} images in {outcome.seconds / 60:.0f} minutes on {what}, {kind}."
    return made + before


def _weights(outcome: Outcome) -> Mapping[str, Tensor]:
    """The network's state with the first average's weights in it, on the CPU."""
    run = outcome.training
    weights = {k: on_cpu(v) for k, v in run.net.state_dict().items()}
    if run.recipe.ema:
        weights |= {k: on_cpu(v) for k, v in run.averages.values[run.recipe.ema[0].name].items()}
    return weights


def export(outcome: Outcome, said: Spec | Card) -> Path:
    """Writes the folder ``model``: the first average's weights, and the card with seed and compute.

    With sharded weights every process must call this; the first one writes.   Raises StorageError.
    """
    run, folder, weights = outcome.training, outcome.folder / "model", _weights(outcome)
    if not run.ranks.first:
        return folder
    card = said if isinstance(said, Card) else said.card
    licence = run.recipe.data_licence
    card = replace(card, compute=card.compute or _compute(outcome), seed=run.recipe.seed, data_licence=licence)
    if isinstance(said, Card):
        save_network(folder, weights, config_to_dict(run.recipe.net), card)
    else:
        save_model(folder, weights, replace(said, card=card))
    for name, part in run.recipe.parts.items():
        _beside(outcome.folder / name, part)
    return folder


def _beside(folder: Path, part: Path) -> None:
    """Copies a network folder next to the model that needs it, its description last.  Raises StorageError."""
    described = describe_network(part)
    write_atomic(folder / WEIGHTS_NAME, (part / WEIGHTS_NAME).read_bytes())
    write_atomic(folder / NETWORK_JSON, (described.folder / NETWORK_JSON).read_bytes())
