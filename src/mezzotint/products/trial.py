"""The trial of product models: compositions that no model has learnt, judged by what they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mezzotint.errors import ModelError, UsageError
from mezzotint.evaluation.estimate import Estimate, share_of
from mezzotint.evaluation.trial import TRAIN_TIMES, Trial, not_judged
from mezzotint.nets.judge import Judge
from mezzotint.places import places
from mezzotint.pretrained.network import NETWORK_JSON, describe_network, load_network
from mezzotint.products.adherence import ASPECTS, adherence
from mezzotint.products.captions import Facts, plain_caption
from mezzotint.products.learnt import Learnt, pictures_of
from mezzotint.products.source import Photograph, Scenes
from mezzotint.products.vocabulary import vocabulary

JUDGE = "products-judge"
COMMON = 60
"""Photographs to learn from that make a kind a common one; half of all kinds have fewer than 30."""

SYNONYM_EVERY = 4
"""Every so many prompts name the product by another word than its kind's first, where there is one."""


@dataclass(frozen=True, eq=False)
class Judging:
    """A ``Judged``: of the k-th picture, whether it shows the k-th facts.

    by_synonym: which prompts named the product by another word.   common: the kinds that models saw often.
    """

    facts: tuple[Facts, ...]
    by_synonym: tuple[bool, ...]
    judge: Judge
    common: frozenset[str] = frozenset()

    def __call__(self, images: Tensor) -> Mapping[str, Estimate]:
        right = adherence(images, self.facts, self.judge)
        shares = {what: [found[what] for found in right if what in found] for what in ASPECTS}
        kind = [found["kind"] for found in right]
        common = [one.kind in self.common for one in self.facts]
        shares["kind by another word"] = list(compress(kind, self.by_synonym))
        shares["common kind"] = list(compress(kind, common))
        shares["rare kind"] = list(compress(kind, [not often for often in common]))
        return {what: share_of(torch.tensor(holds)) for what, holds in shares.items() if holds}


def judge() -> Judge:
    """The judge that ships, or the user's own.  Raises ModelError where there is none."""
    for _, place in places():
        if (place / JUDGE / NETWORK_JSON).is_file():
            network = load_network(describe_network(place / JUDGE))
            if isinstance(network, Judge):
                return network
            raise ModelError(f"{place / JUDGE} holds no judge; train one with: mezzotint train {JUDGE}")
    raise ModelError(f"no judge of product pictures is installed; train one with: mezzotint train {JUDGE}")


def common_kinds(scenes: Scenes) -> frozenset[str]:
    """Those of which there are ``COMMON`` photographs and more."""
    counts = Counter(picture.kind for picture in scenes.pictures)
    return frozenset(kind for kind, n in counts.items() if n >= COMMON)


def evenly(pictures: Sequence[Photograph], n: int) -> list[Photograph]:
    """n of them, spread over all, in their order.  Raises UsageError where there are fewer."""
    if len(pictures) < n:
        raise UsageError(f"the trial has {len(pictures)} held-out photographs; expected at most that many with -n")
    return [pictures[int(i)] for i in np.linspace(0, len(pictures) - 1, n).round()]


def held_out(scenes: Scenes, n: int) -> list[Photograph]:
    """Half of them painted in a colour that their kind is never learnt in, half on a background so."""
    painted = [p for p in scenes.pictures if p.painted]
    half = min(n // 2, len(painted))
    return [*evenly(painted, half), *evenly([p for p in scenes.pictures if not p.painted], n - half)]


def prompt_of(facts: Facts, k: int) -> tuple[str, bool]:
    """(prompt, whether it names the product by another word than the first of its kind)."""
    words = vocabulary().words[facts.kind]
    if k % SYNONYM_EVERY or len(words) < 2:
        return plain_caption(facts), False
    other = words[1 + (k // SYNONYM_EVERY) % (len(words) - 1)]
    return plain_caption(replace(facts, kind=other)), True


def trial(folder: Path, n: int, size: int, *, judged: bool) -> Trial:
    """n held-out compositions of the photographs in ``folder``, as pictures of ``size`` px; copies are looked for among
    every photograph that is learnt from.

    judged: whether what they show will be asked.  Raises ModelError where it will be and there is no judge.
    """
    train, held = Scenes(folder, size), Scenes(folder, size, "compositions", shards=1)
    chosen = held_out(held, n)
    facts = tuple(held.facts(p, 0) for p in chosen)
    prompts, synonyms = zip(*(prompt_of(f, k) for k, f in enumerate(facts)), strict=True)
    seen = evenly(train.pictures, min(TRAIN_TIMES * n, len(train.pictures)))
    judging = Judging(facts, synonyms, judge(), common_kinds(train)) if judged else not_judged
    reference, some = pictures_of(held, chosen), pictures_of(train, seen)
    return Trial("product compositions", prompts, reference, some, judging, Learnt(train))
