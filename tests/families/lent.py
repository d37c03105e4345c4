"""diffusers' schedulers in pipelines that were written for one of them alone."""

from __future__ import annotations

import inspect
from typing import Any

import diffusers
import torch
from diffusers.schedulers.scheduling_utils import SchedulerOutput

COSINE = {"beta_schedule": "squaredcos_cap_v2"}
CLIPS = ("DDIMScheduler", "DDPMScheduler")
CASCADED = (*CLIPS, "DPMSolverMultistepScheduler", "UniPCMultistepScheduler")
"""Those that run where what the network sees is never scaled, and that can keep estimates in bounds."""


def bounded(name: str, most: float, **said: Any) -> Any:
    """A scheduler of the cosine table that keeps estimates within ±most, by whichever of its two flags it has."""
    fixed = {"clip_sample": True, "clip_sample_range": most}
    scaled = {"thresholding": True, "sample_max_value": most}
    return getattr(diffusers, name)(**COSINE, **(fixed if name in CLIPS else scaled), **said)


def of_prior(name: str, most: float, **said: Any) -> Any:
    """The same of embeddings: free where a class has thresholding alone, which in diffusers fails on vectors."""
    said = {"prediction_type": "sample", **said}
    return bounded(name, most, **said) if name in CLIPS else getattr(diffusers, name)(**COSINE, **said)


class Lent:
    """A scheduler as a pipeline calls another: what its methods do not take is dropped, the arithmetic is its own.

    last: what its latest step gave; some pipelines keep that to themselves.
    DDIM is told to step from the bounded estimate, as all others do and as every solver does here.
    """

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        if not hasattr(scheduler.config, "variance_type"):  # DeepFloyd IF's loop asks, whatever the class
            scheduler.register_to_config(variance_type=None)
        self.last = torch.empty(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scheduler, name)

    def set_timesteps(self, steps: int | None = None, device: Any = None, sigmas: Any = None, **words: Any) -> None:
        """sigmas: of a flow's pipeline; the scheduler places as many of its own."""
        many = len(sigmas) if steps is None else steps
        self.scheduler.set_timesteps(many, device=device, **_taken(self.scheduler.set_timesteps, words))

    def step(self, answer: torch.Tensor, timestep: Any, sample: torch.Tensor, **words: Any) -> Any:
        learned = self.config.variance_type == "learned_range"
        predicted = answer if learned else answer[:, : sample.shape[1]]
        taken = _taken(self.scheduler.step, {**words, "use_clipped_model_output": True, "return_dict": False})
        self.last = self.scheduler.step(predicted, timestep, sample, **taken)[0]
        whole = words.get("return_dict", True)
        # a consistency model's loop also asks for the estimate of x0, which a last step to no noise gives
        return SchedulerOutput(prev_sample=self.last) if whole else (self.last, self.last)


def _taken(method: Any, words: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if name in inspect.signature(method).parameters}
