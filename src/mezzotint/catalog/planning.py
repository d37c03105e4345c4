"""``catalog plan``: from a manifest to a plan with its price, before anything is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.catalog.brief import Brief, beside, brief_of, brief_text
from mezzotint.catalog.ladder import Rung
from mezzotint.catalog.manifest.check import check
from mezzotint.catalog.manifest.fitting import Fitting
from mezzotint.catalog.manifest.problem import Problem
from mezzotint.catalog.manifest.row import Row
from mezzotint.catalog.manifest.table import Table, parse, read_data
from mezzotint.catalog.plan.batches import rows_of
from mezzotint.catalog.plan.estimate import UNKNOWN, Pace, budget_of, by_frontier, fits, lesser, probed, too_dear
from mezzotint.catalog.plan.plan import Calls, Plan, Sketch, calls_of, fitting, plain, planned, sketch, work_of
from mezzotint.catalog.plan.prepared import prepared
from mezzotint.catalog.plan.words import Recipe, Usual, Words
from mezzotint.costs.caps import declared as caps
from mezzotint.costs.plan import Span, worth
from mezzotint.costs.prices import declared
from mezzotint.errors import InputError, UsageError
from mezzotint.files import canonical_json, sha256
from mezzotint.governance.licence.money import Money, money
from mezzotint.making.job import Job
from mezzotint.making.opened import described
from mezzotint.making.sizes import size_of
from mezzotint.pretrained.adapters import looked_up
from mezzotint.pretrained.memory import giga, peak
from mezzotint.tuning.masks import mask_beside

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

PROBE_SECONDS = 20.0
Told = Callable[[float, int], None]


def silent(seconds: float, batches: int) -> None:
    """Nobody is told."""


class ManifestError(InputError):
    """A manifest with problems, all of which it has."""

    code = "manifest"

    def __init__(self, address: str, problems: Sequence[Problem]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{address}: {problems[0]}{more}; `mezzotint catalog check {address}` lists all")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Asked:
    """The words of ``catalog plan`` and ``catalog run``.

    brief: None is the file beside the manifest.  pictures: the folder of photographs; None is the manifest's.
    budget, per_hour: as people say them.   probe: seconds in which batches are made to see; 0 is none.
    """

    manifest: str
    words: Words = field(default_factory=Words)
    brief: Path | None = None
    pictures: Path | None = None
    budget: str | None = None
    per_hour: str | None = None
    probe: float = PROBE_SECONDS


@dataclass(frozen=True)
class Read:
    """A manifest that is sound, with its brief.   data, text: their bytes."""

    table: Table
    data: bytes
    brief: Brief
    text: bytes
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def run(self, words: Words, model: Model) -> str:
        """The id of the run of it: a hash of manifest, brief and words, of the model, program and kind of machine, and
        of the sizes and times of ``files``.  Where all are the same, the same run goes on."""
        base = prepared(Recipe(), words, model, 1).id
        names = sorted(map(str, self.files))
        files = [(name, (stat := Path(name).stat()).st_size, stat.st_mtime_ns) for name in names]
        return sha256(canonical_json([self.table.sha256, self.brief.sha256, words.table, base, files]))[:16]

    @property
    def files(self) -> set[Path]:
        """What pictures depend on beside the model: photographs, masks that are said or lie beside them, adapters."""
        photos = {row.image for row in self.rows if row.image is not None}
        masks = {*(row.mask for row in self.rows), *map(mask_beside, photos)}
        levels = (factor.levels for factor in self.brief.factors if factor.name == "adapter")
        adapters = {*(row.adapter for row in self.rows), *chain.from_iterable(levels)} - {""}
        said = {mask for mask in masks if mask is not None}
        return photos | said | {path for text in adapters for path in looked_up(text)}


@dataclass(frozen=True)
class Priced:
    """A plan and what it takes.   per_hour, budget: None where none is stated.   licences: of what is used, by name.
    memory: what it is thought to take, of small models what the probe took, "" where nothing was made.   needed: views
    of each arm of the brief's test."""

    read: Read
    plan: Plan
    pace: Pace
    seconds: Span
    per_hour: Money | None
    budget: Money | None
    licences: tuple[tuple[str, str], ...]
    memory: str
    notes: tuple[str, ...]
    needed: int | None = None

    @property
    def timed(self) -> bool:
        """Whether it is known how long it takes."""
        return bool(self.pace.usual) or not self.plan.calls

    @property
    def money(self) -> tuple[Money, Money] | None:
        """Of the time that is expected, and of the most; None where either is not known."""
        if self.per_hour is None or not self.timed:
            return None
        return worth(self.per_hour, self.seconds.value), worth(self.per_hour, self.seconds.high)


def read(asked: Asked) -> Read:
    """The manifest, checked.  Raises ManifestError, InputError, UsageError."""
    data = read_data(asked.manifest)
    table = parse(asked.manifest, data)
    text = brief_text(beside(asked.manifest) if asked.brief is None else asked.brief)
    brief = brief_of(text, str(asked.brief or beside(asked.manifest)))
    found = check(table, brief, Fitting(described(asked.words.model)), asked.pictures)
    if found.problems:
        raise ManifestError(asked.manifest, found.problems)
    return Read(table, data, brief, text, found.rows, found.notes)


def price(asked: Asked, brief: Brief) -> tuple[Money | None, Money | None]:
    """(what an hour costs, the budget): by the command, the brief, the settings; a cap of a command is one of the whole
    run.   Raises UsageError."""
    said = None if asked.per_hour is None else money(asked.per_hour, "--per-hour")
    per_hour = said or brief.per_hour or declared().per_hour
    return per_hour, lesser(budget_of(asked.budget, per_hour), caps().command)


def plan(
    asked: Asked, found: Read, model: Model, kept: Collection[str] = (), told: Told = silent, known: Pace | None = None
) -> Priced:
    """The plan of a manifest, down the ladder as far as the budget asks.

    kept: ids of what is there already.   told: how far the probe is.   known: the pace, where it was seen before.
    Raises BudgetError where the least of the ladder is too dear; else as ``prepared`` and ``probed``.
    """
    per_hour, budget = price(asked, found.brief)
    calls, usual = calls_of(asked.words, model), _usual(asked.words, model)
    whole = sketch(found.rows, found.brief, asked.words, (), usual)
    seen = known or _seen(asked, whole, calls, model, told, budget)
    ladder: Sequence[Rung] = found.brief.ladder if budget is not None else ()

    def left(rungs: tuple[Rung, ...]) -> Sketch:
        return sketch(found.rows, found.brief, asked.words, rungs, usual) if rungs else whole

    def affordable(one: Sketch) -> bool:
        return fits(seen.seconds(one.work(calls, model.system.size)), per_hour, budget)

    chosen = fitting(left, ladder, affordable)
    if chosen is None:
        assert per_hour is not None and budget is not None
        least = left(tuple(ladder)).work(calls, model.system.size)
        raise too_dear(seen.seconds(least), per_hour, budget)
    made = planned(chosen, model, calls, kept)
    ready = _first(made, model)
    return Priced(
        found, made, seen, seen.seconds(made.work), per_hour, budget, _licences(made, model),
        ready[0] or _held(asked, seen), (*found.notes, *ready[1], *_by(seen), *_unmade(made)), _needed(found.brief),
    )  # fmt: skip


def _usual(words: Words, model: Model) -> Usual:
    """Of the main stage, as the words, a frontier or the model's preset have it."""
    job = prepared(Recipe(), words, model, 1).job
    assert isinstance(job, Job)
    return Usual(job.main.plan.steps, job.main.plan.candidates, words.sampling.candidates or 1)


def _seen(asked: Asked, whole: Sketch, calls: Calls, model: Model, told: Told, budget: Money | None) -> Pace:
    """The pace of the recipe that most assets have: probed, or by a frontier that was measured."""
    sampled = [one for one in whole.groups.items() if calls(one[0])]
    if not sampled:
        return UNKNOWN
    recipe, assets = max(sampled, key=lambda one: len(one[1]))
    rows = rows_of(len(assets), asked.words.batch)
    if asked.probe == 0:
        job = prepared(plain(recipe), asked.words, model, rows).job
        assert isinstance(job, Job)
        known = by_frontier(job, calls(recipe), size_of(model.system, recipe.size or None))
        if known is None and budget is not None:
            raise UsageError("--budget needs to know how fast this machine is; leave --probe 0 out")
        return known or UNKNOWN
    work = work_of(recipe, rows, calls(recipe), model.system.size)
    prompts = list(dict.fromkeys(asset.prompt for asset in assets[:rows]))
    return probed(plain(recipe), prompts, rows, work, asked.words, model, asked.probe, told)


def _first(made: Plan, model: Model) -> tuple[str, tuple[str, ...]]:
    """(memory, notes) of the recipe that is planned first, of those that ask a network where there are any."""
    sound = [one for one in made.assets if not one.error]
    first = next((one for one in sound if made.recipes[one.recipe].calls), sound[0] if sound else None)
    if first is None:
        raise InputError(f"nothing of the manifest can be made: {made.assets[0].error}")
    recipe = made.recipes[first.recipe]
    ready = prepared(recipe.recipe, made.words, model, recipe.rows)
    if not isinstance(ready.job, Job):
        return "", ()
    return "" if ready.job.memory is None else str(ready.job.memory), ready.job.notes


def _held(asked: Asked, seen: Pace) -> str:
    """What this process has held until here, where batches were made in it."""
    most = peak() if asked.probe > 0 and seen.usual else 0
    return f"{giga(most)} at most, with the probe's batches in it" if most else ""


def _by(seen: Pace) -> tuple[str, ...]:
    """By what the time is known, where no batch was made to see."""
    said = (
        "the time is as `mezzotint frontier` measured calls of the network; --probe sees how fast this machine is now"
    )
    return (said,) if seen.usual and not seen.probed else ()


def _unmade(made: Plan) -> tuple[str, ...]:
    """What cannot be made, once for all assets that it is so for."""
    errors = Counter(one.error for one in made.assets if one.error)
    return tuple(f"{count:,} assets cannot be made: {error}" for error, count in errors.items())


def _licences(made: Plan, model: Model) -> tuple[tuple[str, str], ...]:
    """What is used and under which licence, as its own card says it."""
    adapters = sorted({one.recipe.adapter for one in made.recipes if one.recipe.adapter})
    said = [(name, "see `mezzotint licence --lora`") for name in adapters]
    own = ((model.system.name, model.system.card.licence),) if any(one.calls for one in made.recipes) else ()
    return (*own, *said)


def _needed(brief: Brief) -> int | None:
    from mezzotint.catalog.variants.sample import views_needed

    return None if brief.test is None else views_needed(brief.test)
