"""``mezzotint frontier MODEL``: quality against calls and processor time, for every solver; ``--quality`` reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.budget import budgeted
from mezzotint.cli.calibrate import Phases
from mezzotint.cli.options import (
    fast_machine,
    json_option,
    machine_options,
    out_option,
    print_json,
    quiet_option,
    whole_numbers,
)
from mezzotint.cli.output import StoppedError, run_folder
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.files import pretty_json, write_atomic

if TYPE_CHECKING:
    from mezzotint.fewstep.frontier import Point
    from mezzotint.making.frontier.frontier import Frontier

HEAD = ("setting", "calls", "CPU s", "distance", "kernel, x 1000 (95 %)")


@click.command("frontier")
@click.argument("model", required=False)
@click.option("--solver", "solvers", multiple=True, help="One to try; as often as you like.  [eight without noise]")
@click.option("--steps", default="4,5,6,8,10,15,20", show_default=True, metavar="N,N,…", help="Tried with each.")
@click.option("--scale", type=float, help="Guidance that it is measured at; 1 is off.  [the model's]")
@click.option("--prompts", type=PATH, help="A file of prompts, one a line, for a model of text.")
@click.option("-n", "--n", type=int, default=256, show_default=True, help="Pictures of each setting.")
@click.option("--exact", type=int, default=100, show_default=True, help="Steps that all are held against.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the noises.")
@machine_options
@out_option
@json_option
@quiet_option
def command(
    solvers: tuple[str, ...],
    steps: str,
    prompts: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **words: Any,
) -> None:
    """Measure what MODEL's pictures cost and how near they are to those of many steps: every solver, the model's own
    presets, grids of `--grid auto`, learned solvers.

    Prints the settings that no other beats, draws them, and keeps for each quality the cheapest one that is as good as
    the model's own preset: `generate --quality draft|standard|best` then takes it. Ctrl-C keeps what is measured and
    exits with 130; the same command goes on.
    """
    numbers, said = whole_numbers("--steps", steps), fast_machine(words)

    from mezzotint.making.calibrated.words import prompts_of
    from mezzotint.making.frontier.frontier import SOLVERS, frontier
    from mezzotint.making.frontier.plot import plot_png

    kept = "all that is measured is kept, and the same command goes on"
    with Stop(None) as stop, budgeted("frontier", stop, kept) as ends, Phases(shown=not quiet) as phases:
        found = frontier(
            solvers=solvers or SOLVERS, steps=numbers, prompts=prompts_of(prompts), progressed=phases, stop=ends, **said
        )
    if found.stopped:
        raise StoppedError(f"interrupted; {kept}")
    folder = run_folder(out, "frontier")
    write_atomic(folder / "frontier.json", pretty_json(found.document))
    write_atomic(folder / "frontier.png", plot_png(found.points, f"{found.model} at scale {found.scale:g}"))
    if as_json:
        print_json({**found.document, "out": str(folder)})
    else:
        click.echo(text(found))
        click.echo(f"drawn in {folder / 'frontier.png'}")


def text(found: Frontier) -> str:
    """For people: the settings no other beats, and what each quality takes."""
    from mezzotint.fewstep.frontier import pareto
    from mezzotint.making.table import table

    lines = [table([HEAD, *map(_row, pareto(found.points))])]
    if found.later.calls:
        lines.append(f"in every row: {found.later.calls} calls and {found.later.seconds:.4f} CPU s of its later stages")
    lines += [f"{quality}: {p.setting}" for quality, p in found.recommended.items()]
    return "\n".join(lines)


def _row(p: Point) -> tuple[str, ...]:
    k = [1000 * x for x in (p.kernel.value, p.kernel.low, p.kernel.high)]
    kernel = f"{k[0]:.2f} ({k[1]:.2f} … {k[2]:.2f})"
    return str(p.setting), f"{p.calls:g}", f"{p.seconds:.4f}", f"{p.distance:.4f}", kernel
