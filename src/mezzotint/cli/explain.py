"""``mezzotint explain MODEL``: the grid, the noise levels, the number of network calls."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import json_option, print_json, sampling_options, table
from mezzotint.config import settings

if TYPE_CHECKING:
    from mezzotint.making.explain import Explanation

SCHEMA = "mezzotint/explain/1"


def named(choice: dict[str, Any]) -> str:
    """A name and its options: "karras (rho 7)"."""
    options = ", ".join(f"{k} {v}" for k, v in choice.items() if k != "name")
    return f"{choice['name']} ({options})" if options else str(choice["name"])


def text(e: Explanation) -> str:
    """For people."""
    guided = "off" if e.scale == 1 else "on, two network calls for each of the solver's"
    rows = [("level", "alpha", "sigma", "logSNR", "told to network", "calls")]
    for r in e.rows:
        told = "-" if math.isnan(r.c_noise) else f"{r.c_noise:.4f}"
        calls = str(r.calls) if r.calls else "-"
        rows.append((str(r.i), f"{r.alpha:.5f}", f"{r.sigma:.5f}", f"{r.logsnr:+.3f}", told, calls))
    return "\n".join(
        [
            f"model    {e.model}",
            f"solver   {named(e.solver)}, order {e.order}",
            f"grid     {named(e.grid)}, {e.steps} steps",
            f"guidance scale {e.scale:g} ({guided})",
            f"calls    {e.calls} of the network a picture",
            "",
            table(rows),
        ]
    )


def document(e: Explanation) -> dict[str, Any]:
    """As JSON; what is infinite or undefined is null."""
    rows = [{k: v if math.isfinite(v) else None for k, v in asdict(r).items()} for r in e.rows]
    return {"schema": SCHEMA, **asdict(e), "rows": rows}


@click.command("explain")
@click.argument("model", required=False)
@sampling_options
@json_option
def command(model: str | None, as_json: bool, quality: str | None, **words: Any) -> None:
    """Print how MODEL would be sampled: the grid, its noise levels, and the number of network calls."""
    said = settings({"model": model, "quality": quality})

    from mezzotint.making.explain import explain

    found = explain(str(said["model"].value), quality=str(said["quality"].value), **words)
    if as_json:
        print_json(document(found))
    else:
        click.echo(text(found))
