r"""Candidates: of several trajectories of one picture the one is kept that shows best what its prompt names.

Ramesh et al., 2021, Zero-Shot Text-to-Image Generation, section 2.6 (samples ranked by another network).  Here that
network reads latents, so that what is not kept is never decoded.  The score of a latent z is
:math:`\ln p(kind | z) + VIEW \ln p(view | z) + COLOUR \ln p(colour | z)` of what the prompt names; of
a prompt that names no kind the first candidate is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.diffusion.philox import MAX_SEED
from mezzotint.diffusion.sample import State
from mezzotint.errors import UsageError
from mezzotint.making.job import Job, Planned, Wanted
from mezzotint.nets.build import freeze
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from mezzotint.products.asked import Asked

MOST = 64
APART = 1 << 40
"""Between the seeds of a picture's candidates: beyond those of a run, and of its second tries (``making.again``)."""

VIEW, COLOUR = 0.5, 0.5


def check_candidates(system: System, n: int) -> None:
    """Raises UsageError for a number out of range, or a model that has nothing to choose by."""
    if not 1 <= n <= MOST:
        raise UsageError(f"candidates is {n}; expected 1 to {MOST}")
    if system.ranker is None:
        raise UsageError(f"{system.name} has no ranker to choose among candidates; leave out --candidates")


def unranked(job: Job) -> tuple[str, ...]:
    """A note of prompts for which there is nothing to choose by."""
    from mezzotint.products.asked import asked

    unnamed = dict.fromkeys(p.prompt for p in job.pictures if asked(p.told.read[0]).kind is None)
    if not unnamed:
        return ()
    said = ", ".join(repr(prompt[:60]) for prompt in list(unnamed)[:4])
    return (f"no kind of product that the ranker knows is named, so the first candidate is kept: {said}",)


def seeds_of(seeds: Sequence[int], candidate: int) -> tuple[int, ...]:
    """The seeds of the k-th candidate of some pictures; those of the first are their own."""
    return tuple((seed + candidate * APART) % (MAX_SEED + 1) for seed in seeds)


Walk = Callable[[tuple[int, ...]], Iterator[State]]
"""Seeds -> the steps of their trajectories."""


@dataclass
class Contest:
    """The candidates of one batch, one after the other, and what is kept of each row so far.

    ranker: None where there is one candidate.   asks: what each row's prompt names.   heard: listens to guidance; what
    it heard of a kept row is kept too.
    """

    candidates: int = 1
    ranker: nn.Module | None = None
    asks: Sequence[Asked] = ()
    heard: Heard | None = None
    _x: Tensor | None = field(default=None, init=False)
    _apart: Tensor | None = field(default=None, init=False)
    _scores: Tensor | None = field(default=None, init=False)

    def of(self, walk: Walk, seeds: tuple[int, ...]) -> Iterator[State]:
        """Every step of every candidate; after the last one ``best`` is what is kept."""
        for candidate in range(self.candidates):
            if self.heard is not None:
                self.heard.begin()
            for state in walk(seeds_of(seeds, candidate)):
                yield state
            self._keep(state.x)

    @property
    def best(self) -> Tensor:
        """The kept state of each row, (B, *)."""
        assert self._x is not None
        return self._x

    def _keep(self, x: Tensor) -> None:
        if self.ranker is None:
            self._x = x
            return
        scores, apart = self._score(x), None if self.heard is None else self.heard.apart
        if self._x is not None and self._scores is not None:
            better = scores > self._scores
            x = torch.where(better[:, None, None, None], x, self._x)
            scores = torch.where(better, scores, self._scores)
            if apart is not None and self._apart is not None:
                apart = torch.where(better.to(apart.device), apart, self._apart)
        self._x, self._scores, self._apart = x, scores, apart
        if self.heard is not None:
            self.heard.apart = apart

    def _score(self, x: Tensor) -> Tensor:
        """(B,); of numbers that are none, and of a row that names no kind, lower than any."""
        assert self.ranker is not None
        with torch.inference_mode():
            answers = [logits.log_softmax(-1) for logits in self.ranker(x.float())]
        rows = [-torch.inf if one.kind is None else _score(one, i, answers) for i, one in enumerate(self.asks)]
        return torch.tensor(rows, device=x.device).nan_to_num(-torch.inf)


def _score(one: Asked, row: int, answers: Sequence[Tensor]) -> float:
    """answers: the log-probabilities of kinds, views and colours, (B, ·) each."""
    named = zip((1.0, VIEW, COLOUR), answers, (one.kind, one.view, one.colour), strict=True)
    return sum(weight * float(logs[row, k]) for weight, logs, k in named if k is not None)


def contest_of(job: Job, stage: Planned, pictures: Sequence[Wanted], heard: Heard | None) -> Contest:
    """The contest of a batch in a stage: of several candidates in the main one alone, where ``heard`` listens."""
    part, n = job.model.system.ranker, stage.plan.candidates
    listening = heard if stage is job.main else None
    if part is None or n == 1:
        return Contest(heard=listening)
    from mezzotint.products.asked import asked

    asks = [asked(picture.told.read[0]) for picture in pictures]
    return Contest(n, _ranker(part.folder, part.weights_sha256, job.device), asks, listening)


def rankers(job: Job) -> tuple[nn.Module, ...]:
    """The network that chooses; none where there is one candidate."""
    part = job.model.system.ranker
    if part is None or job.main.plan.candidates == 1:
        return ()
    return (_ranker(part.folder, part.weights_sha256, job.device),)


@lru_cache(maxsize=2)
def _ranker(folder: Path, digest: str, device: str) -> nn.Module:
    """A folder's network, for as long as its weights are the same."""
    return freeze(load_network(describe_network(folder)), torch.float32).to(device)
