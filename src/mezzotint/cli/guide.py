"""``mezzotint guide MODEL --scale 2``: guidance learnt into a small change of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.budget import budgeted
from mezzotint.cli.calibrate import EXIT_PARTLY, Phases
from mezzotint.cli.options import fast_machine, json_option, machine_options, print_json, quiet_option
from mezzotint.cli.output import StoppedError, say
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.making.guided.guide import Guide

SCHEMA = "mezzotint/guide/1"


def _scales(text: str | None) -> tuple[float, float] | None:
    """ "2" -> (2, 2); "1.5,4" -> (1.5, 4).  Raises UsageError."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) not in (1, 2):
        raise UsageError(f"--scale {text!r}: expected a number such as 2, or LOW,HIGH such as 1.5,4")
    return parts[0], parts[-1]


@click.command("guide")
@click.argument("model", required=False)
@click.option("--scale", metavar="S|LOW,HIGH", help="Guidance that it is made for.  [the model's]")
@click.option("--guidance-interval", metavar="LOW,HIGH", help="The noise, sigma/alpha, in which guidance is on.  [all]")
@click.option("--prompts", type=PATH, help="A file of prompts, one a line, for a model of text.")
@click.option("--updates", type=int, help="Of the fit.  [2000]")
@click.option("--batch", type=int, help="Rows of each.  [32]")
@click.option("--rank", type=int, help="Of each layer's change.  [4]")
@click.option("--rate", type=float, help="Of learning.  [0.003]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn.")
@machine_options
@json_option
@quiet_option
def command(scale: str | None, prompts: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Learn guidance into MODEL, so that it takes one call of the network in the place of two: `generate --guidance
    distilled` then uses it.

    A few percent of numbers are learnt on top of the weights, which stay as they are, until the conditional answer is
    the guided one, at one scale or at all of a range. What leaves the pictures too far from those of two calls, on
    noise it has not seen, is refused. It is kept under the model's hash in the user's home.

    Ctrl-C keeps all that is done and exits with 130; the same command goes on, to the bit.
    """
    scales, said = _scales(scale), fast_machine(words)

    from mezzotint.making.calibrated.words import prompts_of
    from mezzotint.making.guided.words import guide

    kept = "all that is done is kept, and the same command goes on"
    with Stop(None) as stop, budgeted("guide", stop, kept) as ends, Phases(shown=not quiet) as phases:
        found = guide(scale=scales, prompts=prompts_of(prompts), progressed=phases, stop=ends, **said)
    if found.stopped:
        raise StoppedError(f"interrupted; {kept}")
    if as_json:
        print_json(document(found))
    else:
        click.echo(text(found))
    if found.file is None:
        say("too far from the pictures of two calls, and not kept; try more --updates, or a higher --rank")
        raise click.exceptions.Exit(EXIT_PARTLY)


def text(found: Guide) -> str:
    """For people."""
    head = (
        f"{found.model}: {100 * found.share:.1f} % of its numbers learnt in {found.seconds:.0f} s of processor time;"
        " distance to the pictures of two calls on held-out noise"
    )
    lines = [f"scale {c.scale:<4g} {c.without:.4f} without guidance -> {c.found:.4f}" for c in found.checked]
    return "\n".join([head, *lines, "refused" if found.file is None else str(found.file)])


def document(found: Guide) -> dict[str, Any]:
    """As JSON."""
    from mezzotint.making.guided.checked import measured

    bounds = None if found.interval is None else [b if b < float("inf") else None for b in found.interval]
    return {
        "schema": SCHEMA,
        "model": found.model,
        "scales": list(found.scales),
        "interval": bounds,
        "share": found.share,
        "held_out": measured(found.checked),
        "seconds": round(found.seconds, 2),
        "kept": found.file is not None,
        "file": None if found.file is None else str(found.file),
    }
