"""``mz.calibrate``: the words of the command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mezzotint.config import DEFAULT_MODEL
from mezzotint.errors import InputError, UsageError
from mezzotint.fewstep.fit import Recipe
from mezzotint.making.calibrated.calibrate import Calibration, Progressed, Settings, calibrated, never, silent
from mezzotint.making.calibrated.losses import check_loss
from mezzotint.making.request import Request, Sampling

MAX_BYTES = 1 << 20


def prompts_of(file: str | Path | None) -> tuple[str, ...]:
    """The lines of a file that are not empty; () of None.  Raises InputError."""
    if file is None:
        return ()
    try:
        data = Path(file).read_bytes()[:MAX_BYTES].decode()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}: {error}; expected a text file, a prompt a line") from error
    found = tuple(line.strip() for line in data.splitlines() if line.strip())
    if not found:
        raise InputError(f"{file} has no prompts; expected one a line")
    return found


def calibrate(
    model: str | Path = DEFAULT_MODEL,
    *,
    calls: Sequence[int] = (4, 6, 8),
    scale: float | None = None,
    prompts: Sequence[str] = (),
    rows: int | None = None,
    updates: int | None = None,
    teacher: int | None = None,
    loss: str | None = None,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "fastest",
    threads: int | None = None,
    progressed: Progressed = silent,
    stop: Callable[[], bool] = never,
) -> Calibration:
    """Fits a solver for each number of calls, for one model at one guidance scale; those better than their start are
    kept under the user's home, where ``solver="learned"`` finds them.

    The same call goes on where one was stopped or killed, and ends with the same bits.
    Args: calls: of the denoiser, each 2 to 64 and fewer than the teacher's.  scale: guidance; None is the preset's.
        prompts: what is asked for, of a model of text; a class-conditional one takes its labels.
        rows: end points that are learnt from; an eighth as many more are held out.  updates: of each fit.
        teacher: its steps.  loss: of the ends' differences, a name of ``LOSSES``; None is what suits the model.
        seed: of everything that is drawn.   progressed: told (what, done, of how many, a note).
        stop: asked between steps.
    Raises: UsageError (words; a distilled model), InputError, ModelError, NonFiniteError (it diverges), StorageError.
    """
    usual = Settings()
    learnt = usual.learnt if rows is None else rows
    if learnt < usual.batch:
        raise UsageError(f"rows is {learnt}; expected {usual.batch} or more, a batch")
    if updates is not None and updates < 1:
        raise UsageError(f"updates is {updates}; expected 1 or more")
    settings = replace(
        usual,
        learnt=learnt,
        held=usual.held if rows is None else max(16, learnt // 8),
        teacher=usual.teacher if teacher is None else teacher,
        recipe=usual.recipe if updates is None else replace(Recipe(), steps=updates),
        loss=check_loss(loss),
        seed=seed,
    )
    sampling = Sampling(scale=scale, device=device, dtype=dtype, threads=threads)
    asked = Request("", model=model, sampling=sampling)
    return calibrated(model, calls, settings, asked, prompts, progressed, stop)
