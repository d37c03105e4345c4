"""``mezzotint calibrate MODEL --calls 4,6,8``: solvers that are fitted to a model, a few kilobytes each."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from mezzotint.cli.budget import budgeted
from mezzotint.cli.options import fast_machine, json_option, machine_options, print_json, quiet_option, whole_numbers
from mezzotint.cli.output import Bar, StoppedError, say
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.making.calibrated.counts import TEACHER, check_calls

if TYPE_CHECKING:
    from mezzotint.making.calibrated.calibrate import Calibration, Made

SCHEMA = "mezzotint/calibrate/1"
EXIT_PARTLY = 3


class Phases:
    """A bar, with time left, for each thing that is done in turn."""

    def __init__(self, shown: bool) -> None:
        self._shown, self._what, self._bar = shown, "", Bar(0, "", False)

    def __call__(self, what: str, done: int, total: int, note: str) -> None:
        if what != self._what:
            self._bar.__exit__(None, None, None)
            self._what, self._bar = what, Bar(total, "row" if what == "teacher" else "update", self._shown)
        self._bar.at(done, f"{what}, {note}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)


@click.command("calibrate")
@click.argument("model", required=False)
@click.option("--calls", default="4,6,8", show_default=True, metavar="N,N,…", help="Calls of the network a picture.")
@click.option("--scale", type=float, help="Guidance that it is made for; 1 is off.  [the model's]")
@click.option("--prompts", type=PATH, help="A file of prompts, one a line, for a model of text.")
@click.option("--rows", type=int, help="Pictures of the teacher to learn from.  [1024]")
@click.option("--updates", type=int, help="Of each fit.  [800]")
@click.option("--teacher", type=int, help="Its steps.  [24]")
@click.option("--loss", metavar="absolute|log|texture", help="What of a difference counts.  [texture for pixels]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn.")
@machine_options
@json_option
@quiet_option
def command(calls: str, prompts: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Fit solvers to MODEL that need few calls of its network: `generate --solver learned --steps 6` then uses them.

    A solver's grid, weights and times are moved until its pictures are those of many steps from the same noise. One
    that is not better on noise it has not seen than the solver it began with, by loss and by distance, is refused.
    Each is made for one number of calls and one guidance scale, and kept under the model's hash in the user's home.

    Ctrl-C keeps all that is done and exits with 130; the same command goes on, to the bit.
    """
    numbers = whole_numbers("--calls", calls)
    check_calls(numbers, TEACHER if words["teacher"] is None else words["teacher"])
    said = fast_machine(words)

    from mezzotint.making.calibrated.words import calibrate, prompts_of

    kept = "all that is done is kept, and the same command goes on"
    with Stop(None) as stop, budgeted("calibrate", stop, kept) as ends, Phases(shown=not quiet) as phases:
        found = calibrate(calls=numbers, prompts=prompts_of(prompts), progressed=phases, stop=ends, **said)
    if found.stopped:
        raise StoppedError(f"interrupted; {kept}")
    if as_json:
        print_json(document(found))
    else:
        click.echo(text(found))
    refused = [one.found.calls for one in found.made if one.file is None]
    if refused:
        say(f"no better than their start, and not kept: {', '.join(map(str, refused))} calls; try more --updates")
        raise click.exceptions.Exit(EXIT_PARTLY)


def text(found: Calibration) -> str:
    """For people."""
    head = f"{found.model} at scale {found.scale:g}: distance to {found.teacher} on held-out noise"
    return "\n".join([head, *map(_line, found.made)])


def _line(one: Made) -> str:
    """Its distance, before and after; of one that is refused by which check."""
    c = one.found.checked
    where = f"refused: {', '.join(c.wanting)}" if one.file is None else str(one.file)
    return (
        f"{one.found.calls:>3} calls  {c.start:.4f} -> {c.found:.4f}  in {one.seconds:.0f} s of processor time  {where}"
    )


def document(found: Calibration) -> dict[str, Any]:
    """As JSON."""
    solvers = [
        {"calls": one.found.calls, "seconds": round(one.seconds, 2), "kept": one.file is not None,
         "file": None if one.file is None else str(one.file), **one.found.measured}
        for one in found.made
    ]  # fmt: skip
    about = {"model": found.model, "scale": found.scale, "teacher": found.teacher, "seconds": round(found.seconds, 2)}
    return {"schema": SCHEMA, **about, "solvers": solvers}
