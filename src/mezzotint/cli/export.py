"""``mezzotint export MODEL``: a model for ONNX Runtime or OpenVINO, which runs it without torch."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json, quiet_option
from mezzotint.cli.output import run_folder
from mezzotint.cli.paths import PATH
from mezzotint.config import settings
from mezzotint.errors import UsageError

SCHEMA = "mezzotint/exported/1"


@click.command("export")
@click.argument("model", required=False)
@click.option("--to", default="onnx", show_default=True, metavar="onnx|openvino", help="What will run it.")
@click.option(
    "--weights", default="float32", show_default=True, metavar="float32|float16|int8", help="How weights are stored."
)
@click.option("--solver", multiple=True, help="A solver to hold beside the presets; may be given again.")
@click.option("--grid", help="The grid of those solvers.")
@click.option("--steps", metavar="N,N…", help="Numbers of steps to hold, of each solver.")
@click.option("--out", type=PATH, help="The new folder.  [./mezzotint-out/<time>-export]")
@json_option
@quiet_option
def command(
    model: str | None,
    to: str,
    weights: str,
    solver: tuple[str, ...],
    grid: str | None,
    steps: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write MODEL for ONNX Runtime or OpenVINO: `mezzotint generate --model FOLDER` then runs it without torch.

    The folder holds the model's presets, and further solvers and numbers of steps as asked: each is a plan in numbers.
    """
    counts = _counts(steps)
    name = str(settings({"model": model})["model"].value)

    from mezzotint.exported.folder import held
    from mezzotint.exported.write import export

    made = export(name, out=run_folder(out, "export"), to=to, weights=weights, solver=solver, grid=grid, steps=counts)
    if as_json:
        ways = [[{"solver": w.names[0], "grid": w.grids[0], "steps": w.steps} for w in ways] for ways in made.ways]
        sizes = {name: (made.folder / name).stat().st_size for name in made.files}
        said = {"model": made.model, "to": made.to, "weights": made.weights, "sha256": made.sha256}
        print_json({"schema": SCHEMA, **said, "ways": ways, "files": sizes, "out": str(made.folder)})
    elif not quiet:
        print(f"{made.model} in {made.folder}: {held(made.ways[made.system.main])}", file=sys.stderr)


def _counts(steps: str | None) -> tuple[int, ...]:
    """Raises UsageError."""
    try:
        return () if steps is None else tuple(int(part) for part in steps.split(","))
    except ValueError as error:
        raise UsageError(f"--steps {steps!r}: expected numbers with commas between them, such as 4,8,20") from error
