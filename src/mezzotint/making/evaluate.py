"""``evaluate``: what a model's pictures are worth; the words are those of the command."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mezzotint.errors import UsageError
from mezzotint.evaluation.features import DEFAULT_SIZE, extractor
from mezzotint.evaluation.inception import inception
from mezzotint.evaluation.measure import METRICS, check
from mezzotint.evaluation.report import COPIES_AMONG
from mezzotint.evaluation.trial import Trial
from mezzotint.making.evaluated import Evaluated, evaluated, leaving
from mezzotint.making.evaluation import Counted, Made, assets_sha256, put_to, unheard
from mezzotint.making.image import Image, image_of
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.released import output_gate
from mezzotint.making.request import Request, Sampling
from mezzotint.making.trials import trial_for
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system


def evaluate(
    model: str | Path,
    *,
    data: Path | None = None,
    n: int = 1500,
    metrics: str = "all",
    features: int | Path = 2 * DEFAULT_SIZE,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
    candidates: int | None = None,
    classifier_scale: float | None = None,
    guidance_interval: str | None = None,
    guidance: str | None = None,
    cache: float | None = None,
    work: Path | None = None,
    done: Evaluated | None = None,
    report: Counted = unheard,
) -> Evaluated:
    """Measures a model against held-out real pictures.

    Args: model: a name or a folder.  data: a folder of ``mezzotint render`` for a model of products, else a data set
            that ``mezzotint train`` reads.  n: pictures to make, and to hold them against.
        metrics: "all", or some of frechet, kernel, fidelity, copies, adherence with commas between.
        features: input side of EfficientNet-Lite0, a multiple of 32 from 32 to 224; or the safetensors file of your
            Inception-v3, with which the distances are FID and KID.
        seed … cache: as ``generate``'s; a batch is 16 rows where None.
        work: a folder that keeps pictures while they are made, so that the same call goes on; they have passed no gate,
            and are the caller's to delete.  None keeps nothing.
        done: an evaluation that is there (``evaluated.there``), given back where it is this one.
        report: told (pictures made, of how many).
    Returns: the report of all pictures, and some of them, those that pass the output gate, beside real ones.
    Raises: UsageError (words; too few pictures for a metric; ``done`` is of other words), InputError (data, model),
        ModelError; as ``output_gate``, before a picture is made.
    """
    chosen = METRICS if metrics == "all" else tuple(m.strip() for m in metrics.split(",") if m.strip())
    extract = inception(features) if isinstance(features, Path) else extractor(features)
    system = describe_system(find(str(model)))
    check(chosen, n, extract)  # before real pictures are read, which takes minutes
    trial = trial_for(system, data, n, chosen)
    sampling = Sampling(
        quality, steps, scale, solver, grid, device, dtype, threads,
        candidates=candidates, classifier_scale=classifier_scale,
    )  # fmt: skip
    asked = Request(
        trial.prompts, model=model, seed=seed, batch=batch, sampling=sampling,
        guidance_interval=guidance_interval, guidance=guidance, cache=cache,
    )  # fmt: skip
    job, gate = prepare(asked), output_gate()
    said: dict[str, Any] = {
        "metrics": metrics, "features": str(features), "quality": quality, "steps": steps, "scale": scale,
        "solver": solver, "grid": grid, "candidates": candidates, "classifier_scale": classifier_scale,
        "guidance_interval": guidance_interval, "guidance": guidance, "cache": cache, "dtype": dtype,
    }  # fmt: skip
    words = {name: value for name, value in said.items() if value is not None}
    if done is not None:
        return _same(done, job, trial, words, trial.copies_among if "copies" in chosen else None)
    with tempfile.TemporaryDirectory() as scratch:
        found, made = put_to(job, trial, extract, work or Path(scratch), chosen, report=report)
    found = replace(found, about={**found.about, "words": words})
    return evaluated(found, made.images, trial, leaving(gate, partial(_image, job, made)))


def _image(job: Job, made: Made, row: int, pixels: Pixels) -> Image:
    """One of the pictures of an evaluation, as ``generate`` has it when it is sampled."""
    return image_of(job.made(job.pictures[row]), pixels, made.seconds, job.heeded, first=made.firsts[row])


def _same(
    done: Evaluated, job: Job, trial: Trial, words: dict[str, Any], copies_among: dict[str, int] | None
) -> Evaluated:
    """An evaluation that is there.   Raises UsageError where it is not of these pictures, measured so.

    copies_among: as a trial has it; None where copies are not measured.
    """
    had = done.report
    earlier = UsageError(f"the evaluation of {had.model} that is there is of an earlier version; choose another --out")
    if "assets_sha256" not in had.about:
        raise earlier
    before = {"n": had.n, "seed": had.about.get("seed"), **had.about.get("words", {})}
    now = {"n": len(job.pictures), "seed": job.pictures[0].seed, **words}
    other = next((name for name in {**before, **now} if before.get(name) != now.get(name)), None)
    if other is not None:
        was, asked = ("the preset's" if one is None else one for one in (before.get(other), now.get(other)))
        said = f"{other.replace('_', '-')} {was}, not {asked}"
    elif had.reference_sha256 != trial.sha256:
        said = "other real pictures"
    elif had.about["assets_sha256"] != assets_sha256(job):
        said = "pictures of other weights, adapters or settings"
    elif copies_among is not None and had.about.get(COPIES_AMONG) != copies_among:
        raise earlier
    else:
        return done
    raise UsageError(f"the evaluation of {had.model} that is there has {said}; choose another --out")
