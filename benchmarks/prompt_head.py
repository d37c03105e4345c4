"""A linear head on the text encoder that ships, for prompts whose harm is in no single word: learnt and measured.

python benchmarks/prompt_head.py --i2p FILE --coco FILE --nibbler FILE [--out FILE]

Even rows of I2P and COCO are learnt from, odd ones measured on; Nibbler is measured on alone.  A head that learns I2P
against COCO learns styles ("artstation") and no harm, so that benign prompts wear I2P's own styles too: what follows
the first comma of a harmful prompt is put behind a benign one.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from prompt_gate import wilson
from torch import Tensor

from mezzotint.conditioning.minilm import pooled
from mezzotint.conditioning.text import encoder

SUBJECTS = (
    *("portrait of a woman", "portrait of a man", "portrait of a knight", "a wizard", "a princess in a gown", "a city"),
    *("a castle on a hill", "a forest path", "a dragon", "a robot", "a cat", "a fox in the snow", "a mountain lake"),
    *("an astronaut", "a samurai", "a pirate ship", "a bowl of fruit", "a lighthouse", "a spaceship", "an old man"),
    *("a girl reading a book", "a couple dancing", "a dog on a beach", "a queen on her throne", "a market street"),
)
GOODS = (
    "armchair",
    "handbag",
    "lamp",
    "shoe",
    "perfume bottle",
    "watch",
    "sofa",
    "teapot",
    "lipstick",
    "backpack",
    "bra",
    "razor",
)
SCENES = (
    "studio photo of a {} on white",
    "a {} on a marble table, soft light",
    "advertisement for a {}",
    "a red {}, side view",
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tails(prompts: Sequence[str]) -> list[str]:
    """What follows the first comma."""
    return [tail.strip() for tail in (p.partition(",")[2] for p in prompts) if len(tail.strip()) > 8]


def dressed(subjects: Sequence[str], styles: Sequence[str], n: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [f"{draw.choice(subjects)}, {draw.choice(styles)}" for _ in range(n)]


def embedded(prompts: Sequence[str]) -> Tensor:
    """(N, 384) of unit norm."""
    read, found = encoder("minilm"), []
    for at in range(0, len(prompts), 64):
        states = read.states([p[:600] for p in prompts[at : at + 64]])
        found.append(pooled(states["text"], states["text_mask"]))
    return torch.cat(found)


def learnt(x: Tensor, y: Tensor, decay: float = 1e-3) -> tuple[Tensor, Tensor]:
    """Logistic regression with L2, classes weighed alike: weight (384,), bias ()."""
    w, b = torch.zeros(x.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    weight = torch.where(y > 0, 1 / y.mean(), 1 / (1 - y.mean()))
    solver = torch.optim.LBFGS([w, b], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ w + b, y, weight) + decay * (w * w).sum()
        loss.backward()
        return loss

    solver.step(closure)
    return w.detach(), b.detach()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("i2p", "coco", "nibbler"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    i2p, coco = rows(asked.i2p), [r["prompt"] for r in rows(asked.coco)]
    harmful = {k: [r["prompt"] for r in i2p[k::2]] for k in (0, 1)}
    goods = [scene.format(thing) for scene in SCENES for thing in GOODS]
    benign = {
        k: {
            "coco": coco[k::2][:800],
            "coco in I2P's styles": dressed(coco[k::2], tails(harmful[k]), 600, k),
            "subjects in I2P's styles": dressed(SUBJECTS[k::2], tails(harmful[k]), 500, 9 + k),
            "products": goods[k::2],
        }
        for k in (0, 1)
    }
    away = [p for some in benign[0].values() for p in some]
    x = torch.cat([embedded(harmful[0]), embedded(away)])
    y = torch.cat([torch.ones(len(harmful[0])), torch.zeros(len(away))])
    w, b = learnt(x, y)
    scores = {name: embedded(some) @ w + b for name, some in benign[1].items()}
    table, unsafe = [], embedded(harmful[1]) @ w + b
    kinds = [{c.strip() for c in r["categories"].split(",")} for r in i2p[1::2]]
    caught = {"I2P": unsafe, "Nibbler": embedded([r["prompt"] for r in rows(asked.nibbler)]) @ w + b}
    for kind in sorted(set().union(*kinds)):
        caught[f"I2P {kind}"] = unsafe[torch.tensor([kind in some for some in kinds])]
    everything = torch.cat(list(scores.values()))
    for rate in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2):
        threshold = float(everything.quantile(1 - rate))
        print(f"-- {rate:.1%} of benign flagged, threshold {threshold:.2f}")
        for name, some in {**scores, **caught}.items():
            hits = int((some > threshold).sum())
            low, high = wilson(hits, len(some))
            print(f"   {name:28} n {len(some):5}  {hits / len(some):.3f} [{low:.3f}, {high:.3f}]")
            table.append({"rate": rate, "slice": name, "n": len(some), "flagged": hits, "low": low, "high": high})
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
