"""``mezzotint models``: what is at hand."""

from __future__ import annotations

from typing import Any

import click

from mezzotint.cli.options import human_bytes, json_option, print_json
from mezzotint.making.table import table
from mezzotint.places import places
from mezzotint.pretrained.families.known import FAMILIES
from mezzotint.pretrained.store import Found, models

SCHEMA = "mezzotint/models/2"
FAMILIES_SCHEMA = "mezzotint/families/1"


def listed(found: Found) -> dict[str, Any]:
    """A model as JSON."""
    base = {"name": found.name, "origin": found.origin, "folder": str(found.folder), "fault": found.fault}
    system = found.system
    if system is None:
        return base
    card = system.card
    return {
        **base,
        "title": card.title,
        "licence": card.licence,
        "size": list(system.size),
        "bytes": system.weights_bytes,
        "weights_sha256": system.weights_sha256,
        "stages": [member.described.name for member in system.members],
        "prompts": [label.name for label in system.labels],
        "text": system.text is not None,
        "metrics": dict(card.metrics),
    }


def row(found: Found) -> tuple[str, ...]:
    """A model as a line of the table."""
    system = found.system
    if system is None:
        return (found.name, found.origin, "-", "-", "-", f"unusable: {found.fault}")
    labels = ", ".join(label.name for label in system.labels)
    prompts = "any text" if system.text else labels or "(unconditional)"
    size = f"{system.size[0]}x{system.size[1]}"
    return (found.name, found.origin, system.card.licence, size, human_bytes(system.weights_bytes), prompts)


def show_families(as_json: bool) -> None:
    """The families of published models that run."""
    shown = [{"name": f.name, "pipeline": f.pipeline, "tested": f"{f.tested}-tested"} for f in FAMILIES]
    if as_json:
        print_json({"schema": FAMILIES_SCHEMA, "families": shown})
    else:
        click.echo(table([("family", "pipeline", "tested"), *(tuple(f.values()) for f in shown)]))


@click.command("models")
@click.option("--families", is_flag=True, help="List the families of published models that run, and how tested.")
@json_option
def command(families: bool, as_json: bool) -> None:
    """List the models at hand: yours in MEZZOTINT_HOME/models, those that came with mezzotint, those in the folders of
    the setting model_path, and those in the Hugging Face hub's cache."""
    if families:
        show_families(as_json)
        return
    found = models()
    if as_json:
        print_json({"schema": SCHEMA, "models": [listed(f) for f in found]})
    elif found:
        click.echo(table([("model", "origin", "licence", "size", "weights", "prompts"), *map(row, found)]))
    else:
        looked = ", ".join(str(folder) for _, folder in places())
        click.echo(f"no models; looked in {looked}; install mezzotint-models, or use --model PATH", err=True)
