"""The passport of an adapter: what it was made of and on, and what it was found to do; in its file's header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mezzotint.errors import ModelError
from mezzotint.files import canonical_json
from mezzotint.pretrained.spec import made_of
from mezzotint.pretrained.system import System

KEY, SCHEMA = "mezzotint.passport", "mezzotint/passport/1"
LONGEST = 256
"""Characters of what is said of the base."""


@dataclass(frozen=True)
class Base:
    """What an adapter is put on.

    architecture: the class of its network, or the kind of a network of ours.  sha256: of the network's weights.
    """

    name: str
    architecture: str
    sha256: str


@dataclass(frozen=True)
class Photos:
    """What it was learnt from.   sha256: of the data set.  licence: as whoever learnt it declared."""

    count: int
    sha256: str
    licence: str


@dataclass(frozen=True)
class Passport:
    """What is known of an adapter.

    method, rank, alpha: as ``tune`` was told; None where the method has none.  triggers: words that call what was
    learnt.  kind: the word for all such things.  evaluation, settings: JSON tables.  command: what makes it again.
    versions: of the programs.  created: ISO 8601, UTC.  licence: of the adapter itself, "" where nobody said.
    rank_at_noise: the rank that acts at full noise where it falls with noise (``nets.adapters.falling``), else None.
    cost: what was used to make it, as receipts have it; None where that was not metered.
    """

    title: str
    base: Base
    method: str
    rank: int | None
    alpha: float | None
    triggers: tuple[str, ...]
    kind: str
    photos: Photos
    evaluation: Mapping[str, Any]
    settings: Mapping[str, Any]
    command: str
    versions: Mapping[str, str]
    seed: int
    created: str
    licence: str = ""
    rank_at_noise: int | None = None
    cost: Mapping[str, Any] | None = None


def base_of(system: System) -> Base:
    """What the passport of an adapter for a system names: its denoiser, of a model of ours the main stage's."""
    found = system.components
    if found is not None:
        return Base(found.name, found.denoising.class_name, found.denoising.sha256)
    main = system.members[system.main].described
    return Base(system.name, str(main.spec.net.get("kind", "")), main.weights_sha256)


def said(passport: Passport) -> str:
    """As the header has it.   Raises ValueError for a number that is not finite."""
    table = asdict(passport)
    for name in ("rank_at_noise", "cost"):
        if table[name] is None:
            del table[name]  # programs that do not know the word read all files but those that need it
    return canonical_json({"schema": SCHEMA, **table}).decode()


def passport_in(metadata: Mapping[str, str], where: str) -> Passport | None:
    """The passport of a file's header, None where there is none.   Raises ModelError that says what is wrong."""
    text = metadata.get(KEY)
    if text is None:
        return None
    try:
        found = json.loads(text, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where}: its {KEY} is not JSON; fetch it again") from error
    if not isinstance(found, dict) or found.pop("schema", None) != SCHEMA:
        raise ModelError(f"{where}: its {KEY} is not a {SCHEMA}; this version reads no other")
    return _checked(found, f"{where}: its {KEY}")


def _checked(found: dict[str, Any], where: str) -> Passport:
    made: Passport = made_of(Passport, found, where)
    base: Base = made_of(Base, found["base"], f"{where}, base")
    photos: Photos = made_of(Photos, found["photos"], f"{where}, photos")
    triggers: list[Any] = found["triggers"] if isinstance(found["triggers"], list) else [None]
    texts = [getattr(made, name) for name in ("title", "method", "kind", "command", "created", "licence")]
    within = [base.name, base.architecture, base.sha256, photos.sha256, photos.licence]
    versions = list(made.versions.values()) if isinstance(made.versions, dict) else [None]
    _all(str, [*texts, *within, *triggers, *versions], f"{where}: expected texts for names, hashes, words and versions")
    if not all(text.isprintable() and len(text) <= LONGEST for text in (base.name, base.architecture, base.sha256)):
        raise ModelError(f"{where}: expected a name of the base in one line; fetch it again")
    _all(
        dict,
        [made.evaluation, made.settings, {} if made.cost is None else made.cost],
        f"{where}: expected tables for evaluation, settings and cost",
    )
    ranks = [0 if rank is None else rank for rank in (made.rank, made.rank_at_noise)]
    _all(int, [photos.count, made.seed, *ranks], f"{where}: expected whole numbers for count, seed and rank")
    alpha = 0.0 if made.alpha is None else made.alpha
    _all(float, [float(alpha) if type(alpha) is int else alpha], f"{where}: expected a number for alpha")
    return replace(
        made,
        base=base,
        photos=photos,
        triggers=tuple(triggers),
        alpha=None if made.alpha is None else float(made.alpha),
    )


def _all(kind: type, values: Sequence[Any], otherwise: str) -> None:
    """Raises ModelError where a value is of another kind, or a number below 0."""
    if not all(type(value) is kind for value in values) or (kind is int and min(values) < 0):
        raise ModelError(f"{otherwise}; fetch it again")


def _not_finite(name: str) -> float:
    raise ValueError(f"{name} is no number")
