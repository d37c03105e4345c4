"""``mezzotint distill MODEL --calls 2``: a model, or an adapter of one, that needs few calls of the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.budget import budgeted
from mezzotint.cli.calibrate import EXIT_PARTLY, Phases
from mezzotint.cli.options import (
    fast_machine,
    json_option,
    machine_options,
    out_option,
    print_json,
    quiet_option,
    settled,
)
from mezzotint.cli.output import StoppedError, run_folder, say
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.cli.train import Bar
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.making.distilled.distill import Distillation


@click.command("distill")
@click.argument("model", required=False)
@click.option("--calls", type=int, default=2, show_default=True, help="Calls of the network a picture.")
@click.option(
    "--by", default="trajectory", metavar="trajectory|consistency", help="Without data, or on --data.  [trajectory]"
)
@click.option("--as", "form", default="weights", metavar="weights|adapter", help="What is learnt.  [weights]")
@click.option("--data", type=PATH, help="Pictures for consistency, as `train` takes them.")
@click.option("--prompts", type=PATH, help="A file of prompts, one a line, for a model of text.")
@click.option("--scale", type=float, help="Guidance that is learnt into the weights; 1 is none.  [the model's]")
@click.option("--updates", type=int, help="Of the whole run; the rate's decay is planned over them.  [2000]")
@click.option("--batch", type=int, help="Samples an update.  [64]")
@click.option("--rate", type=float, help="Learning rate at its peak.  [by what is learnt]")
@click.option("--rows", type=int, help="Walks of the teacher to learn from.  [8192]")
@click.option("--teacher", type=int, help="Its steps.  [16]")
@click.option("--rank", type=int, help="Of the adapter.  [16]")
@click.option("--last", type=float, help="sigma/alpha of the last call.  [by the method]")
@click.option("--loss", metavar="absolute|log|texture", help="Of a trajectory's ends.  [texture for pixels]")
@click.option("--q", type=float, help="Levels that are made consistent lie 1/q apart.  [64]")
@click.option("--snapshot", type=int, help="Updates between averages that are kept.  [none]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@out_option
@machine_options
@json_option
@quiet_option
def command(out: Path | None, resume: bool, prompts: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Make of MODEL one that needs few calls of its network, by default two.

    By trajectory it follows where many steps of the model go, without any data; by consistency its answers are made
    alike along a trajectory, on pictures. The result is a model folder that runs like any other, in its few calls, or
    with --as adapter a LoRA file to put on MODEL beside others (`generate --lora`). One that is not better than its
    start on what is held out is refused.

    Ctrl-C keeps all that is done and exits with 130; --resume goes on, to the bit.
    """
    if resume and out is None:
        raise UsageError("--resume goes on with the run in a folder; give it with --out")
    said, place = fast_machine(words), settled({"out": None if out is None else str(out)}, "out")["out"]

    from mezzotint.making.calibrated.words import prompts_of
    from mezzotint.making.distilled.words import distill
    from mezzotint.training.run import Watch

    texts = prompts_of(prompts)
    folder = run_folder(None if place is None else Path(place), "distill")
    kept = f"all that is done is kept, go on with --resume --out {folder}"
    with (
        Stop(None) as stop, budgeted("distill", stop, kept) as ends, Phases(shown=not quiet) as phases,
        Bar(shown=not quiet) as bar,
    ):  # fmt: skip
        watch = Watch(bar, ends, bar.say)
        found = distill(out=folder, prompts=texts, resume=resume, watch=watch, progressed=phases, **said)
    if found.stopped:
        raise StoppedError(f"interrupted; {kept}")
    if as_json:
        print_json(found.document)
    else:
        click.echo(text(found))
    if found.file is None:
        say("not better than its start on what is held out, and not kept; try more --updates")
        raise click.exceptions.Exit(EXIT_PARTLY)


def text(found: Distillation) -> str:
    """For people."""
    assert found.held is not None
    about, held = found.document, found.held
    head = f"{about['base']} in {about['calls']} calls, by {about['by']}: {held.measure} on what is held out"
    where = "refused" if found.file is None else str(found.file)
    return f"{head}\n{held.start:.4f} -> {held.found:.4f}  {where}"
