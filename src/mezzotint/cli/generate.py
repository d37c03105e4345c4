"""``mezzotint generate PROMPT``: pictures, a contact sheet, receipts, films, in the run's own folder."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import (
    batch_option,
    guidance_options,
    json_option,
    licence_options,
    machine_options,
    mark_option,
    model_option,
    out_option,
    quiet_option,
    ranker_options,
    sampling_options,
    seed_option,
    settled,
)
from mezzotint.cli.paths import PATH
from mezzotint.cli.pictures import loading, place, run
from mezzotint.files import user_path

if TYPE_CHECKING:
    from mezzotint.exported.job import ExportedJob
    from mezzotint.making.job import Job
    from mezzotint.making.request import Request


@click.command("generate")
@click.argument("prompt", nargs=-1, required=True)
@click.option("--negative-prompt", default="", help="What to steer away from.")
@click.option("--prompt-2", default="", help="What the second text encoder reads (SDXL, SD3, FLUX).  [the prompt]")
@click.option("--prompt-3", default="", help="What the third text encoder reads (SD3).  [the prompt]")
@click.option("--negative-prompt-2", default="", help="What to steer away from, for the second text encoder.")
@click.option("--negative-prompt-3", default="", help="What to steer away from, for the third text encoder.")
@licence_options
@click.option("--strict", is_flag=True, help="A prompt whose end would be dropped is an error.")
@model_option
@click.option("--parts", multiple=True, type=PATH, help="Where parts come from that a --model file lacks.")
@click.option("-n", "--n", type=int, default=1, show_default=True, help="How many pictures of each prompt.")
@seed_option
@sampling_options
@guidance_options
@ranker_options
@click.option("--size", metavar="WxH", help="Size in pixels; models say which they can make.")
@click.option("--lora", multiple=True, metavar="FILE[:WEIGHT]", help="A LoRA file to put on; may be given again.")
@click.option("--embedding", multiple=True, type=PATH, help="A textual-inversion file; may be given again.")
@click.option("--control", multiple=True, metavar="DIR[:WEIGHT[:BEGIN-END]]", help="A ControlNet; may be given again.")
@click.option("--control-image", multiple=True, metavar="FILE", help="The picture that steers it; one for each.")
@click.option("--ip-adapter", multiple=True, metavar="FILE[:WEIGHT]", help="An IP-Adapter; may be given again.")
@click.option("--ip-image", multiple=True, metavar="FILE", help="The picture that is part of the prompt; one for each.")
@click.option("--ip-encoder", type=PATH, help="CLIP's picture encoder.  [beside the IP-Adapter]")
@click.option("--allow-partial", is_flag=True, help="Take a LoRA whose keys do not all have a place.")
@click.option("--refiner", type=PATH, help="A folder that takes over for the last steps.")
@click.option("--refiner-at", type=float, help="The share of the noise's time that is the base's.  [0.8]")
@click.option("--prior", type=PATH, help="The prior's folder, of a model that is a decoder alone.")
@click.option(
    "--then",
    multiple=True,
    type=PATH,
    help="The folder of the stage that enlarges its pictures; may be given again.",
)
@click.option("--image", type=PATH, help="A picture to begin from.")
@click.option("--strength", type=float, help="The share of the steps that is run on it.  [0.8, with a mask 1]")
@click.option("--mask", type=PATH, help="A picture of what is painted anew.")
@click.option(
    "--mask-means",
    default="white",
    show_default=True,
    help="What is painted anew: white, transparent, or all but a product of white.",
)
@click.option("--lock-mask", is_flag=True, help="Outside the mask keep the picture's own pixels, to the bit.")
@click.option("--outpaint", metavar="LEFT,TOP,RIGHT,BOTTOM", help="Pixels to paint around the picture.")
@machine_options
@click.option("--offload", is_flag=True, help="Keep only the part of a model that runs in memory; slower.")
@click.option(
    "--compile", "compiled", is_flag=True, help="Compile the network's blocks, once a machine; faster, other rounding."
)
@batch_option
@out_option
@mark_option
@click.option("--embed-prompt", is_flag=True, help="Write prompt and settings into the PNG, as A1111 does.")
@click.option("--film", is_flag=True, help="Also write the denoising film of each picture: a strip and an animation.")
@json_option
@quiet_option
def command(
    prompt: tuple[str, ...],
    out: Path | None,
    embed_prompt: bool,
    film: bool,
    as_json: bool,
    quiet: bool,
    **words: Any,
) -> int:
    """Make pictures of each PROMPT: words for a model of text; a label of a class-conditional one, or another word for
    it, or "" for no condition.

    Writes <name>-<seed>.png each, sheet.png, receipts/<asset-id>.json and run.json.  Ctrl-C keeps finished pictures;
    the same command with the same --out goes on.
    """
    began = time.perf_counter()
    words |= {"out": None if out is None else str(out)}
    words = settled(words, "model", "quality", "device", "dtype", "threads", "batch", "mark", "out")
    said = words.pop("out")
    where = place(None if said is None else Path(said))

    from mezzotint.making.request import Request, of_words

    asked = of_words(Request, {"prompt": prompt, **words})
    with loading():
        job = _exported(asked, film=film, embed_prompt=embed_prompt) if _is_exported(asked) else _job(asked)
    return run(
        job,
        where,
        "generate",
        film,
        as_json,
        quiet,
        began,
        embed_prompt=embed_prompt,
        photos=_photos(asked),
    )


def _photos(asked: Request) -> list[Path]:
    """The pictures that it is given, that to begin from first."""
    given = [*([] if asked.image is None else [asked.image]), *asked.control_image, *asked.ip_image]
    return [user_path(one) for one in given]


def _job(asked: Request) -> Job:
    from mezzotint.making.counts import threads_for
    from mezzotint.making.prepare import prepare

    return prepare(replace(asked, sampling=replace(asked.sampling, threads=threads_for(asked))))


def _is_exported(asked: Request) -> bool:
    from mezzotint.exported.folder import is_exported

    return is_exported(asked.model)


def _exported(asked: Request, **kept: bool) -> ExportedJob:
    """Nothing here imports torch.  Raises UsageError for what is made with it: a film, another tool's metadata."""
    from mezzotint.exported.job import prepare, refuse

    refuse([word for word, wanted in kept.items() if wanted])
    return prepare(asked)
