"""``mezzotint models``: what is at hand."""

from __future__ import annotations

from typing import Any

import click

from mezzotint.cli.options import human_bytes, json_option, print_json
from mezzotint.making.table import table
from mezzotint.pretrained.store import Found, models, places

SCHEMA = "mezzotint/models/1"


def listed(found: Found) -> dict[str, Any]:
    """A model as JSON."""
    base = {"name": found.name, "origin": found.origin, "folder": str(found.folder), "fault": found.fault}
    if found.described is None:
        return base
    spec, card = found.described.spec, found.described.spec.card
    return {
        **base,
        "title": card.title,
        "licence": card.licence,
        "size": [spec.shape[-1], spec.shape[-2]],
        "bytes": found.described.weights_bytes,
        "weights_sha256": found.described.weights_sha256,
        "prompts": [label.name for label in spec.labels],
        "metrics": dict(card.metrics),
    }


def row(found: Found) -> tuple[str, ...]:
    """A model as a line of the table."""
    if found.described is None:
        return (found.name, found.origin, "-", "-", "-", f"unusable: {found.fault}")
    spec = found.described.spec
    size = f"{spec.shape[-1]}x{spec.shape[-2]}"
    prompts = ", ".join(label.name for label in spec.labels) or "(unconditional)"
    return (found.name, found.origin, spec.card.licence, size, human_bytes(found.described.weights_bytes), prompts)


@click.command("models")
@json_option
def command(as_json: bool) -> None:
    """List the models at hand: yours in MEZZOTINT_HOME/models, and those that came with mezzotint."""
    found = models()
    if as_json:
        print_json({"schema": SCHEMA, "models": [listed(f) for f in found]})
    elif found:
        click.echo(table([("model", "origin", "licence", "size", "weights", "prompts"), *map(row, found)]))
    else:
        looked = ", ".join(str(folder) for _, folder in places())
        click.echo(f"no models; looked in {looked}; install mezzotint-models, or use --model PATH", err=True)
