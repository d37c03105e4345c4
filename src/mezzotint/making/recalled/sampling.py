"""The ``--solver`` and ``--grid`` that say again how a stage of a receipt was sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mezzotint.diffusion.aliases import resolve
from mezzotint.diffusion.options import Options, Value
from mezzotint.diffusion.solver.named import SOLVERS
from mezzotint.errors import InputError, UsageError
from mezzotint.governance.receipt import StageMade
from mezzotint.making.recalled.words import plain
from mezzotint.making.spaced import FROM as AUTO
from mezzotint.pretrained.learned import FROM, NAME
from mezzotint.pretrained.plan import named, receipt_choices

RECEIPT = "RECEIPT"
"""What stands for the receipt itself, which holds a learned solver."""

OWN = "num_train_timesteps"
"""Receipts that have this among a grid's options hold a whole scheduler's configuration, without its class."""


def sampling_of(stage: StageMade) -> tuple[str | None, str | None]:
    """(--solver, --grid) with all their options; (None, None) for the scheduler of the model's own folder.

    Raises InputError where no words come to what the receipt holds.
    """
    if OWN in stage.grid:
        return None, None
    if stage.solver["name"] == NAME:
        return f"{FROM}{RECEIPT}", None
    if "u" in stage.grid:  # an optimised grid, whole
        return _text(str(stage.solver["name"]), _options(stage.solver)), f"{AUTO}{RECEIPT}"
    placed = {key: value for key, value in stage.grid.items() if key not in ("name", "scheduler")}
    try:
        if "scheduler" in stage.grid:
            said: tuple[str, str | None] = _text(str(stage.grid["scheduler"]), placed), None
        else:
            said = _text(str(stage.solver["name"]), _options(stage.solver)), _text(str(stage.grid["name"]), placed)
        if _meant(*said) == (stage.solver, stage.grid):
            return said
    except (UsageError, KeyError, TypeError, ValueError):
        pass
    raise InputError(
        f"no --solver and --grid come to what the receipt says of {stage.model}: solver {dict(stage.solver)}, grid"
        f" {dict(stage.grid)}; make the picture with the version that made it"
    )


def _meant(solver: str, grid: str | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a receipt would hold of these words.  Raises UsageError."""
    name, options = named(solver)
    if grid is not None:
        label, more = named(grid)
        options = {**options, "grid": label, **more}
    return receipt_choices(resolve(name, options))


def _text(name: str, options: Mapping[str, Any]) -> str:
    """As ``plan.named`` reads it."""
    said = ",".join(f"{key}={plain(value)}" for key, value in options.items())
    return f"{name}:{said}" if said else name


def _options(settings: Mapping[str, Any]) -> dict[str, Value]:
    """The options that make a solver of these settings, without those that change nothing."""
    flat = {key: value for key, value in settings.items() if key not in ("name", "churn")}
    churn = dict(settings.get("churn", {}))
    if churn.get("amount"):
        flat |= {"s_churn": churn.pop("amount"), **churn}
    made = SOLVERS[str(settings["name"])]
    for key in list(flat):
        rest = {k: v for k, v in flat.items() if k != key}
        if made(Options(rest)) == made(Options(flat)):
            flat = rest
    return flat
