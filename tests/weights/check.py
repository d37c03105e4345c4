"""Runs published weights once, beside diffusers' own pipeline, and writes down what came out.

    python tests/weights/check.py MODEL [--size WxH] [--steps 8] [--out RECORD.json]

MODEL has been fetched before, nothing is downloaded: a folder in diffusers' layout of any family that
``mezzotint models --families`` lists, or a checkpoint in one file.  It does what it is for: a picture of a prompt;
inside a mask (inpainting models, FLUX Fill); from a picture (XL's refiner); like a picture (Karlo's variations); four
times as large (the x4 upscaler).  Pictures and masks that it needs are drawn, so that records of two machines can be
compared.

    check.py IF-I/ --then IF-II/                    both stages of DeepFloyd IF
    check.py kandinsky-decoder/ --prior prior/      a decoder with its prior
    check.py xl.safetensors --config FOLDER         a file, read by diffusers' own loader with FOLDER's configurations
    check.py flux.safetensors --beside FOLDER       a file, beside the pipeline of FOLDER, which holds the same weights

Both run in float32 on the processor, from the same noise and by the folder's own scheduler, without safety checkers and
watermarks: ours first, then the pipeline, twice (for latents and for pixels).  Printed is one line for each result:

    family    what ran: families and pipelines
    weights   SHA-256 of all weights files
    latents   the largest gap of the final latents (of every stage of Karlo and Kandinsky), of their largest value: at
              most 1e-3
    pixels    the largest gap of pixels, of 255 levels: at most 2
    picture   SHA-256 of our picture's pixels (8 bits, rows from the top, channels interleaved)
    passed    or failed

With --out the same is written as JSON, with size, steps, gaps of every stage and the versions of all libraries, and our
picture beside it as PNG.  A family is *weights-tested* when such a record, of a run that passes, is in
``tests/weights/records`` and ``families/known.py`` says so.

Exits with 0 where both gaps are within their bounds, with 1 where one is not, with 2 where MODEL cannot be run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "families"))

from tasks import Given, mine, task_of, theirs

from mezzotint.errors import MezzotintError, UsageError
from mezzotint.files import pretty_json, sha256, write_atomic
from mezzotint.pretrained.families.known import FAMILIES
from mezzotint.pretrained.shelf import MANY, SHELF

LATENTS, PIXELS = 1e-3, 2


@dataclass(frozen=True)
class Record:
    """What came out.  families, pipelines: of all folders that ran.  model: the name of the file or folder.

    stages: the gap of each stage compared, in their order; latents: the largest.
    """

    families: tuple[str, ...]
    pipelines: tuple[str, ...]
    model: str
    layout: str
    weights_sha256: str
    task: str
    size: tuple[int, int]
    steps: int
    stages: tuple[float, ...]
    latents: float
    pixels: int
    picture_sha256: str
    versions: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether both gaps are within their bounds."""
        return self.latents <= LATENTS and self.pixels <= PIXELS

    def __str__(self) -> str:
        """One line for each result."""
        return "\n".join(
            [
                f"family    {', '.join(self.families)} ({', '.join(self.pipelines)}), {self.layout}: {self.task},"
                f" {self.size[0]}x{self.size[1]}, {self.steps} steps",
                f"weights   {self.weights_sha256}",
                f"latents   {self.latents:.1e} of their largest value apart; at most {LATENTS:.0e}",
                f"pixels    {self.pixels} of 255 levels apart; at most {PIXELS}",
                f"picture   {self.picture_sha256}",
                "passed" if self.passed else "failed",
            ]
        )


def gap(ours: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference of two states of the same numbers, of the largest value."""
    return float((ours - other.reshape(ours.shape)).abs().max() / other.abs().max())


def record(given: Given, work: Path) -> tuple[Record, np.ndarray]:
    """(what came out, our picture)."""
    job = given.job(work)
    states, image = mine(job)
    for room in (0, MANY):  # the pipeline has a copy of its own: ours is let go first
        SHELF.resize(room)
    others, pixels = theirs(given, job, work)
    gaps = tuple(gap(a, b) for a, b in zip(states[-len(others) :], others, strict=True))
    names = {family.pipeline: family.name for family in FAMILIES}
    found = Record(
        families=tuple(names[p] for p in given.pipelines),
        pipelines=given.pipelines,
        model=given.model.name,
        layout="folder" if given.model.is_dir() else "single file",
        weights_sha256=job.model.system.weights_sha256,
        task=task_of(given.pipelines[0]),
        size=job.size,
        steps=job.main.plan.steps,
        stages=gaps,
        latents=max(gaps),
        pixels=int(np.abs(image.pixels.astype(int) - pixels).max()),
        picture_sha256=sha256(image.pixels.tobytes()),
        versions={**image.receipt.made.versions, **libraries()},
    )
    return found, image.pixels


def libraries() -> dict[str, str]:
    """Versions of what the pipelines are made of."""
    from importlib.metadata import version

    return {name: version(name) for name in ("diffusers", "transformers")}


def write(place: Path, found: Record, pixels: np.ndarray) -> None:
    """The record, and the picture beside it."""
    from PIL import Image

    write_atomic(place, pretty_json(asdict(found)), replace=False)
    Image.fromarray(pixels).save(place.with_suffix(".png"))


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder in diffusers' layout, or a file")
    parser.add_argument("--prior", type=Path, help="the folder of Kandinsky's prior, for a decoder")
    parser.add_argument("--then", type=Path, help="the folder of DeepFloyd IF's stage II, for stage I")
    parser.add_argument("--config", type=Path, help="for a file: a folder with its configurations and tokenizers")
    parser.add_argument("--beside", type=Path, help="for a file: a folder with the same weights")
    parser.add_argument(
        "--parts", type=Path, action="append", default=[], help="where parts come from that a file lacks"
    )
    parser.add_argument("--size", help="WxH in pixels of the picture that is made; the model's own where left out")
    parser.add_argument("--steps", type=int, default=8, help="of the main stage; others keep their own (default: 8)")
    parser.add_argument("--out", type=Path, help="the record, a new .json file; the picture is written beside it")
    return parser.parse_args(argv)


def hush() -> None:
    """The libraries' bars and notices put off: standard output has the results, standard error the errors."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def main(argv: list[str] | None = None) -> int:
    """Runs it; the exit code."""
    said = vars(parsed(argv))
    out = said.pop("out")
    hush()
    try:
        if out is not None and (out.suffix != ".json" or out.exists()):
            raise UsageError(f"--out {out}: expected a file that does not exist and ends in .json")
        with tempfile.TemporaryDirectory() as work:
            found, pixels = record(Given.of(**said), Path(work))
    except MezzotintError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    if out is not None:
        write(out, found, pixels)
    print(found)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
