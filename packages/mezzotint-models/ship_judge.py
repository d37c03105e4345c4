"""Makes a trained judge the one that ships: matrices in bfloat16, and on its card how often it is right on photographs.

    python packages/mezzotint-models/ship_judge.py RUN/model --data PRODUCTS [-n 2000] [--compute TEXT]

What ships is what is measured: on held-out compositions of products in colours and on backgrounds that it has not
learnt with them, each in one scene.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from mezzotint.nets.judge import Judge
from mezzotint.pretrained.folder import WEIGHTS_NAME
from mezzotint.pretrained.network import describe_network, load_network, save_network
from mezzotint.products.adherence import adherence
from mezzotint.products.learnt import pictures_of
from mezzotint.products.source import Scenes
from mezzotint.products.trial import JUDGE, held_out
from mezzotint.tensorfile import read_tensors

OUT = Path(__file__).resolve().parent / "src" / "mezzotint_models" / JUDGE
SIDE = 256


def right_of(judge: Judge, folder: Path, n: int) -> dict[str, float]:
    """Aspect -> the share of n held-out photographs on which the judge says what is true."""
    scenes = Scenes(folder, SIDE, "compositions", shards=1)
    chosen = held_out(scenes, n)
    found = adherence(pictures_of(scenes, chosen), [scenes.facts(p, 0) for p in chosen], judge)
    values: dict[str, list[bool]] = {}
    for one in found:
        for aspect, holds in one.items():
            values.setdefault(aspect, []).append(holds)
    return {f"{a} right ({len(v):,} held-out photographs)": round(sum(v) / len(v), 4) for a, v in values.items()}


def main() -> None:
    """Writes the folder, measures it, and writes the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("--compute", help="what training took; else what the run's card says")
    said = parser.parse_args()
    part = describe_network(said.model)
    weights = read_tensors(said.model / WEIGHTS_NAME)
    card = replace(part.card, compute=said.compute or part.card.compute)
    judge = load_network(save_network(OUT, weights, part.net, card, torch.bfloat16))
    if not isinstance(judge, Judge):
        parser.error(f"{said.model} holds no judge")
    metrics = right_of(judge, said.data, said.n)
    made = save_network(OUT, weights, part.net, replace(card, metrics=metrics), torch.bfloat16)
    for name, value in metrics.items():
        print(f"{name}: {value:.4f}")
    print(f"{JUDGE}: {made.weights_bytes:,} bytes, sha256 {made.weights_sha256}")


if __name__ == "__main__":
    main()
