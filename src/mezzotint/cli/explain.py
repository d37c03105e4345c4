"""``mezzotint explain MODEL``: the grid, the noise levels, the number of network calls."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import json_option, print_json, sampling_options
from mezzotint.cli.output import say
from mezzotint.config import settings

if TYPE_CHECKING:
    from mezzotint.making.explain import Explanation, Row

SCHEMA = "mezzotint/explain/2"


def document(e: Explanation) -> dict[str, Any]:
    """As JSON; what is infinite or undefined is null."""
    said = {k: v for k, v in asdict(e).items() if k != "remark"}
    stages = [{**asdict(stage), "rows": [_row(r) for r in stage.rows]} for stage in e.stages]
    return {"schema": SCHEMA, **said, "stages": stages}


def _row(row: Row) -> dict[str, Any]:
    return {k: v if math.isfinite(v) else None for k, v in asdict(row).items()}


@click.command("explain")
@click.argument("model", required=False)
@sampling_options
@json_option
def command(model: str | None, as_json: bool, quality: str | None, **words: Any) -> None:
    """Print how MODEL would be sampled: the grid, its noise levels, and the number of network calls."""
    said = settings({"model": model, "quality": quality})

    from mezzotint.making.explain import explain

    found = explain(str(said["model"].value), quality=str(said["quality"].value), **words)
    if found.remark:
        say(found.remark)
    if as_json:
        print_json(document(found))
    else:
        click.echo(str(found))
