"""``tune`` as a function; the words are those of the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mezzotint.files import make_folder
from mezzotint.making.tuned.cleared import unless_empty
from mezzotint.making.tuned.halt import Pictured, unseen
from mezzotint.making.tuned.tune import RUN, Tuned, tuned
from mezzotint.making.tuned.wish import Wish, subjects_of
from mezzotint.pretrained.device import use_threads
from mezzotint.training.first import began_with
from mezzotint.training.run import Watch
from mezzotint.tuning.settings import Method, Settings


def tune(
    photos: str | Path,
    *,
    name: str,
    kind: str | None = None,
    also: Sequence[str] = (),
    model: str | Path,
    judge_by: str | Path | None = None,
    photo_licence: str = "",
    method: str = "lora",
    rank: int = 16,
    alpha: float | None = None,
    lora_plus: float = 1.0,
    targets: str | None = None,
    rank_at_noise: int | None = None,
    text_encoder: float = 0.0,
    vectors: int = 1,
    initial: str = "",
    steps: int | None = None,
    batch: int = Settings.batch,
    rate: float | None = None,
    share: float = Settings.share,
    prior: float = Settings.prior,
    outside: float = Settings.outside,
    moments: int = Settings.moments,
    prior_pictures: int | None = None,
    n: int = Wish.n,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "fastest",
    threads: int | None = None,
    gradient_checkpointing: bool = False,
    size: str | None = None,
    use: str | None = None,
    licence_mode: str | None = None,
    resume: bool = False,
    out: str | Path,
    watch: Watch | None = None,
    pictured: Pictured = unseen,
) -> Tuned:
    """Learns a product from a folder of photographs, judges what was learnt, and writes adapter and report to ``out``.

    Args: name: what prompts will call it.  kind: what it is one of; None is the last word of the name.
        also: further subjects, "FOLDER=NAME" or "FOLDER=NAME:CLASS" each.  model: the base, by name or path.
        judge_by … photo_licence, prior_pictures, n, device, dtype, gradient_checkpointing, size, use, licence_mode: see
            ``making.tuned.wish.Wish``.
        method … initial: see ``tuning.settings.Method``; lora_plus is its ``faster``, text_encoder its ``text``.
        steps … moments, seed: see ``tuning.settings.Settings``.  threads: processor threads; None leaves them.
        steps None: of a run that is gone on with its own, else the usual ones.
        resume: go on with the run in ``out``.  out: a folder without an adapter.
        watch: told of every step, and asked whether to stop; None neither.
        pictured: told (what for, pictures made, of how many) while the base makes pictures to stay as it is, and while
        what was learnt is judged.
    Returns: the adapter's path and the evidence, both None where ``watch.stop`` ended it early: resumable.
    Raises: UsageError (words; a model that takes no adapters or no text), InputError (photographs, model), ModelError,
        NonFiniteError, StorageError, LicenceDeniedError, LicenceUnknownError, LicenceConditionError (declared use).
    """
    use_threads(threads)
    how = Method(method, rank, alpha, lora_plus, targets, rank_at_noise, text_encoder, vectors, initial)
    wish = Wish(
        photos=subjects_of(Path(photos), name, kind, tuple(also)),
        model=model,
        settings=Settings(how, _steps(steps, Path(out), resume), batch, rate, share, prior, outside, moments, seed),
        judge_by=None if judge_by is None else Path(judge_by),
        n=n,
        prior_pictures=prior_pictures,
        photo_licence=photo_licence,
        device=device,
        dtype=dtype,
        gradient_checkpointing=gradient_checkpointing,
        size=size,
        use=use,
        licence_mode=licence_mode,
    )
    folder, made = Path(out), not Path(out).exists()
    with unless_empty(folder, made):
        return tuned(wish, make_folder(folder), "resume" if resume else "new", watch or Watch(), pictured)


def _steps(said: int | None, out: Path, resume: bool) -> int:
    """How many updates are made in all.   Raises InputError as ``began_with``."""
    begun = began_with(out / RUN).steps if resume and said is None else said
    return Settings.steps if begun is None else begun
