"""The network of a model's own that reads latents: it chooses among drafts (``ranked``) and guides (``classified``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from mezzotint.making.job import Job, Wanted
from mezzotint.nets.build import freeze
from mezzotint.pretrained.network import describe_network, load_network

if TYPE_CHECKING:
    from mezzotint.products.asked import Asked


def worth_asking(job: Job) -> Job:
    """The job without drafts and without the ranker's guidance where no prompt names a product; with a note of the
    prompts that name none."""
    asks = zip(job.pictures, asks_of(job.pictures), strict=True)
    unnamed = dict.fromkeys(picture.prompt for picture, one in asks if one.kind is None)
    if not unnamed:
        return job
    none = len(unnamed) == len(job.prompts)
    said = ", ".join(repr(prompt[:60]) for prompt in list(unnamed)[:4])
    so = "it is not asked" if none else "it is not asked of them"
    noted = replace(job, remarks=(*job.remarks, f"no kind of product that the ranker knows is named, so {so}: {said}"))
    return _unasked(noted) if none else noted


def _unasked(job: Job) -> Job:
    alone = replace(job.main, plan=replace(job.main.plan, candidates=1, draft=None, classifier_scale=0.0))
    return replace(job, stages=tuple(alone if stage is job.main else stage for stage in job.stages))


def asks_of(pictures: Sequence[Wanted]) -> tuple[Asked, ...]:
    """What each picture's prompt names."""
    from mezzotint.products.asked import asked

    return tuple(asked(picture.told.read[0]) for picture in pictures)


def rankers(job: Job) -> tuple[nn.Module, ...]:
    """The network; none where it neither chooses nor guides."""
    plan = job.main.plan
    return () if plan.draft is None and plan.classifier_scale == 0 else (ranker_of(job),)


def ranker_of(job: Job) -> nn.Module:
    """The network of a job whose model has one."""
    part = job.model.system.ranker
    assert part is not None
    return _ranker(part.folder, part.weights_sha256, job.device)


@lru_cache(maxsize=2)
def _ranker(folder: Path, digest: str, device: str) -> nn.Module:
    """A folder's network, for as long as its weights are the same."""
    with torch.inference_mode(False):  # gradients go back through it
        return freeze(load_network(describe_network(folder)), torch.float32).to(device)
