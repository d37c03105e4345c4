"""``mezzotint catalog COMMAND MANIFEST``: from a manifest of products to a finished catalog."""

from __future__ import annotations

import click

from mezzotint.cli.lazy import Lazy

COMMANDS = {
    "import": "Make a manifest of what a shop exported.",
    "check": "Check every row of a manifest before any work.",
    "plan": "Say what a run takes: assets, calls, time, money, licences.",
    "run": "Make the catalog: resumable, within a budget.",
    "status": "Say how a run stands.",
    "report": "Write the page of a run, and its rows as CSV and JSON.",
    "pause": "Pause a run, from another terminal.",
    "resume": "Let a paused run go on.",
    "cancel": "Cancel a run.",
}


@click.command("catalog", cls=Lazy, package="mezzotint.cli.catalog", said=COMMANDS)
def command() -> None:
    """From a manifest of products to a finished, priced, proven catalog.

    A manifest is a table, CSV, JSONL or Parquet, with a row for each product: sku and prompt, and what else is known of
    it. A brief beside it, the same name with .toml, says what is varied.
    """
