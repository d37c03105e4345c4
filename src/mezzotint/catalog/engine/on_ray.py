"""The same run on a Ray cluster: actors hold the model and take batches by the ledger, as every worker does.

What is made, and how, is the worker's; Ray places the processes.  An actor that dies is started again elsewhere, and
what it held goes back at once.  A batch is asked for when the one before is settled, so nobody holds what he cannot
make: that is the back-pressure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.engine.alone import work_alone
from mezzotint.catalog.ledger.connect import connected
from mezzotint.catalog.ledger.leases import release
from mezzotint.catalog.ledger.owner import owner
from mezzotint.errors import StorageError, UsageError

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


def work_on_ray(
    run: str, out: str, ledger: str, cluster: Engine, watch: Callable[[], None], seconds: float = 1.0
) -> str:
    """A run by actors.   out, ledger: addresses that every machine of the cluster can open.   watch: called now and
    then.

    Raises UsageError (Ray is not installed, no such cluster), StorageError (actors that do not stay).
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("--engine ray needs Ray; pip install 'mezzotint[ray]'") from error
    try:
        ray.init(address=cluster.address, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    except ConnectionError as error:
        raise UsageError(
            f"no Ray cluster at {cluster.address}: {error}; start one, or leave --ray-address out"
        ) from error
    db, kind = connected(ledger), ray.remote(num_cpus=1, num_gpus=cluster.gpus)(Actor)
    held: dict[Any, tuple[Any, str]] = {}
    starts, states = 0, list[str]()

    def start() -> None:
        actor = kind.remote()
        name = str(ray.get(actor.name.remote()))
        held[actor.work.remote(run, out, ledger)] = actor, name

    try:
        for _ in range(cluster.workers):
            start()
        while held:
            ready, _ = ray.wait(list(held), timeout=seconds)
            for one in ready:
                _, name = held.pop(one)
                try:
                    states.append(str(ray.get(one)))
                except ray.exceptions.RayActorError:
                    release(db, run, name)
                    starts += 1
                    _check(starts, cluster.workers, db)
                    start()
            watch()
    finally:
        for actor, _ in held.values():
            ray.kill(actor)
    return "cancelled" if "cancelled" in states else "over_budget" if "over_budget" in states else "done"


def _check(starts: int, workers: int, db: Database) -> None:
    if starts > STARTS * workers:
        raise StorageError(
            f"workers on Ray died {starts} times; look at Ray's logs, the run in {db.name} goes on after"
        )
