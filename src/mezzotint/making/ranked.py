r"""Candidates: of several drafts of one picture the one is made that shows best what its prompt names.

Ramesh et al., 2021, Zero-Shot Text-to-Image Generation, section 2.6 (samples ranked by another network).  Here that
network reads latents, so that no draft is decoded, and drafts are drawn in few steps: from the same noise the full
steps make the same picture, finer.  The score of a latent z is
:math:`\sum_a w_a \ln p(a | z)` of kind, view and colour that the prompt names (``asked.WEIGHTS``); of a prompt that
names no kind the first candidate is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mezzotint.diffusion.philox import MAX_SEED
from mezzotint.diffusion.sample import State
from mezzotint.errors import UsageError
from mezzotint.making.guidance import shipped_for
from mezzotint.making.job import Job, Wanted
from mezzotint.making.request import MOST_CANDIDATES, Sampling
from mezzotint.nets.build import freeze
from mezzotint.pretrained.distilled import Distilled
from mezzotint.pretrained.network import describe_network, load_network
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


def worth_drafting(job: Job) -> Job:
    """The job without drafts where no prompt names anything to choose by; with a note of those that name nothing."""
    from mezzotint.products.asked import asked

    unnamed = dict.fromkeys(p.prompt for p in job.pictures if asked(p.told.read[0]).kind is None)
    if not unnamed:
        return job
    none = len(unnamed) == len(job.prompts)
    said = ", ".join(repr(prompt[:60]) for prompt in list(unnamed)[:4])
    so = "there are no candidates" if none else "the first candidate is made"
    noted = replace(job, remarks=(*job.remarks, f"no kind of product that the ranker knows is named, so {so}: {said}"))
    return _undrafted(noted) if none else noted


def _undrafted(job: Job) -> Job:
    alone = replace(job.main, plan=replace(job.main.plan, candidates=1, draft=None))
    return replace(job, stages=tuple(alone if stage is job.main else stage for stage in job.stages))


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
    return replace(plan, candidates=n, draft=plan if own else replace(quick, guidance=led))


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
        with torch.inference_mode():
            answers = [logits.log_softmax(-1) for logits in self.ranker(x.float())]
        rows = [-torch.inf if one.kind is None else _score(one, i, answers) for i, one in enumerate(self.asks)]
        return torch.tensor(rows, device=x.device).nan_to_num(-torch.inf)


def _score(one: Asked, row: int, answers: Sequence[Tensor]) -> float:
    """answers: the log-probabilities of kinds, views and colours, (B, ·) each."""
    from mezzotint.products.asked import ASPECTS, WEIGHTS

    weights = [WEIGHTS[aspect] for aspect in ASPECTS]
    named = zip(weights, answers, (one.kind, one.view, one.colour), strict=True)
    return sum(weight * float(logs[row, k]) for weight, logs, k in named if k is not None)


def contest_of(job: Job, pictures: Sequence[Wanted]) -> Contest:
    """The contest of a batch, of a job that has drafts."""
    from mezzotint.products.asked import asked

    (ranker,) = rankers(job)
    asks = [asked(picture.told.read[0]) for picture in pictures]
    return Contest(ranker, asks, job.main.plan.candidates, tuple(p.seed for p in pictures), job.abreast)


def rankers(job: Job) -> tuple[nn.Module, ...]:
    """The network that chooses; none where there is one candidate."""
    part = job.model.system.ranker
    if part is None or job.main.plan.draft is None:
        return ()
    return (_ranker(part.folder, part.weights_sha256, job.device),)


@lru_cache(maxsize=2)
def _ranker(folder: Path, digest: str, device: str) -> nn.Module:
    """A folder's network, for as long as its weights are the same."""
    return freeze(load_network(describe_network(folder)), torch.float32).to(device)
