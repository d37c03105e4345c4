"""A worker of its own process: all that it needs is the address of the run."""

from __future__ import annotations

from mezzotint.pretrained.model import load


def work_alone(run: str, out: str, ledger: str | None, name: str | None = None) -> str:
    """Works on a run until nothing is left.   name: of its leases; None is a new one.

    Returns: done | over_budget | cancelled.   Raises as ``make_all``.
    """
    from mezzotint.catalog.ledger.runs import the_run
    from mezzotint.catalog.running import make_all, open_place

    where = open_place(out, ledger)
    found = the_run(where.db, run)
    return make_all(found, where, load(found.words.model), name=name)
