"""``mz.guide``: the words of the command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mezzotint.config import DEFAULT_MODEL
from mezzotint.errors import UsageError
from mezzotint.making.calibrated.calibrate import never, silent
from mezzotint.making.guided.guide import Guide, Progressed, Settings, guided
from mezzotint.making.request import Request, Sampling


def guide(
    model: str | Path = DEFAULT_MODEL,
    *,
    scale: float | tuple[float, float] | None = None,
    guidance_interval: str | None = None,
    prompts: Sequence[str] = (),
    updates: int | None = None,
    batch: int | None = None,
    rank: int | None = None,
    rate: float | None = None,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "fastest",
    threads: int | None = None,
    progressed: Progressed = silent,
    stop: Callable[[], bool] = never,
) -> Guide:
    """Learns guidance into a small change of a model's weights, so that it takes one call of the network in the place
    of two; one that holds is kept under the user's home, where ``guidance="distilled"`` finds it.

    The same call goes on where one was stopped or killed, and ends with the same bits.
    Args: scale: guidance, one or (lowest, highest); None is the preset's.  guidance_interval: where guidance is on, as
        for ``generate``.  prompts: what is asked for, of a model of text; a class-conditional one takes its labels.
        updates, batch: of the fit, and rows of each.  rank: of each layer's change.  rate: of learning.
        seed: of everything that is drawn.  progressed: told (what, done, of how many, a note).
        stop: asked between updates.
    Raises: UsageError (words; a distilled model), InputError, ModelError, NonFiniteError, StorageError.
    """
    usual = Settings()
    said = {"steps": updates, "batch": batch, "rank": rank, "rate": rate}
    for name, value in said.items():
        if value is not None and not 0 < value < 1_000_000:
            raise UsageError(f"{'updates' if name == 'steps' else name} is {value}; expected more than 0")
    recipe = replace(
        usual.recipe,
        steps=updates or usual.recipe.steps,
        batch=batch or usual.recipe.batch,
        rank=rank or usual.recipe.rank,
        rate=rate or usual.recipe.rate,
    )
    sampling = Sampling(device=device, dtype=dtype, threads=threads)
    asked = Request("", guidance_interval=guidance_interval, sampling=sampling)
    scales = (float(scale), float(scale)) if isinstance(scale, int | float) else scale
    return guided(model, scales, replace(usual, recipe=recipe, seed=seed), asked, prompts, progressed, stop)
