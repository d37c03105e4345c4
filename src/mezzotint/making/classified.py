"""``--classifier-scale``: every estimate of a picture goes towards what its prompt names, by the model's own ranker."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.guidance import EstimateGuided
from mezzotint.errors import UsageError
from mezzotint.making.ranker import asks_of, ranker_of
from mezzotint.pretrained.plan import preset

if TYPE_CHECKING:
    from mezzotint.making.edit import Edit
    from mezzotint.making.job import Job, Planned, Wanted
    from mezzotint.making.request import Sampling
    from mezzotint.pretrained.spec import Spec
    from mezzotint.pretrained.system import System


def classifier_scale(system: System, spec: Spec, said: Sampling, edit: Edit | None) -> float:
    """The scale that is said, else as the preset has, of models that have a ranker, with nothing put on them and no
    word taught, and where no picture is given to begin from; 0 is off.

    edit: that picture.   Raises UsageError for a scale out of range, or a model without a ranker.
    """
    if said.classifier_scale is None:
        own = not (system.adapters or system.attached or system.embeddings)
        plain = system.ranker is not None and edit is None and own
        return preset(spec, said.quality).classifier_scale if plain else 0.0
    if not 0 <= said.classifier_scale < math.inf:
        raise UsageError(f"classifier scale is {said.classifier_scale:g}; expected 0, which is off, or more")
    if said.classifier_scale and system.ranker is None:
        raise UsageError(f"{system.name} has no ranker to guide by; leave out --classifier-scale")
    return float(said.classifier_scale)


def classified(job: Job, planned: Planned, denoiser: Denoiser) -> Denoiser:
    """A stage's denoiser, guided by the ranker where the plan has it so."""
    scale = planned.plan.classifier_scale
    if scale == 0:
        return denoiser
    from mezzotint.products.asked import ASPECTS

    return EstimateGuided(denoiser, _log_prob(ranker_of(job)), ASPECTS, scale)


def _log_prob(ranker: nn.Module) -> Callable[[Tensor, Cond], Tensor]:
    from mezzotint.products.asked import log_prob

    return lambda x0, asks: log_prob(ranker(x0.float()), asks)


def asks(job: Job, pictures: Sequence[Wanted]) -> dict[str, Tensor]:
    """What the ranker is told of some pictures, (B,) each, beside what the network is told; {} where it guides none."""
    if job.main.plan.classifier_scale == 0:
        return {}
    from mezzotint.products.asked import Asked, numbers

    found = [one if one.kind is not None else Asked() for one in asks_of(pictures)]
    return {name: value.to(job.device) for name, value in numbers(found).items()}


def names(planned: Planned) -> tuple[str, ...]:
    """Of what a stage's denoiser is told beside what its network takes."""
    if planned.plan.classifier_scale == 0:
        return ()
    from mezzotint.products.asked import ASPECTS

    return ASPECTS
