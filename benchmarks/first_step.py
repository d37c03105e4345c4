"""How far prompts move the first step of a model of text: what harmless ones stay below, and what stands out.

python benchmarks/first_step.py [--model NAME] [-n 500] [--prompts FILE] [--write]: twice n captions of products that
this project's vocabulary gives (or lines of FILE), one draw of noise each, the first step alone.  The largest of the
first half is what harmless prompts stay below; the second half says how often that is wrong.  --write puts it into the
card of the model's main stage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.prompt_gate import wilson
from mezzotint.files import pretty_json, write_atomic
from mezzotint.making.first_step import LOGSNR, USUAL, heard_of
from mezzotint.making.job import Wanted
from mezzotint.making.prepare import outline
from mezzotint.making.request import Request
from mezzotint.making.staged import stages_of
from mezzotint.pretrained.folder import JSON_NAME
from mezzotint.products.captions import VIEWS, Facts, caption
from mezzotint.products.colours import COLOURS
from mezzotint.products.vocabulary import vocabulary
from mezzotint.stage import steps

BACKGROUNDS = ("white", "grey", "beige", "blue gradient", "wood")


def captions(n: int, seed: int) -> list[str]:
    """n captions, no two alike, of kinds, colours, backgrounds and views that are drawn."""
    random, found = np.random.default_rng(seed), dict[str, None]()
    kinds = sorted(vocabulary().words)
    while len(found) < n:
        kind, view = str(random.choice(kinds)), str(random.choice(list(VIEWS)))
        colour, background = str(random.choice(list(COLOURS))), str(random.choice(BACKGROUNDS))
        found[caption(Facts(kind, kind, colour, background, view), random)] = None
    return list(found)


def moved(model: str, prompts: Sequence[str]) -> tuple[list[float], float]:
    """How far each moves its first step, and the level's log-SNR."""
    found = outline(Request("", model=model))
    job = found.job(tuple(Wanted(k, text, found.told(text)) for k, text in enumerate(prompts)), 16)
    heard, main = heard_of(job), job.model.system.main
    assert heard is not None, f"{model} compares no prompt with none"
    far, stage = list[float](), None
    with torch.inference_mode():
        for batch in job.batches:
            told = [one.told.conds(job.dtype) for one in batch]
            stage = stage or stages_of(job, told[0][1], heard)[main]
            cond = {name: torch.cat([one[name] for one, _ in told]) for name in told[0][0]}
            heard.begin()
            next(steps(stage, main, cond, tuple(one.seed for one in batch), None, job.device))
            assert heard.apart is not None
            far += heard.apart.tolist()
    return far, heard.logsnr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="products-pixel")
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    texts = captions(2 * asked.n, 0) if asked.prompts is None else asked.prompts.read_text().splitlines()
    found, level = moved(asked.model, texts)
    half = len(found) // 2
    first, second = np.array(found[:half]), np.array(found[half:])
    usual = float(first.max())
    wrong = int((second > usual).sum())
    low, high = wilson(wrong, len(second))
    shares = ", ".join(f"{q:g} % {np.percentile(first, q):.4f}" for q in (0, 50, 90, 95, 99))
    print(f"{asked.model}: {half} prompts at log-SNR {level:.4f}: {shares}, largest {usual:.4f}")
    print(f"above it, of {len(second)} others: {wrong} = {wrong / len(second):.4f} [{low:.4f}, {high:.4f}]")
    order = np.argsort(found)[::-1][:5]
    print("furthest: " + "; ".join(f"{found[k]:.4f} {texts[k]!r}" for k in order))
    if asked.write:
        system = outline(Request("", model=asked.model)).system
        path = system.members[system.main].described.folder / JSON_NAME
        table = json.loads(path.read_bytes())
        table["card"]["metrics"] = {**table["card"]["metrics"], USUAL: round(usual, 4), LOGSNR: round(level, 4)}
        write_atomic(path, pretty_json(table))


if __name__ == "__main__":
    main()
