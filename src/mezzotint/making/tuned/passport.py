"""The passport of an adapter that was tuned."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch

from mezzotint import __version__
from mezzotint.costs.meter import Used, cost_of
from mezzotint.costs.prices import declared
from mezzotint.files import sha256
from mezzotint.making.tuned.base import Base
from mezzotint.making.tuned.shoots import Shoots
from mezzotint.making.tuned.wish import Wish
from mezzotint.pretrained.device import device_for
from mezzotint.pretrained.passport import Passport, Photos, base_of
from mezzotint.tuning.report import Found
from mezzotint.tuning.settings import INVERSION

RANKLESS = ("full", INVERSION)
"""Methods without a rank."""


def passport(wish: Wish, base: Base, photos: Shoots, found: Found, made: int) -> Passport:
    """What is known of what was kept.   made: updates, fewer than were wished for where the run ended early."""
    step = found.choice.step
    said, method = wish.settings, wish.settings.method
    ranked = method.name not in RANKLESS
    return Passport(
        title=wish.title,
        base=base_of(base.system),
        method=method.name,
        rank=method.rank if ranked else None,
        alpha=method.alpha,
        rank_at_noise=method.least,
        triggers=tuple(s.name for s in wish.subjects),
        kind=", ".join(dict.fromkeys(s.kind for s in wish.subjects)),
        photos=Photos(
            sum(map(len, photos.learnt.values())),
            sha256("".join(photos.sha256[s.name] for s in wish.subjects).encode()),
            wish.photo_licence,
        ),
        evaluation={
            "judged_by": photos.seen,
            **asdict(found.evidence[step]),
            "each": {name: asdict(of[step]) for name, of in found.each.items()},
        },
        settings={**_plain(asdict(said)), "steps": made, "kept_after": step},
        command=command(wish),
        versions={"mezzotint": __version__, "torch": torch.__version__},
        seed=said.seed,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        cost=_cost(base, found, made),
    )


def _cost(base: Base, found: Found, steps: int) -> Mapping[str, Any]:
    """Learning, resumed parts included, and judging; processor time of this process alone."""
    seconds = sum(found.seconds)
    on_gpu = device_for(base.device) != "cpu"
    return cost_of(Used(steps, seconds, time.process_time(), seconds if on_gpu else 0.0), declared())


def _plain(table: dict[str, Any]) -> dict[str, Any]:
    """Without what was left to the program."""
    return {k: _plain(v) if isinstance(v, dict) else v for k, v in table.items() if v is not None}


def command(wish: Wish) -> str:
    """The command that makes it again: photographs by the name of their folder, as people do not share paths."""
    said, method = wish.settings, wish.settings.method
    (first, folder), *more = wish.photos.items()
    words = ["mezzotint", "tune", folder.resolve().name, "--name", first.name, "--class", first.kind]
    for other, place in more:
        words += ["--also", f"{place.resolve().name}={other.name}:{other.kind}"]
    words += ["--model", str(wish.model), "--method", method.name]
    words += ["--vectors", str(method.vectors)] if method.inverts else ["--rank", str(method.rank)]
    words += ["--initial", method.initial] if method.initial else []
    words += ["--text-encoder", str(method.text)] if method.text else []
    words += [] if method.alpha is None else ["--alpha", str(method.alpha)]
    words += [] if method.rank_at_noise is None else ["--rank-at-noise", str(method.rank_at_noise)]
    words += [] if method.faster == 1 else ["--lora-plus", str(method.faster)]
    words += [] if method.targets is None else ["--targets", method.targets]
    for name in ("steps", "batch", "rate", "share", "prior", "outside", "moments", "seed"):
        words += [f"--{name}", str(getattr(said, name))]
    words += [] if wish.size is None else ["--size", wish.size]
    words += [] if wish.prior_pictures is None else ["--prior-pictures", str(wish.prior_pictures)]
    words += [] if wish.judge_by is None else ["--judge-by", wish.judge_by.resolve().name]
    # How many pictures it is judged by decides which moment is kept.
    return shlex.join([*words, "-n", str(wish.n), "--dtype", wish.dtype])
