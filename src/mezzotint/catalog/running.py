"""``catalog run``: plans where there is no plan yet, makes what is left, writes the index; goes on after anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mezzotint.catalog.brief import Brief, brief_of
from mezzotint.catalog.engine.gates import Pictures, Prompts
from mezzotint.catalog.engine.recipes import Recipes
from mezzotint.catalog.engine.worker import Told, Worker, silent
from mezzotint.catalog.ledger.connect import Database, connected
from mezzotint.catalog.ledger.leases import conclude
from mezzotint.catalog.ledger.owner import owner
from mezzotint.catalog.ledger.runs import (
    Budgeted,
    Run,
    add_run,
    again,
    counts,
    find_run,
    kept_ids,
    recipes_of,
    the_run,
)
from mezzotint.catalog.manifest.table import Table, is_remote, parse, read_data
from mezzotint.catalog.money import book_here, paid, refusal
from mezzotint.catalog.plan.estimate import micro
from mezzotint.catalog.planning import Asked, Priced, Read, plan, price, read
from mezzotint.catalog.planning import silent as untold
from mezzotint.catalog.store import Store, open_store
from mezzotint.config import home, settings
from mezzotint.errors import InputError, MezzotintError, StorageError, UsageError
from mezzotint.files import sha256, user_path
from mezzotint.governance.provenance.ledger import place
from mezzotint.governance.provenance.release import Release, releasing
from mezzotint.making.heeded import gates

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

LEDGER = "catalog.sqlite"
WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Place:
    """Where a catalog is: its outputs, its ledger."""

    store: Store
    db: Database


@dataclass(frozen=True)
class Engine:
    """What makes the batches: workers here, or actors on Ray.

    address: of a Ray cluster that is there; None begins one here.   gpus: of each actor, also a part of one.
    Raises UsageError: fewer than one worker, a part of a GPU beside whole ones, Ray is not installed.
    """

    name: Literal["local", "ray"] = "local"
    workers: int = 1
    gpus: float = 0.0
    address: str | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"--workers {self.workers}: expected at least 1")
        if self.gpus < 0 or (self.gpus > 1 and self.gpus % 1):
            raise UsageError(f"--gpus {self.gpus:g}: expected a part of one, or a whole number")
        if self.name == "ray" and find_spec("ray") is None:
            raise UsageError("--engine ray needs Ray; pip install 'mezzotint[ray]'")


@dataclass(frozen=True)
class Ended:
    """How a run ended: done | over_budget | cancelled.   counts: assets by state.   changed: whether the manifest is
    another now than the one that was run.   refused: which cap leaves no more, "" where none does."""

    run: Run
    state: str
    counts: dict[str, int]
    changed: bool
    refused: str = ""


def open_place(out: str, ledger: str | None) -> Place:
    """A catalog's place, made where there is none.   ledger: a file or a URL; None as ``ledger_of`` has it.

    Raises UsageError, StorageError, LedgerError.
    """
    return Place(open_store(out), connected(ledger_of(out, ledger)))


def ledger_of(out: str, ledger: str | None) -> str:
    """The address of a catalog's ledger: the file in its folder, of outputs elsewhere one under the home, or what is
    said."""
    if ledger is not None:
        return ledger
    if is_remote(out):
        return str(home() / "catalog" / f"{sha256(out.rstrip('/').encode())[:16]}.sqlite")
    return str(user_path(out).absolute() / LEDGER)


def open_there(out: str, ledger: str | None) -> Place:
    """The same, where there is one.  Raises InputError where there is none."""
    if ledger is None and not is_remote(out) and not (user_path(out) / LEDGER).is_file():
        raise InputError(f"no catalog in {out}; expected the folder of a `mezzotint catalog run`")
    return open_place(out, ledger)


def default_out(manifest: str) -> str:
    """The folder of a manifest that names none: the same each time, so that the same command goes on."""
    return str(Path("mezzotint-out") / f"catalog-{Path(manifest).stem}")


def begin(
    asked: Asked, where: Place, model: Model, told: Callable[[float, int], None] = untold
) -> tuple[Run, Priced | None]:
    """A run's entry in the ledger, planned unless it is there.   Returns: it, and the plan where one was made.

    A manifest that was run before goes on; with another budget, by that one.
    """
    found = read(asked)
    run = found.run(asked.words, model)
    there = find_run(where.db, run)
    if there is not None:
        return _again(asked, where.db, found, there), None
    priced = plan(asked, found, model, kept_ids(where.db), told)
    _keep_copy(where.store, run, found)
    add_run(where.db, run, priced.plan, asked.manifest, found.table.sha256, _priced(priced))
    return the_run(where.db, run), priced


def _priced(found: Priced) -> Budgeted:
    if found.per_hour is None:
        return Budgeted(rate=found.pace.most, seconds=found.seconds.value)
    cap, book = (None, None) if found.budget is None else (micro(found.budget), book_here())
    return Budgeted(found.per_hour.currency, micro(found.per_hour), cap, found.pace.most, found.seconds.value, book)


def _again(asked: Asked, db: Database, found: Read, there: Run) -> Run:
    """A run that goes on, by another budget where one is said: what was cancelled or could not be paid may go on now,
    and what was parked is tried anew."""
    per_hour, budget = price(asked, found.brief)
    if budget is not None and per_hour is not None and there.currency != per_hour.currency:
        raise UsageError(f"run {there.id} was planned in {there.currency or 'no currency'}; say --budget in that")
    again(db, there.id, None if budget is None else (micro(budget), book_here()))
    return the_run(db, there.id)


def _keep_copy(store: Store, run: str, found: Read) -> None:
    """The run's own copy of its manifest, whatever happens to the file."""
    store.put(f"runs/{run}/manifest{Path(found.table.address).suffix}", found.data)
    store.put(f"runs/{run}/brief.toml", found.text)


def kept_copies(store: Store, run: Run) -> tuple[Table, Brief]:
    """A run's own manifest and brief.  Raises InputError where they are gone."""
    name = f"runs/{run.id}/manifest{Path(run.address).suffix}"
    data, text = store.get(name), store.get(f"runs/{run.id}/brief.toml")
    if data is None or text is None:
        raise InputError(f"{store.address} has no {name} any more; expected the run's copies")
    return parse(name, data), brief_of(text, "the run's brief")


@contextmanager
def released() -> Iterator[Release]:
    """What pictures leave with, by settings, as ``generate`` has it."""
    said = settings()
    ledger = said["ledger"].value
    with releasing(str(said["credentials"].value), place(None if ledger is None else str(ledger)), ()) as release:
        yield release


def make_all(run: Run, where: Place, model: Model, told: Told = silent, name: str | None = None) -> str:
    """Makes what is left of a run here, beside whoever else does.   Returns: done | over_budget | cancelled.

    Raises GateError (a gate cannot run), ProvenanceError, StorageError; BudgetError as ``paid``.
    """
    sides = gates()  # before anything is made
    with released() as release, paid(run) as money:
        recipes = Recipes(run.words, model, recipes_of(where.db, run.id))
        look = Pictures(sides.pictures)
        worker = Worker(
            where.db,
            run,
            recipes,
            where.store,
            release,
            Prompts(sides.texts),
            look,
            money,
            told=told,
            name=name or owner(),
        )
        state = worker.work()
        while state == "done" and run.distinct_by and _replaced(run, where):
            state = worker.work()
        return state


def _replaced(run: Run, where: Place) -> int:
    """How many siblings that came out too alike are planned anew."""
    from mezzotint.catalog.engine.distinct import features, replace_alike

    return replace_alike(where.db, run.id, where.store, run.distinct_by, features())


def unsaid(text: str) -> None:
    """Nobody is told."""


def work_all(
    run: Run,
    where: Place,
    model: Model,
    address: tuple[str, str | None],
    engine: Engine,
    watch: Callable[[], None],
    say: Callable[[str], None] = unsaid,
) -> str:
    """The same by an engine's workers.   address: of ``open_place``.   watch: called now and then.
    say: told what a person should know.

    Raises StorageError where one of several ended too early.
    """
    out, ledger = address
    if engine.name == "ray":
        from mezzotint.catalog.engine.on_ray import work_on_ray

        there = out if is_remote(out) else str(Path(out).absolute())
        return work_on_ray(run.id, there, ledger_of(out, ledger), engine, watch, say)
    if engine.workers == 1:
        return make_all(run, where, model, told=every(WATCH_SECONDS, watch))
    from mezzotint.catalog.engine.processes import work_in_processes

    if not work_in_processes(run.id, out, ledger, engine.workers, watch) and counts(where.db, run.id)["waiting"]:
        raise StorageError("a worker ended before its work; its message is above, the same command goes on")
    return make_all(run, where, model)


def every(seconds: float, act: Callable[[], None]) -> Told:
    """Tells at most so often."""
    last = [-seconds]

    def told(batch: int, steps: int) -> None:
        if time.monotonic() - last[0] >= seconds:
            last[0] = time.monotonic()
            act()

    return told


def end(run: Run, where: Place, state: str) -> Ended:
    """Notes how a run ended, and looks whether its manifest is still the same."""
    if state in ("done", "over_budget"):
        conclude(where.db, run.id, state)
    refused = refusal(run) if state == "over_budget" else ""
    return Ended(the_run(where.db, run.id), state, counts(where.db, run.id), changed(run), refused)


def changed(run: Run) -> bool:
    """Whether the manifest is another now than the one that is run; one that is gone is no other."""
    try:
        return sha256(read_data(run.address)) != run.manifest_sha256
    except MezzotintError:
        return False
