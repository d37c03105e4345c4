"""``mezzotint tune PHOTOS --name "acme bag"``: an adapter learnt from photographs, with evidence of what it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mezzotint.cli import EXIT_INTERRUPTED, say
from mezzotint.cli.options import chain, json_option, model_option, out_option, print_json, quiet_option
from mezzotint.cli.output import run_folder
from mezzotint.cli.stop import Stop
from mezzotint.config import DEVICES, DTYPES, settings

if TYPE_CHECKING:
    from mezzotint.tuning.settings import Settings

_what = chain(
    click.option("--name", required=True, help='What prompts will call it: "acme bag".'),
    click.option("--class", "kind", help="What it is one of.  [the last word of its name]"),
    click.option("--also", multiple=True, metavar="FOLDER=NAME[:CLASS]", help="A further subject; repeatable."),
    model_option,
    click.option("--judge-by", type=click.Path(path_type=Path), help="A folder of photographs to judge by alone."),
    click.option("--photo-licence", default="", help="Whose the photographs are, for the adapter's passport."),
)
_how = chain(
    click.option(
        "--method", default="lora", show_default=True, help="lora, rslora, dora, pissa, lokr, loha, oft, full."
    ),
    click.option("--rank", type=int, default=16, show_default=True, help="Of its matrices."),
    click.option("--alpha", type=float, help="Scales what is learnt by alpha / rank.  [rank]"),
    click.option("--lora-plus", type=float, default=1.0, show_default=True, help="How much faster B is learnt than A."),
    click.option("--targets", help="A regular expression of the layers' names.  [attention, and our perceptrons]"),
    click.option("--steps", type=int, default=600, show_default=True, help="Updates."),
    click.option("--batch", type=int, default=16, show_default=True, help="Pictures an update."),
    click.option("--rate", type=float, default=1e-3, show_default=True, help="Learning rate."),
    click.option("--share", type=float, default=0.25, show_default=True, help="Of rows that keep the base as it is."),
    click.option("--prior", type=float, default=1.0, show_default=True, help="How much those count."),
    click.option("--outside", type=float, default=0.2, show_default=True, help="How much what is behind it counts."),
    click.option("--moments", type=int, default=4, show_default=True, help="Points of the run that are candidates."),
    click.option("--prior-pictures", type=int, help="Made by the base, to stay so.  [32 by a small one, else 0]"),
    click.option("-n", "--n", type=int, default=16, show_default=True, help="Pictures of each sort for the evidence."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn."),
)
_where = chain(
    click.option("--device", metavar="|".join(DEVICES), help="Where the network runs.  [auto]"),
    click.option("--dtype", metavar="|".join(DTYPES), help="Number format of the base.  [fastest]"),
    click.option("--threads", type=int, help="Processor threads."),
    click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop after this long, resumable."),
    click.option("--resume", is_flag=True, help="Go on with the run in --out."),
    out_option,
    json_option,
    quiet_option,
)


@click.command("tune")
@click.argument("photos", type=click.Path(path_type=Path))
@_what
@_how
@_where
def command(photos: Path, quiet: bool, as_json: bool, resume: bool, minutes: float | None, **words: Any) -> None:
    """Learn a product from the folder PHOTOS: four to twenty photographs of it, as they are.

    Captions (NAME.txt, metadata.jsonl) and masks (NAME.mask.png, white where the product is) may lie beside them;
    without masks a product is cut out where the background is plain. What is learnt is judged by photographs that are
    held apart, on fixed noise, against the base: how like them its pictures are, whether prompts still work, whether
    other things stayed as they were. The best moment is kept: adapter.safetensors, report.html.

    Ctrl-C finishes the step and exits with 130; --resume with the same words then gives the same adapter, to the bit.
    """
    said = settings({k: words[k] for k in ("model", "device", "threads")})
    folder = run_folder(words["out"], "tune")
    start: Literal["new", "resume"] = "resume" if resume else "new"

    from mezzotint.cli.train import Bar
    from mezzotint.making.tuned.tune import tuned
    from mezzotint.making.tuned.wish import Wish, subjects_of
    from mezzotint.pretrained.device import use_threads
    from mezzotint.training.run import Watch

    use_threads(None if said["threads"].value is None else int(said["threads"].value))
    wish = Wish(
        photos=subjects_of(photos, words["name"], words["kind"], words["also"]),
        model=str(said["model"].value),
        settings=_settings(words),
        judge_by=words["judge_by"],
        n=words["n"],
        prior_pictures=words["prior_pictures"],
        photo_licence=words["photo_licence"],
        device=str(said["device"].value),
        dtype=words["dtype"] or "fastest",
    )
    with Stop(minutes) as stop, Bar(shown=not quiet) as bar:
        made = tuned(wish, folder, start, Watch(bar, stop, bar.say), bar.say)
    if made.found is None:
        say(f"stopped; go on with the same words, --resume --out {folder}")
        raise click.exceptions.Exit(EXIT_INTERRUPTED if stop.interrupted else 0)

    from mezzotint.tuning.report import document, text

    if as_json:
        print_json({**document(made.found), "out": str(folder), "adapter": str(made.adapter)})
        return
    click.echo(text(made.found))
    if not quiet:
        print(f"{folder / 'report.html'} shows the pictures", file=sys.stderr)


def _settings(words: dict[str, Any]) -> Settings:
    """Raises UsageError."""
    from mezzotint.tuning.settings import Method, Settings

    method = Method(words["method"], words["rank"], words["alpha"], words["lora_plus"], words["targets"])
    names = ("steps", "batch", "rate", "share", "prior", "outside", "moments", "seed")
    return Settings(method, *(words[name] for name in names))
