"""Candidates: of several drafts of one picture the one is made that shows best what its prompt names.

Ramesh et al., 2021, Zero-Shot Text-to-Image Generation, section 2.6 (samples ranked by another network).  Here that
network reads latents, so that no draft is decoded, and drafts are drawn in few steps: from the same noise the full
steps make the same picture, finer.  A draft's score is ``products.asked.log_prob`` of kind, view and colour that the
prompt names; of a prompt that names no kind the first candidate is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mezzotint.diffusion.philox import MAX_SEED
from mezzotint.diffusion.sample import State
from mezzotint.errors import UsageError
from mezzotint.making.guidance import shipped_for
from mezzotint.making.job import Job, Wanted
from mezzotint.making.ranker import asks_of, ranker_of
from mezzotint.making.request import MOST_CANDIDATES, Sampling
from mezzotint.pretrained.distilled import Distilled
from mezzotint.pretrained.plan import Plan, preset
from mezzotint.pretrained.plan import plan as draft_plan
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from mezzotint.conditioning.prompts import Prompts
    from mezzotint.making.edit import Edit
    from mezzotint.products.asked import Asked

APART = 1 << 40
"""Between the seeds of a picture's candidates: beyond those of a run, and of its second tries (``making.again``)."""


def check_candidates(system: System, n: int) -> None:
    """Raises UsageError for a number out of range, or a model that has nothing to choose by."""
    if not 1 <= n <= MOST_CANDIDATES:
        raise UsageError(f"candidates is {n}; expected 1 to {MOST_CANDIDATES}")
    if system.ranker is None:
        raise UsageError(f"{system.name} has no ranker to choose among candidates; leave out --candidates")


def seeds_of(seeds: Sequence[int], candidate: int) -> tuple[int, ...]:
    """The seeds of the k-th candidate of some pictures; those of the first are their own."""
    return tuple((seed + candidate * APART) % (MAX_SEED + 1) for seed in seeds)


def competing(plan: Plan, system: System, spec: Spec, said: Sampling, prompts: Prompts, edit: Edit | None) -> Plan:
    """The plan of the main stage with candidates: as many as are said, else as the preset has, of models that have a
    ranker and where no picture is given to begin from.

    Drafts are drawn by the preset ``draft``, by the plan itself where that has no more steps, or a picture is given.
    edit: that picture.  Raises as ``check_candidates``, and ModelError for damaged guidance that came with the model.
    """
    if said.candidates is None:
        n = 1 if system.ranker is None or edit is not None else preset(spec, said.quality).candidates
    else:
        n = said.candidates
    if n == 1:
        return plan
    check_candidates(system, n)
    quick = draft_plan(spec, quality="draft")
    own = edit is not None or quick.steps >= plan.steps
    led = None if own or prompts.negative else _led(plan, quick, system, spec)
    return replace(
        plan, candidates=n, draft=plan if own else replace(quick, guidance=led, classifier_scale=plan.classifier_scale)
    )


def _led(plan: Plan, draft: Plan, system: System, spec: Spec) -> Distilled | None:
    """By what a draft is guided in one call, for it is only looked at: what the picture is guided by, else what came
    with the model, where that holds at the draft's scale."""
    if draft.scale == 1:
        return None
    by = plan.guidance
    if isinstance(by, Distilled) and by.about.interval is None and by.about.holds(draft.scale):
        return by
    return shipped_for(system, spec, draft.scale)


def drafted(job: Job) -> Job | None:
    """The job of its drafts; None where there are none."""
    main, draft = job.model.system.main, job.main.plan.draft
    if draft is None:
        return None
    return replace(job, stages=(*job.stages[:main], replace(job.main, plan=draft), *job.stages[main + 1 :]))


Walk = Callable[[tuple[int, ...]], Iterator[State]]
"""Seeds, as many as a batch has rows or a multiple of that -> the steps of their trajectories."""


@dataclass
class Contest:
    """The drafts of one batch, one after the other, and the seeds of each row's best so far.

    asks: what each row's prompt names.   abreast: how many drafts are drawn at once.
    """

    ranker: nn.Module
    asks: Sequence[Asked]
    candidates: int
    seeds: tuple[int, ...]
    abreast: int = 1
    _scores: Tensor | None = field(default=None, init=False)

    def of(self, walk: Walk) -> Iterator[State]:
        """Every step of every draft, of several at once; after the last one ``seeds`` are those of the best."""
        drawn = [seeds_of(self.seeds, candidate) for candidate in range(self.candidates)]
        for i in range(0, self.candidates, self.abreast):
            some = drawn[i : i + self.abreast]
            for state in walk(sum(some, ())):
                yield state
            for seeds, x in zip(some, torch.split(state.x, len(self.asks)), strict=True):
                self._keep(seeds, self._score(x))

    def _keep(self, seeds: tuple[int, ...], scores: Tensor) -> None:
        if self._scores is not None:
            better = scores > self._scores
            scores = torch.where(better, scores, self._scores)
            rows = zip(better.tolist(), seeds, self.seeds, strict=True)
            seeds = tuple(new if is_better else old for is_better, new, old in rows)
        self._scores, self.seeds = scores, seeds

    def _score(self, x: Tensor) -> Tensor:
        """(B,); of numbers that are none, and of a row that names no kind, lower than any."""
        from mezzotint.products.asked import UNNAMED, log_prob, numbers

        asks = {name: value.to(x.device) for name, value in numbers(self.asks).items()}
        with torch.inference_mode():
            scores = log_prob(self.ranker(x.float()), asks)
        return torch.where(asks["kind"] == UNNAMED, -torch.inf, scores).nan_to_num(-torch.inf)


def contest_of(job: Job, pictures: Sequence[Wanted]) -> Contest:
    """The contest of a batch, of a job that has drafts."""
    seeds = tuple(picture.seed for picture in pictures)
    return Contest(ranker_of(job), asks_of(pictures), job.main.plan.candidates, seeds, job.abreast)
