"""``mezzotint convert FILE|FOLDER``: pickled checkpoints to safetensors, adapters to other tools' layouts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH

if TYPE_CHECKING:
    from mezzotint.pretrained.convert import Converted

SCHEMA = "mezzotint/convert/1"


@click.command("convert")
@click.argument("path", type=PATH)
@click.option("--to", "layout", metavar="peft|diffusers|kohya|comfyui", help="An adapter's new layout.")
@click.option("--base", metavar="NAME|PATH", help="The model that the adapter is for.")
@click.option("--rank", metavar="whole", help="Of an adapter whose rank falls with noise: all of it at every level.")
@click.option("--out", type=PATH, help="File or folder to write.  [beside PATH]")
@json_option
def command(
    path: Path, layout: str | None, base: str | None, rank: str | None, out: Path | None, as_json: bool
) -> None:
    """Write a pickled checkpoint (.ckpt, .pt, .pth, .bin), or a folder of them, as safetensors.

    It is read by a process of its own that has no network and runs nothing that the file says.

    With --to and --base: write an adapter (a LoRA file, or a folder of PEFT's) in the layout of other tools, its
    passport with it.
    """
    made = _made(path, layout, base, rank, out)
    if as_json:
        files = [{"source": str(m.source), "path": str(m.path), "sha256": m.sha256, "tensors": m.tensors} for m in made]
        print_json({"schema": SCHEMA, "files": files})
        return
    for one in made:
        what = f"{one.tensors} tensors  sha256 {one.sha256}" if one.tensors else "holds no tensors, left out"
        click.echo(f"{one.path}  {what}")


def _made(
    path: Path, layout: str | None, base: str | None, rank: str | None, out: Path | None
) -> tuple[Converted, ...]:
    if layout is None and base is None and rank is None:
        from mezzotint.pretrained.convert import convert

        return convert(path, out)
    from mezzotint.errors import UsageError, unknown
    from mezzotint.making.opened import described
    from mezzotint.pretrained.exchange.convert import convert_adapter
    from mezzotint.pretrained.exchange.names import LAYOUTS

    if layout is None or base is None:
        raise UsageError("an adapter is converted with both --to LAYOUT and --base MODEL, the model that it is for")
    known = next((one for one in LAYOUTS if one == layout), None)
    if known is None:
        raise unknown("layout", layout, LAYOUTS)
    if rank not in (None, "whole"):
        raise unknown("rank", rank, ("whole",))
    return convert_adapter(path, described(base), known, out, "as-it-is" if rank is None else "whole")
