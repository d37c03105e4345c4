"""``mz.distill``: the words of the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mezzotint.config import DEFAULT_MODEL
from mezzotint.making.calibrated.calibrate import Progressed, silent
from mezzotint.making.calibrated.losses import check_loss
from mezzotint.making.distilled.distill import Distillation, distilled
from mezzotint.making.distilled.settings import Settings, checked
from mezzotint.making.request import Request, Sampling
from mezzotint.training.run import Watch


def distill(
    model: str | Path = DEFAULT_MODEL,
    *,
    out: str | Path,
    calls: int = 2,
    by: str = "trajectory",
    form: str = "weights",
    data: str | Path | None = None,
    prompts: Sequence[str] = (),
    scale: float | None = None,
    updates: int | None = None,
    batch: int | None = None,
    rate: float | None = None,
    rows: int | None = None,
    teacher: int | None = None,
    rank: int | None = None,
    last: float | None = None,
    loss: str | None = None,
    q: float | None = None,
    snapshot: int | None = None,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    dtype: str = "fastest",
    threads: int | None = None,
    watch: Watch | None = None,
    progressed: Progressed = silent,
) -> Distillation:
    """Makes a model that needs few calls of one that needs many, in a folder; kept where it is better than its start.

    by "trajectory": it follows the teacher's walks, without data (SFD); by "consistency": its answers are made alike
    along a trajectory, on pictures of ``data`` (ECT).  form "weights" writes a model folder, "adapter" a LoRA file that
    is put on the base, beside others.  A run that was stopped or killed goes on with ``resume`` to the same bits.

    Args: calls: of the denoiser, 1 to 8.  prompts: what is asked for, of a model of text.  scale: guidance that is
        learnt into the weights (trajectory); None is the preset's.  updates, batch, rate: of the run.  rows: of walks.
        teacher: its steps.  rank: of an adapter.  last: sigma/alpha of the last call.  loss: of a trajectory's ends.
        q: consistency's levels are 1/q apart.  snapshot: updates between averages that are kept.
        watch: told of each update, and asked whether to stop.  progressed: told of the teacher's walks.
    Raises: UsageError (words; a distilled model), InputError, ModelError, NonFiniteError (it diverges), StorageError.
    """
    usual = Settings()
    said = Settings(
        calls=calls,
        by=by,
        form=form,
        updates=usual.updates if updates is None else updates,
        batch=usual.batch if batch is None else batch,
        rate=rate,
        rows=usual.rows if rows is None else rows,
        teacher=usual.teacher if teacher is None else teacher,
        rank=usual.rank if rank is None else rank,
        last=last,
        loss=check_loss(loss),
        q=usual.q if q is None else q,
        snapshot=usual.snapshot if snapshot is None else snapshot,
        seed=seed,
    )
    settings = checked(said, data is not None, scale)
    sampling = Sampling(scale=scale, device=device, dtype=dtype, threads=threads)
    asked = Request("", model=model, sampling=sampling)
    start: Literal["new", "resume"] = "resume" if resume else "new"
    place = None if data is None else Path(data)
    return distilled(model, settings, asked, Path(out), start, place, prompts, watch, progressed)
