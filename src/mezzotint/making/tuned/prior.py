"""What must stay as it is, as pictures: of the product's class, and of other things, made by the base itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mezzotint.making.evaluation import Counted, pictures, unheard
from mezzotint.making.tuned.base import Base
from mezzotint.products.captions import article
from mezzotint.products.colours import NAMES
from mezzotint.tuning.prompts import other_prompts
from mezzotint.tuning.scenes import Scene
from mezzotint.tuning.settings import LARGE
from mezzotint.tuning.words import Subject

MANY = 32
"""Pictures where nobody says, of a small base; a large one would take too long."""

SEED = 2**40
"""Of the first picture: far from the seeds that evidence is made with."""


def prior_prompts(subjects: Sequence[Subject], phrases: str, n: int) -> tuple[str, ...]:
    """n prompts: every other of a subject's class on a background, the rest of other things."""
    kinds = [s.kind for s in subjects]
    other = iter(other_prompts(phrases, kinds, n))
    return tuple(
        f"{article(kinds[k // 2 % len(kinds)])} on {article(NAMES[k // 2 % len(NAMES)])} background"
        if k % 2
        else next(other)
        for k in range(n)
    )


def pictures_for(base: Base, said: int | None) -> int:
    """How many pictures of the prior are made."""
    if said is not None:
        return said
    return MANY if base.numbers < LARGE else 0


def prior_scenes(base: Base, subjects: Sequence[Subject], n: int, work: Path, report: Counted = unheard) -> list[Scene]:
    """n pictures by the base with what it was asked for; kept in ``work``, so that a killed run goes on."""
    if n == 0:
        return []
    text = base.system.text
    prompts = prior_prompts(subjects, "" if text is None else text.phrases, n)
    made = pictures(base.job(prompts, SEED, None), work, report, piece=1).images
    rows = made.permute(0, 2, 3, 1).contiguous().numpy()
    whole = np.full(rows.shape[1:3], 255, np.uint8)
    return [Scene(pixels, whole, prompt) for pixels, prompt in zip(rows, prompts, strict=True)]
