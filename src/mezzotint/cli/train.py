"""``mezzotint train RECIPE``: trains a recipe in a folder; Ctrl-C saves a checkpoint, ``--resume`` goes on from it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import click

from mezzotint.cli import EXIT_INTERRUPTED
from mezzotint.cli.options import json_option, licence_options, out_option, print_json, quiet_option
from mezzotint.cli.output import OUT, run_folder, say
from mezzotint.cli.paths import PATH
from mezzotint.cli.stop import Stop
from mezzotint.config import DEVICES, settings
from mezzotint.errors import BudgetSpentError, UsageError

if TYPE_CHECKING:
    from mezzotint.costs.meter import Used
    from mezzotint.training.loop import Progress
    from mezzotint.training.recipe import Recipe
    from mezzotint.training.run import Outcome


class Bar:
    """Progress with time left on standard error, the running loss beside it; nothing unless ``shown``."""

    def __init__(self, shown: bool) -> None:
        self._bar: Any = None
        self._shown, self._mean = shown, 0.0

    def __call__(self, progress: Progress) -> None:
        if not self._shown:
            return
        if self._bar is None:
            self._begin(progress)
        self._mean += 0.02 * (progress.loss - self._mean)
        self._bar.set_postfix_str(f"loss {self._mean:.4f}, {progress.images_per_s:,.0f} images/s", refresh=False)
        self._bar.update(progress.step - self._bar.n)
        if progress.validation:
            self.say(f"step {progress.step}: validation loss {progress.validation.loss:.5f}")

    def _begin(self, progress: Progress) -> None:
        from tqdm.std import tqdm

        self._mean = progress.loss
        # A resumed run begins where it is, or the time left would count steps that another process made.
        steps = {"total": progress.steps, "initial": progress.step - 1, "unit": "step"}
        self._bar = tqdm(**steps, file=sys.stderr, dynamic_ncols=True, mininterval=0.5)

    def say(self, text: str) -> None:
        """A line, above the bar where there is one."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif self._shown:
            print(text, file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def end(self) -> None:
        """Closes the bar; what is said after it is a line of its own."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def __exit__(self, *error: object) -> None:
        self.end()


class Board:
    """TensorBoard events: loss, grad_norm, rate, images_per_s, validation.  Raises UsageError without the package."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UsageError("--tensorboard needs the package; install mezzotint[tensorboard]") from None
        self._folder, self._make = folder, SummaryWriter
        self._writer: SummaryWriter | None = None

    def __call__(self, progress: Progress) -> None:
        # Events after the step that a resumed run went on from are void: TensorBoard is told where it begins.
        writer = self._writer = self._writer or self._make(str(self._folder), purge_step=progress.step)
        for name in ("loss", "grad_norm", "rate", "images_per_s"):
            writer.add_scalar(name, getattr(progress, name), progress.step)
        if progress.validation:
            writer.add_scalar("validation", progress.validation.loss, progress.step)
            writer.flush()


def together(*reports: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """One report that makes all of them."""

    def report(progress: Progress) -> None:
        for each in reports:
            each(progress)

    return report


def _latest(name: str) -> Path:
    """The newest run of a recipe under ``./mezzotint-out``.  Raises UsageError when there is none."""
    for file in sorted(OUT.glob("*-train*/run.json"), reverse=True):
        if json.loads(file.read_bytes()).get("recipe") == name:
            return file.parent
    raise UsageError(f"no earlier run of {name} under ./{OUT}; give its folder with --out")


def _resumed(out: str | int | None, name: str) -> Path:
    return _latest(name) if out is None else Path(str(out))


def _folder(out: str | int | None, resume: bool, name: str) -> Path:
    if resume and out is None:
        return _latest(name)
    return run_folder(None if out is None else Path(str(out)), "train")


def _parts(said: tuple[str, ...]) -> dict[str, Path]:
    """ "NAME=FOLDER" each.  Raises UsageError."""
    found = dict(text.partition("=")[::2] for text in said)
    if not all(found.values()) or len(found) != len(said):
        raise UsageError(f"--part {' '.join(said)}: expected NAME=FOLDER, each name once")
    return {name: Path(folder) for name, folder in found.items()}


def _changed(recipe: Recipe, steps: int | None, seed: int | None, data_licence: str | None) -> Recipe:
    return replace(
        recipe,
        steps=steps or recipe.steps,
        seed=recipe.seed if seed is None else seed,
        data_licence=recipe.data_licence if data_licence is None else data_licence,
    )


def _feeders(said: int | None, device: str, processes: int) -> int:
    """How many processes prepare pictures: a CPU's cores are the network's; an accelerator is faster than one core
    draws."""
    if said is not None:
        return said
    return 0 if device == "cpu" else max(0, (os.cpu_count() or 1) // processes - 1)


def _document(outcome: Outcome, model: Path | None) -> dict[str, Any]:
    return {
        "schema": "mezzotint/train/1",
        "recipe": outcome.training.recipe.name,
        "out": str(outcome.folder),
        "reason": outcome.reason,
        "step": outcome.training.step,
        "steps": outcome.training.recipe.steps,
        "loss": outcome.loss,
        "validation": outcome.validation.loss if outcome.validation else None,
        "seconds": round(outcome.seconds, 3),
        "model": str(model) if model else None,
    }


@click.command("train")
@click.argument("recipe")
@click.option("--data", type=PATH, help="Folder of the data set; the recipe knows a default.")
@click.option("--data-licence", help="Of that data: an id of `mezzotint licence --records`, or `our own`.")
@out_option
@click.option("--resume", is_flag=True, help="Go on from the last good checkpoint in --out, or of the latest run.")
@click.option("--from", "first", type=PATH, help="A trained model's folder to begin with: RUN/model.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Updates of the whole run; the rate's decay is planned over them.  With --resume: its new length.",
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop after this long, resumable.")
@click.option("--seed", type=int, help="Weights at the start, order, noise; below 2^63.  [the recipe's]")
@click.option("--device", metavar="|".join(DEVICES), help="Where the network runs.  [auto]")
@click.option("--threads", type=int, help="Processor threads; bits are equal for equal numbers of them.")
@click.option(
    "--feeders",
    type=click.IntRange(0),
    help="Processes that prepare pictures.  [CPU: 0; else all but one core]",
)
@click.option(
    "--compile",
    "compiled",
    is_flag=True,
    help="Compile the network's blocks: slow start, fast steps, other rounding.",
)
@click.option(
    "--strategy", default="ddp", metavar="ddp|fsdp", help="How torchrun's processes share the network.  [ddp]"
)
@click.option("--part", multiple=True, metavar="NAME=FOLDER", help="A trained part that the recipe needs; repeatable.")
@licence_options
@click.option("--tensorboard", is_flag=True, help="Also write TensorBoard events into the run's folder.")
@json_option
@quiet_option
def command(
    recipe: str,
    data: Path | None,
    data_licence: str | None,
    out: Path | None,
    resume: bool,
    first: Path | None,
    steps: int | None,
    minutes: float | None,
    seed: int | None,
    device: str | None,
    threads: int | None,
    feeders: int | None,
    compiled: bool,
    strategy: str,
    part: tuple[str, ...],
    use: str | None,
    licence_mode: str | None,
    tensorboard: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train RECIPE: a name (fashion) or a Python file with a function that returns a Recipe.

    --minutes only stops: the learning rate follows the steps, so a run that should end in a given time needs --steps.
    Ctrl-C (and SIGTERM) finish the step, write a checkpoint and exit with 130; --resume then gives the same weights,
    to the bit, as a run that was never interrupted. With --steps, --resume also makes a run longer or shorter.
    """
    said = settings({"device": device, "threads": threads, "out": None if out is None else str(out)})

    from mezzotint.making.licensed import licensed_data, licensed_to_train

    parts = _parts(part)
    notes = licensed_to_train(first, parts, use, licence_mode)  # before anything is read

    import torch

    from mezzotint.costs.meter import started
    from mezzotint.costs.prices import declared
    from mezzotint.costs.purse import Heeding, purse
    from mezzotint.costs.runs import note, noted
    from mezzotint.pretrained.device import device_for, use_threads
    from mezzotint.training.distributed import joined
    from mezzotint.training.export import export, exported
    from mezzotint.training.first import began_with
    from mezzotint.training.loader import load_recipe
    from mezzotint.training.run import Watch, fit

    workers = use_threads(None if said["threads"].value is None else int(said["threads"].value))
    chosen = _changed(load_recipe(recipe, parts), steps, seed, data_licence)
    if resume:
        begun = began_with(_resumed(said["out"].value, chosen.name))
        notes = licensed_to_train(first, parts, use, licence_mode, begun.first)
        licence = begun.data_licence if data_licence is None else data_licence
        seeded = begun.seed if seed is None else seed
        chosen = _changed(chosen, begun.steps if steps is None else steps, seeded, licence)
    notes += licensed_data(chosen.data_licence, use, licence_mode)
    samples = chosen.data(data)
    said_of_it = exported(chosen, samples.train.classes)
    here = torch.device(device_for(str(said["device"].value)))
    with (
        joined(here, strategy) as ranks,
        Stop(minutes) as stop,
        Bar(shown=ranks.first and not quiet) as bar,
        ExitStack() as spending,
    ):
        # One process chooses the folder: a name made of the time differs between clocks.
        names = ranks.gather([str(_folder(said["out"].value, resume, chosen.name))] if ranks.first else [])
        folder = Path(names[0])
        boards = (Board(folder / "tensorboard"),) if tensorboard and ranks.first else ()
        before, began = noted(folder), started()
        money = spending.enter_context(purse("train")) if ranks.first else None
        heeding = Heeding(stop, money)
        watch = Watch(together(bar, *boards), heeding, bar.say)
        for line in notes if ranks.first else ():
            watch.say(line)
        start: Literal["new", "resume"] = "resume" if resume else "new"
        outcome = fit(
            chosen, folder, samples, start=start, first=first, device=here, ranks=ranks, compiled=compiled,
            workers=workers, feeders=_feeders(feeders, here.type, ranks.world), watch=watch,
        )  # fmt: skip
        if ranks.first:
            note(folder, _used(outcome, before, began.used(0, here.type)), declared())
        cut = (stop.interrupted or heeding.refused is not None) and outcome.reason == "stopped"
        model = export(outcome, said_of_it) if said_of_it and not cut else None
    if cut and heeding.refused is not None:
        step = outcome.training.step
        raise BudgetSpentError(f"stopped after step {step}: {heeding.refused}; go on with --resume --out {folder}")
    if cut and ranks.first:
        say(f"interrupted after step {outcome.training.step}; go on with --resume --out {folder}")
    if cut:
        raise click.exceptions.Exit(EXIT_INTERRUPTED)
    if ranks.first:
        _finish(outcome, model, as_json, quiet)


def _used(outcome: Outcome, before: Used, now: Used) -> Used:
    """In all: seconds and steps as the checkpoints count them; processor time of this process and what was noted."""
    gpu = 0.0 if now.gpu_seconds == 0 else outcome.seconds
    return replace(now, calls=outcome.training.step, seconds=outcome.seconds, gpu_seconds=gpu,
                   cpu_seconds=before.cpu_seconds + now.cpu_seconds)  # fmt: skip


def _finish(outcome: Outcome, model: Path | None, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(_document(outcome, model))
    elif not quiet:
        more = "" if outcome.reason == "done" else f"; go on with --resume --out {outcome.folder}"
        where = model or outcome.folder / "checkpoints"
        print(f"{outcome.training.step} steps; the model is in {where}{more}", file=sys.stderr)
