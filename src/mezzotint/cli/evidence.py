"""``mezzotint evidence build | incident``: what was done beside what NIST asks; records of incidents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, out_option, print_json
from mezzotint.cli.output import OUT, run_folder
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError

SEVERAL = {"impact": "impacts", "stakeholder": "stakeholders", "asset": "assets", "file": "files"}


@click.command("evidence")
@click.argument("what", type=click.Choice(["build", "incident"]))
@click.argument("folder", nargs=-1, type=PATH)
@out_option
@click.option("--title", default="", help="Of the incident, in one line.")
@click.option("--reporter", default="", help="Who reports it.")
@click.option("--system", default="", help="The system it was in, or where it was found.")
@click.option("--description", default="", help="What happened.")
@click.option("--data", default="none", show_default=True, help="What is handed in with the report.")
@click.option("--date", metavar="YYYY-MM-DD", help="Of the incident.  [today]")
@click.option("--impact", multiple=True, help="What came of it; may be given again.")
@click.option("--stakeholder", multiple=True, help="Who is concerned; may be given again.")
@click.option("--asset", multiple=True, help="The id of a picture's receipt; may be given again.")
@click.option("--file", multiple=True, type=PATH, help="Whose hash is kept; may be given again.")
@json_option
def command(what: str, folder: tuple[Path, ...], out: Path | None, as_json: bool, **words: Any) -> None:
    """Build: read the FOLDERs of runs (./mezzotint-out), the ledger and settings, and write what they show to a new
    folder: report.html for people, evidence.json, bom.json (CycloneDX), dataset.json, a card of every model.

    Incident: write a record with the nine fields that NIST names as the least; it is never changed.
    """
    said = {name: value for name, value in words.items() if value not in ("", (), None, "none")}
    if what == "build":
        if said:
            raise UsageError(f"evidence build takes no --{sorted(said)[0]}; that is for an incident")
        _build(folder or (OUT,), out, as_json)
        return
    if folder or out is not None:
        raise UsageError("evidence incident takes no folder and no --out; records are kept under the home")
    _incident(words, as_json)


def _build(folders: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    from mezzotint.governance.evidence.build import REPORT, build, refuse_missing

    refuse_missing(folders)  # before the run's folder is made, which may lie in the one that is to be read
    made = build(folders, run_folder(out, "evidence"))
    if as_json:
        print_json({**made.document, "out": str(made.folder)})
        return
    counts = ", ".join(f"{count} {status}" for status, count in made.counts.items())
    click.echo(f"{len(made.document['items'])} actions: {counts}; read {made.folder / REPORT}")


def _incident(words: dict[str, Any], as_json: bool) -> None:
    from mezzotint.governance.evidence.incident import report

    several = {SEVERAL[name]: words[name] for name in SEVERAL}
    made, path = report(
        words["title"], words["reporter"], words["system"], words["description"], data_reported=words["data"],
        day=words["date"], **several,
    )  # fmt: skip
    if as_json:
        print_json(made.document)
    else:
        click.echo(f"{made.system_id} in {path}")
