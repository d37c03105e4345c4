"""``mezzotint tune PHOTOS --name "acme bag"``: an adapter learnt from photographs, with evidence of what it does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import click

from mezzotint.cli.budget import budgeted
from mezzotint.cli.options import (
    chain,
    json_option,
    licence_options,
    model_option,
    out_option,
    print_json,
    quiet_option,
    settled,
)
from mezzotint.cli.output import Bar as PictureBar
from mezzotint.cli.output import StoppedError, run_folder, say
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.config import DEVICES, DTYPES
from mezzotint.errors import UsageError

_what = chain(
    click.option("--name", required=True, help='What prompts will call it: "acme bag".'),
    click.option("--class", "kind", help="What it is one of.  [the last word of its name]"),
    click.option("--also", multiple=True, metavar="FOLDER=NAME[:CLASS]", help="A further subject; repeatable."),
    model_option,
    click.option("--size", metavar="WxH", help="Of what is learnt from and judged, square.  [the model's own]"),
    click.option("--judge-by", type=PATH, help="A folder of photographs to judge by alone."),
    click.option("--photo-licence", default="", help="Whose the photographs are, for the adapter's passport."),
    licence_options,
)
_how = chain(
    click.option(
        "--method",
        default="lora",
        show_default=True,
        help="lora, rslora, tlora, dora, pissa, lokr, loha, oft, full, textual-inversion.",
    ),
    click.option("--rank", type=int, default=16, show_default=True, help="Of its matrices."),
    click.option("--rank-at-noise", type=int, help="Of tlora: the rank that acts at full noise.  [half of it]"),
    click.option("--alpha", type=float, help="Scales what is learnt by alpha / rank.  [rank]"),
    click.option("--lora-plus", type=float, default=1.0, show_default=True, help="How much faster B is learnt than A."),
    click.option(
        "--text-encoder",
        type=float,
        default=0.0,
        show_default=True,
        help="How many times as fast text encoders learn; 0 leaves them.  Stable Diffusion 1, 2, XL.",
    ),
    click.option("--vectors", type=int, default=1, show_default=True, help="Of textual-inversion: tokens of the word."),
    click.option("--initial", default="", help="Of textual-inversion: the word it begins as.  [the class]"),
    click.option("--targets", help="A regular expression of the layers' names.  [attention, and our perceptrons]"),
    click.option("--steps", type=int, help="Updates.  [160; with --resume the run's own]"),
    click.option("--batch", type=int, default=8, show_default=True, help="Pictures an update."),
    click.option("--rate", type=float, help="Learning rate.  [4e-3 of a small base, 1e-4 of a large one]"),
    click.option("--share", type=float, default=0.25, show_default=True, help="Of rows that keep the base as it is."),
    click.option("--prior", type=float, default=4.0, show_default=True, help="How much those count."),
    click.option(
        "--outside",
        type=float,
        default=0.2,
        show_default=True,
        help="How much what is behind it counts where no words say it.",
    ),
    click.option("--moments", type=int, default=2, show_default=True, help="Points of the run that are candidates."),
    click.option("--prior-pictures", type=int, help="Made by the base, to stay so.  [32 by a small one, else 0]"),
    click.option("-n", "--n", type=int, default=12, show_default=True, help="Pictures of each sort for the evidence."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn."),
)
_where = chain(
    click.option("--device", metavar="|".join(DEVICES), help="Where the network runs.  [auto]"),
    click.option("--dtype", metavar="|".join(DTYPES), default="fastest", help="Number format of the base.  [fastest]"),
    click.option("--threads", type=int, help="Processor threads."),
    click.option(
        "--gradient-checkpointing", is_flag=True, help="Compute blocks once more for their gradients: less memory."
    ),
    click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop after this long, resumable."),
    click.option("--resume", is_flag=True, help="Go on with the run in --out."),
    out_option,
    json_option,
    quiet_option,
)


@click.command("tune")
@click.argument("photos", type=PATH)
@_what
@_how
@_where
def command(
    photos: Path, out: Path | None, minutes: float | None, resume: bool, as_json: bool, quiet: bool, **words: Any
) -> None:
    """Learn a product from the folder PHOTOS: four to twenty photographs of it, as they are.

    Captions (NAME.txt, metadata.jsonl) and masks (NAME.mask.png or .jpg …, white where the product is) may lie beside
    them; without masks a product is cut out where the background is plain. What is learnt is judged by photographs that
    are held apart, on fixed noise, against the base: how like them its pictures are, whether prompts still work,
    whether other things stayed as they were. The best moment is kept: adapter.safetensors (of textual-inversion
    learned_embeds.safetensors), report.html.

    Ctrl-C finishes the step, also while pictures are made to judge by, and exits with 130; --resume with the same words
    then gives the same adapter, to the bit.
    """
    if resume and out is None:
        raise UsageError("--resume goes on with a run; name its folder with --out")
    new = out is None or not out.exists()
    said, folder = settled(words, "model", "device", "threads"), run_folder(out, "tune")

    from mezzotint.cli.train import Bar
    from mezzotint.making.tuned.cleared import unless_empty
    from mezzotint.making.tuned.words import tune
    from mezzotint.training.run import Watch

    kept = f"go on with the same words, --resume --out {folder}"
    with (
        unless_empty(folder, new), Stop(minutes) as stop, budgeted("tune", stop, kept) as ends,
        Bar(shown=not quiet) as bar, Pictures(bar.end, shown=not quiet) as pictures,
    ):  # fmt: skip
        watch = Watch(bar, ends, bar.say)
        made = tune(photos, out=folder, resume=resume, watch=watch, pictured=pictures, **said)
    if made.found is None:
        _stopped(folder, stop.interrupted, as_json)
        return

    from mezzotint.tuning.report import document, text

    if as_json:
        print_json({**document(made.found), "out": str(folder), "adapter": str(made.adapter)})
        return
    click.echo(text(made.found))
    if not quiet:
        print(f"{folder / 'report.html'} shows the pictures", file=sys.stderr)


class Pictures:
    """Progress with time left while pictures are made, a bar for each purpose; ``begin`` is called before each."""

    def __init__(self, begin: Callable[[], None], shown: bool) -> None:
        self._begin, self._shown = begin, shown
        self._what, self._bars = "", ExitStack()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._begin()
            self._bars.close()
            self._what, self._bar = what, self._bars.enter_context(PictureBar(total, "picture", self._shown))
        self._bar.at(done, what)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.close()


def _stopped(folder: Path, interrupted: bool, as_json: bool) -> None:
    """Says how to go on.  Raises StoppedError where it was Ctrl-C."""
    how = f"stopped; go on with the same words, --resume --out {folder}"
    if interrupted:
        raise StoppedError(how)
    say(how)
    if as_json:
        print_json({"schema": "mezzotint/tune/1", "stopped": True, "out": str(folder)})
