"""Runs steered from another terminal."""

from __future__ import annotations

from mezzotint.cli.catalog.status import line


def steered(out: str, ledger: str | None, what: str) -> str:
    """Pauses, resumes or cancels the last run of a catalog.   Returns: how it stands.

    Raises InputError (no run there), UsageError (it is in no state for that).
    """
    from mezzotint.catalog.ledger.runs import counts, steer, the_run
    from mezzotint.catalog.running import open_there

    db = open_there(out, ledger).db
    run = steer(db, the_run(db).id, what)
    return line(run, counts(db, run.id))
