"""The same run on a Ray cluster: actors hold the model and take batches by the ledger, as every worker does.

What is made, and how, is the worker's; Ray places the processes.  An actor that dies is started again elsewhere, and
what it held goes back at once.  A batch is asked for when the one before is settled, so nobody holds what he cannot
make: that is the back-pressure.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.engine.alone import work_alone
from mezzotint.catalog.ledger.connect import connected
from mezzotint.catalog.ledger.leases import release
from mezzotint.catalog.ledger.owner import owner
from mezzotint.catalog.ledger.runs import the_run
from mezzotint.errors import MezzotintError, StorageError, UsageError

if TYPE_CHECKING:
    from mezzotint.catalog.ledger.connect import Database
    from mezzotint.catalog.running import Engine

STARTS = 20
"""Of each actor, before the run is left."""


class Actor:
    """One worker.  Its process has the model for as long as it lives."""

    def __init__(self) -> None:
        self._name = owner()

    def name(self) -> str:
        """Of its leases."""
        return self._name

    def work(self, run: str, out: str, ledger: str) -> str:
        """Until nothing is left.   Returns: done | over_budget | cancelled."""
        return work_alone(run, out, ledger, self._name)


def places(machines: Iterable[Mapping[str, float]], gpus: float) -> int:
    """How many workers some machines have room for, of one processor each and so many GPUs.   machines: the resources
    of each, as Ray has them."""
    shared = int(1 / gpus) if 0 < gpus < 1 else 1
    whole = max(1, round(gpus))
    rooms = [(int(one.get("CPU", 0)), int(one.get("GPU", 0)) // whole * shared) for one in machines]
    return sum(cpus if not gpus else min(cpus, devices) for cpus, devices in rooms)


@dataclass
class Crew:
    """Actors of a run.   kind: Ray's class of them.   named: those that say their name once they have a place; working:
    those that have one, with the name of their leases."""

    kind: Any
    run: str
    out: str
    ledger: str
    named: dict[Any, Any] = field(default_factory=dict)
    working: dict[Any, tuple[Any, str]] = field(default_factory=dict)

    def start(self) -> None:
        """One more, which waits until there is a place for it."""
        actor = self.kind.remote()
        self.named[actor.name.remote()] = actor

    def begins(self, one: Any, name: str) -> None:
        """It has a place."""
        actor = self.named.pop(one)
        self.working[actor.work.remote(self.run, self.out, self.ledger)] = actor, name

    @property
    def actors(self) -> list[Any]:
        """All of them."""
        return [*self.named.values(), *(actor for actor, _ in self.working.values())]


def work_on_ray(
    run: str,
    out: str,
    ledger: str,
    cluster: Engine,
    watch: Callable[[], None],
    say: Callable[[str], None],
    seconds: float = 1.0,
) -> str:
    """A run by actors.   out, ledger: addresses that every machine of the cluster can open.   watch: called now and
    then.   say: told where not all workers have room; the others make what there is to make.

    Raises UsageError (no such cluster, no room here), StorageError (actors that do not stay);
    what a worker raises.
    """
    import ray

    if (room := _begin(ray, cluster)) < cluster.workers:
        say(_short(room, cluster))
    db, kind = connected(ledger), ray.remote(num_cpus=1, num_gpus=cluster.gpus)(Actor)
    crew, deaths, states = Crew(kind, run, out, ledger), 0, list[str]()
    try:
        for _ in range(cluster.workers):
            crew.start()
        while crew.working or (crew.named and not states):
            ready, _ = ray.wait([*crew.named, *crew.working], timeout=seconds)
            for one in ready:
                if not _heard(ray, crew, one, db, states):
                    deaths += 1
                    _check(deaths, cluster.workers, db)
                    crew.start()
            if not crew.working and not states and the_run(db, run).state == "cancelled":
                states.append("cancelled")
            watch()
    finally:
        for actor in crew.actors:
            ray.kill(actor)
    return "cancelled" if "cancelled" in states else "over_budget" if "over_budget" in states else "done"


def _begin(ray: Any, cluster: Engine) -> int:
    """Connects, or begins a Ray here with as many processors as there are workers: how many share one is the machine's
    affair, as with processes.   Returns: for how many workers there is room."""
    cpus = max(cluster.workers, os.cpu_count() or 1) if cluster.address is None and not ray.is_initialized() else None
    try:
        ray.init(
            address=cluster.address or "local",
            num_cpus=cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            ignore_reinit_error=True,
        )
    except ConnectionError as error:
        raise UsageError(
            f"no Ray cluster at {cluster.address}: {error}; start one, or leave --ray-address out"
        ) from error
    room = places([one["Resources"] for one in ray.nodes() if one["Alive"]], cluster.gpus)
    if cpus is not None and not room:
        raise UsageError(f"--gpus {cluster.gpus:g}: this machine has no such GPU; leave it out, or name a cluster")
    return room


def _short(room: int, cluster: Engine) -> str:
    each = "1 processor" + (f" and {cluster.gpus:g} GPUs" if cluster.gpus else "")
    return (
        f"Ray has room for {room} of {cluster.workers} workers, each with {each}; the others wait for machines that"
        " join, and what there is to make is made by those that have room"
    )


def _heard(ray: Any, crew: Crew, one: Any, db: Database, states: list[str]) -> bool:
    """What an actor says: its name, or how the run ended for it.   Returns: False where it is dead; what it held waits
    again.   Raises what its work raised."""
    _, name = crew.working.get(one, (None, ""))
    try:
        said = str(ray.get(one))
    except ray.exceptions.RayActorError:
        crew.named.pop(one, None)
        if crew.working.pop(one, None):
            release(db, crew.run, name)
        return False
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, MezzotintError) else error) from None
    if one in crew.named:
        crew.begins(one, said)
    else:
        crew.working.pop(one)
        states.append(said)
    return True


def _check(deaths: int, workers: int, db: Database) -> None:
    if deaths > STARTS * workers:
        raise StorageError(
            f"workers on Ray died {deaths} times; look at Ray's logs, the run in {db.name} goes on after"
        )
