"""The command line: ``mezzotint VERB OBJECT --option value``.  A command's module is imported when it is run."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from mezzotint import __version__
from mezzotint.cli.lazy import Lazy
from mezzotint.errors import MezzotintError

EXIT_DONE, EXIT_BUG, EXIT_WRONG, EXIT_INTERRUPTED = 0, 1, 2, 130

COMMANDS = {
    "generate": "Make pictures of a prompt.",
    "vary": "Make pictures like a given one, or from one to another.",
    "upscale": "Make a picture larger.",
    "noise": "Show the forward process on a picture: what a model has to undo.",
    "train": "Train a recipe; resumable.",
    "tune": "Learn a product from a few photographs: an adapter, with evidence.",
    "render": "Photograph a catalog of 3-D products, for training.",
    "calibrate": "Fit solvers to a model that need few calls of its network; resumable.",
    "guide": "Learn guidance into a model: one call of its network in the place of two; resumable.",
    "distill": "Make a model, or an adapter of one, that needs few calls of its network; resumable.",
    "frontier": "Measure quality against calls of the network for every solver; --quality reads it.",
    "evaluate": "Measure a model: distances, precision and recall, copies, adherence to prompts.",
    "compare": "Evaluate several models in the same way, side by side.",
    "cost": "Show what was spent against caps; plan what pictures will take; compare.",
    "catalog": "From a manifest of products to a finished catalog: check, plan, run, report.",
    "ab": "Read what a test says of a catalog's factors: lifts, winners, the next round.",
    "models": "List the models at hand, with licences and sizes.",
    "licence": "Say whether licences allow a use of a model, with the quotes.",
    "check": "Say what the gates make of texts and pictures: allow, review, block.",
    "protect": "Register pictures whose copies are not given out, and banned marks.",
    "pull": "Fetch a model from the Hugging Face hub: the only command that uses the network.",
    "read": "Print the command that makes a picture again, whoever made it.",
    "export": "Write a model for ONNX Runtime or OpenVINO, which run it without torch.",
    "convert": "Write pickled checkpoints as safetensors.",
    "inspect": "Say what a file or folder is: weights, model, receipt, picture, run.",
    "explain": "Print a model's grid, noise levels and network calls.",
    "verify": "Say what speaks for a picture: credential, receipt, ledger, mark.",
    "replay": "Make a receipt's picture again and say which factor made it another.",
    "ledger": "Check the record of the pictures that were made.",
    "keys": "Make the keys that sign, mark and seal pictures.",
    "quarantine": "Open the sealed box of a picture that a gate withheld.",
    "evidence": "Set what was done beside what NIST asks; record incidents.",
    "config": "Show every setting and where its value comes from.",
}


@click.command(
    cls=Lazy,
    package="mezzotint.cli",
    said=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mezzotint")
def group() -> None:
    """Train, tune, run and answer for denoising diffusion models.

    `mezzotint COMMAND --help` explains a command; --debug shows the traceback of an error.
    """


def report(error: BaseException) -> int:
    """Says on standard error what went wrong, in one line.   Returns: the exit code."""
    from mezzotint.cli.output import say

    if isinstance(error, MezzotintError):
        say(str(error))
        return error.exit_code
    if isinstance(error, click.ClickException):
        say(f"{error.format_message()}  (mezzotint --help)")
        return EXIT_WRONG
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say(str(error) or "interrupted")
        return EXIT_INTERRUPTED
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        say(f"cannot write: {error.strerror}; free some space, or send the output elsewhere")
        return EXIT_WRONG
    say(f"this is a bug of mezzotint: {type(error).__name__}: {error}; please report it with the output of --debug")
    return EXIT_BUG


def print_error(error: BaseException) -> None:
    """The JSON document of a command that failed; ``code`` is stable."""
    from mezzotint.cli.output import unseen

    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    if isinstance(error, MezzotintError):
        code = error.code
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        code = "interrupted"
    else:
        code = "usage" if isinstance(error, click.ClickException) else "bug"
    said = {"schema": "mezzotint/error/1", "code": code, "message": message}
    print(unseen(json.dumps(said, ensure_ascii=False)))


def run(arguments: Sequence[str]) -> int:
    """Runs a command line.   Returns: its exit code, as DESIGN's table of conventions has them."""
    debug = "--debug" in arguments
    try:
        with group.make_context("mezzotint", [a for a in arguments if a != "--debug"]) as context:
            code = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help and --version
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.ctx.get_help(), err=True)
        return EXIT_WRONG
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, OSError):  # standard output is gone or full: what is buffered would fail again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return EXIT_DONE
        if debug:
            traceback.print_exception(error, file=sys.stderr)
        if "--json" in arguments:
            print_error(error)
        return report(error)
    return code if isinstance(code, int) else EXIT_DONE


def main() -> None:
    """The entry point ``mezzotint``.  A polite kill (SIGTERM: batch systems, containers) is treated as Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))
