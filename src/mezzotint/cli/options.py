"""Options that commands share, under the same names everywhere, and how their answers are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from mezzotint.cli.output import unseen
from mezzotint.cli.paths import PATH
from mezzotint.config import DEFAULT_MODEL, DEVICES, DTYPES, MARKS, QUALITIES, settings
from mezzotint.errors import UsageError
from mezzotint.governance.licence.words import MODES, USES

Command = Callable[..., Any]


def chain(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several option decorators as one, in the order they are to be listed."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress, no messages but errors.")
model_option = click.option("--model", metavar="NAME|PATH", help=f"A model's name, folder or file.  [{DEFAULT_MODEL}]")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Picture k has seed + k; below 2^63.")
out_option = click.option("--out", type=PATH, help="The run's folder.  [./mezzotint-out/<time>-<command>]")
sampling_options = chain(
    click.option("--quality", metavar="|".join(QUALITIES), help="The model's preset for the next four.  [standard]"),
    click.option("--steps", type=int, help="Steps of the solver."),
    click.option("--scale", type=float, help="Guidance; 1 is off."),
    click.option(
        "--solver",
        help="A solver, also by its name in diffusers, A1111 or ComfyUI; or learned (see calibrate).",
    ),
    click.option("--grid", help="How the noise levels are spaced; auto: optimised for model, solver and steps."),
)
guidance_options = chain(
    click.option(
        "--guidance-interval", metavar="LOW,HIGH", help="The noise, sigma/alpha, in which guidance is on.  [all]"
    ),
    click.option(
        "--guidance",
        metavar="distilled|auto:weak=PATH|rescaled:PHI|apg:ETA,NORM",
        help="By its own weights (see guide), by a worse model, with its contrast kept, or only across the answer.",
    ),
    click.option(
        "--cache",
        metavar="T",
        type=float,
        help="Skip blocks whose first one changed by less; 0.1, of many steps.  [never]",
    ),
)
machine_options = chain(
    click.option("--device", metavar="|".join(DEVICES), help="Where the network runs.  [auto]"),
    click.option("--dtype", metavar="|".join(DTYPES), help="Its number format.  [auto]"),
    click.option("--threads", type=int, help="Processor threads."),
)
mark_option = click.option(
    "--mark", metavar="|".join(MARKS), help="Put an invisible mark into the pixels.  [auto: where there is a key]"
)
ranker_options = chain(
    click.option(
        "--candidates", type=int, help="Drafts of which the model's ranker has the best made; 1 is none.  [preset's]"
    ),
    click.option(
        "--classifier-scale",
        type=float,
        metavar="S",
        help="How far that ranker moves every step to what is named; 0 is off.  [preset's]",
    ),
)
batch_option = click.option(
    "--batch", type=int, help="Rows computed together; pictures are equal to the bit for equal numbers."
)
picture_options = chain(
    seed_option, sampling_options, machine_options, batch_option, out_option, mark_option, json_option, quiet_option
)
"""Of a command that makes pictures from a picture."""
use_option = click.option(
    "--use",
    metavar="|".join(USES),
    help="What it is for: licences must allow that.  [as mezzotint.toml declares]",
)
licence_options = chain(
    use_option,
    click.option(
        "--licence-mode", metavar="|".join(MODES), help="Where they do not allow it: refuse, or say so.  [enforce]"
    ),
)


def settled(words: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Options, those of these names as settings have them where the line leaves them out.  Raises UsageError,
    InputError."""
    said = settings({name: words[name] for name in names})
    return {**words, **{name: said[name].value for name in names}}


def fast_machine(words: Mapping[str, Any]) -> dict[str, Any]:
    """Options, model, device, dtype and threads as settings have them; the fastest number format, unless somebody says
    another, for commands that take long.  Raises UsageError, InputError."""
    found = settled(words, "model", "device", "dtype", "threads")
    unsaid = settings({"dtype": words["dtype"]})["dtype"].source == "default"
    return {**found, "dtype": "fastest"} if unsaid else found


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """ "4,6,8" -> the numbers.  Raises UsageError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} {text!r}: expected whole numbers with commas between, such as 4,6,8")
    return tuple(map(int, parts))


def print_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of a command, on standard output; what is no letter of a name is in escapes of JSON's."""
    click.echo(unseen(json.dumps(document, indent=2, ensure_ascii=False)))


def human_bytes(n: int) -> str:
    """A size for people, in powers of 1000: 1234567 -> "1.2 MB"."""
    power = min((len(str(n)) - 1) // 3, 4)
    return f"{n / 1000**power:.{min(power, 1)}f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
