"""The first step of a picture, as receipts have it: how far the prompt moves it, or why nobody can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.making.job import Job
from mezzotint.pretrained.ruled import Ruled
from mezzotint.pretrained.spec import Spec

USUAL, LOGSNR = "first_step_usual", "first_step_logsnr"
"""In the metrics of a model's card: what nearly all of many harmless prompts stay below, and at which level."""

NEAR = 0.05
"""By how much the log-SNR of two first levels may differ for their numbers to be compared."""


def why_silent(job: Job) -> str:
    """Why nothing is heard; "" where guidance compares a prompt with none in the first step."""
    plan, model = job.main.plan, job.main.model
    if job.edit is not None:
        return "begins-from-a-picture"
    if job.canvas is not None:
        return "in-tiles"
    if job.said.negative:
        return "negative-prompt"
    if plan.scale in (0, 1) or "guidance" in model.takes:
        return "guidance-off"
    if "vector" in model.takes or not (plan.guidance is None or isinstance(plan.guidance, Ruled)):
        return "guided-otherwise"
    return ""


def heard_of(job: Job) -> Heard | None:
    """What listens to a job's main stage; None where nothing is heard, and of models that no text is told to."""
    if not is_told(job) or why_silent(job):
        return None
    return Heard(float(job.main.plan.levels[1].logsnr))


def is_told(job: Job) -> bool:
    """Whether the model is told a text."""
    return job.model.system.text is not None or bool(job.model.system.readers)


def said(job: Job, heard: Heard | None, row: int) -> Mapping[str, Any] | None:
    """Of one picture of a batch.

    apart: ``moved``, six digits of it.   usual: what harmless prompts stay below, where the model's card says it for
    this level.   silent: why there is none.   None of models that no text is told to.
    """
    if not is_told(job):
        return None
    if heard is None or heard.apart is None:
        return {"silent": why_silent(job) or "guidance-off"}
    found = {"apart": float(f"{float(heard.apart[row]):.6g}"), "logsnr": round(heard.logsnr, 4)}
    usual = usual_of(job.main.model.spec, heard.logsnr)
    return found if usual is None else {**found, "usual": usual}


def usual_of(spec: Spec, logsnr: float) -> float | None:
    """Of a model's card, where it was measured at this level."""
    metrics = spec.card.metrics
    if USUAL not in metrics or abs(metrics.get(LOGSNR, float("inf")) - logsnr) > NEAR:
        return None
    return float(metrics[USUAL])
