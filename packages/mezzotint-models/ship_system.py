"""Makes trained stages one of the systems that ship: matrices in bfloat16, one card for the whole.

    python packages/mezzotint-models/ship_system.py products-pixel base=RUN/model upsampler=RUN2/model
        [--compute TEXT] [--measured EVALUATION.json] [--out FOLDER]

EVALUATION.json is what ``mezzotint evaluate`` writes; run it on the shipped folder, then this once more.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from mezzotint.files import sha256_file
from mezzotint.pretrained.distilled import FOLDER as GUIDANCE
from mezzotint.pretrained.folder import WEIGHTS_NAME, describe, save_model
from mezzotint.pretrained.network import describe_network, save_network
from mezzotint.pretrained.spec import Card, Choice
from mezzotint.pretrained.system import StageSpec, System, save_system

HERE = Path(__file__).resolve().parent / "src" / "mezzotint_models"
KEEP: Choice = {"name": "keep"}
ENLARGED: Choice = {"name": "lowres", "logsnr": 4.0}
FROM_VECTOR: Choice = {"name": "vector"}


@dataclass(frozen=True)
class Layout:
    """stages: (folder, link) in the order they run.  parts: networks that lie beside them, the ranker among them.
    main, ranker: see ``System``."""

    title: str
    summary: str
    stages: tuple[tuple[str, Choice], ...]
    parts: tuple[str, ...] = ()
    main: int = 0
    ranker: str = ""


LAYOUTS = {
    "products-pixel": Layout(
        "products-pixel",
        "Unfinished: colours and backgrounds follow the text, shapes of common furniture begin to; a start for longer"
        " training."
        " Product pictures of 256 px from a text, as Imagen makes them: 64 px in pixels, enlarged by a second model.",
        (("base", KEEP), ("upsampler", ENLARGED)),
    ),
    "products-latent": Layout(
        "products-latent",
        "Unfinished: colours and backgrounds follow the text, about four of five shapes can be told; a start for longer"
        " training. Product pictures of 256 px from a text, as Stable Diffusion makes them: in the latent of an"
        " autoencoder.",
        (("denoiser", KEEP),),
        ("autoencoder", "ranker"),
        ranker="ranker",
    ),
    "products-prior": Layout(
        "products-prior",
        "Unfinished: a first, short training. Product pictures of 256 px from a text, as DALL-E 2 makes them: text to"
        " embedding, to 64 px, to 256 px; with `mezzotint vary` from a picture's embedding.",
        (("prior", KEEP), ("decoder", FROM_VECTOR), ("upsampler", ENLARGED)),
        ("embedder",),
        main=1,
    ),
}


def ship(
    name: str, layout: Layout, given: dict[str, Path], out: Path, compute: str, metrics: dict[str, float]
) -> System:
    """Writes the system's folder."""
    for stage, _ in layout.stages:
        spec = describe(given[stage]).spec
        save_model(out / stage, load_file(given[stage] / WEIGHTS_NAME), spec, torch.bfloat16)
    for part in layout.parts:
        found = describe_network(given[part])
        save_network(out / part, load_file(given[part] / WEIGHTS_NAME), found.net, found.card, torch.bfloat16)
    first = describe(out / layout.stages[0][0]).spec
    card: Card = replace(first.card, title=layout.title, summary=layout.summary, compute=compute, metrics=metrics)
    stages = tuple(StageSpec(stage, link) for stage, link in layout.stages)
    return save_system(out, stages, card, layout.main, first.text, layout.ranker)


def hashes(folder: Path, names: list[str]) -> list[str]:
    """Of the weights of each stage and part that is there."""
    files = [folder / name / WEIGHTS_NAME for name in names]
    return [sha256_file(path) if path.is_file() else "" for path in files]


def relicense(path: Path, before: list[str], after: list[str]) -> None:
    """The licence record, which knows weights by their hashes, names those that took their place: its terms are the
    recipe's, and stay."""
    if not path.is_file():
        return
    text = path.read_text()
    for old, new in zip(before, after, strict=True):
        text = text.replace(old, new) if old else text
    path.write_text(text)


def outgrown(names: list[str], before: list[str], after: list[str]) -> list[str]:
    """The stages with other weights than before: guidance that was distilled for the old ones fits no more."""
    return [name for name, old, new in zip(names, before, after, strict=True) if old != new]


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=LAYOUTS)
    parser.add_argument("folders", nargs="+", metavar="STAGE=FOLDER")
    parser.add_argument("--compute", default="", help="what training took")
    parser.add_argument("--measured", type=Path)
    parser.add_argument("--out", type=Path)
    said = parser.parse_args()
    given = {stage: Path(folder) for stage, folder in (text.split("=", 1) for text in said.folders)}
    layout = LAYOUTS[said.name]
    wanted = [*(stage for stage, _ in layout.stages), *layout.parts]
    if sorted(wanted) != sorted(given):
        parser.error(f"{said.name} is made of {', '.join(wanted)}; got {', '.join(given)}")
    metrics = json.loads(said.measured.read_text())["metrics"] if said.measured else {}
    out = said.out or HERE / said.name
    before = hashes(out, wanted)
    made = ship(said.name, layout, given, out, said.compute, metrics)
    after = hashes(out, wanted)
    relicense(out / "licence.toml", before, after)
    for stage in outgrown(wanted, before, after):
        shutil.rmtree(out / stage / GUIDANCE, ignore_errors=True)
    print(f"{made.name}: {made.weights_bytes:,} bytes")


if __name__ == "__main__":
    main()
