"""The recipe of the prompt gate's head: ``python recipes/gates/prompt_head.py [--out FILE] [--cache FOLDER]``.

A hidden layer on sentence embeddings of the text encoder that ships, a sigmoid for each category of harm and one for
harm of any kind, learnt by cross-entropy from phrases (``prompt_head_texts``) and the grammar of
``prompt_head_captions``.  A fifth of the phrases is held out: the threshold of harm of any kind is where FLAGGED of the
benign texts of phrases never learnt are flagged; then all phrases are learnt.  No set that the gate is measured on is
read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mezzotint.conditioning.minilm import pooled
from mezzotint.conditioning.text import encoder
from mezzotint.files import make_folder, sha256
from mezzotint.governance.safety.prompt import shipped
from mezzotint.tensorfile import write_tensors
from recipes.gates import prompt_head_captions as plain
from recipes.gates import prompt_head_texts as texts

FIRST, WIDER, HARMS = texts.FIRST, texts.WIDER, texts.HARMS
CATEGORIES = tuple(HARMS)
STYLES = FIRST["STYLES"] + WIDER["STYLES"]
PEOPLE = FIRST["PEOPLE"] + tuple(plain.one(role) for role in plain.ROLES)
PLACES = FIRST["PLACES"] + plain.WHERE + tuple(f"in {plain.one(place)}" for place in plain.SCENERY)
THINGS = FIRST["THINGS"] + WIDER["THINGS"] + WIDER["GOODS"]
ADULT_ONLY = ("sexual", "harassment")
"""Of these nothing is said of anybody who could be a minor; harassment too, for some of it is sexual."""
HARMFUL, WORDED = 1750, 750
BENIGN = {
    "well": 2500, "things": 3000, "captions": 2000, "plain": 4000, "art": 2000, "grown": 5000, "goods": 3000,
    "styles": 1250, "words": 2000, "peoples": 1600, "nearly": 1400,
}  # fmt: skip
"""Texts: of each category's phrases and of its words; benign ones by kind."""

HIDDEN, EPOCHS, RATE, DECAY, DROPOUT, NOISE = 128, 10, 3e-3, 1e-2, 0.5, 0.05
BATCH = 256
FLAGGED = 0.06
"""The share of benign texts of held-out phrases that is flagged.  These are near harms on purpose, so that of plain
captions, goods and prompts of art a tenth as many are; chosen so that those stay under 1, 1 and 2 %.
"""

HELD = 5
"""Every fifth phrase is held out."""


@dataclass(frozen=True)
class Example:
    """label: a category, "" where benign.  held: whether its phrase is held out."""

    text: str
    label: str
    held: bool


@dataclass(frozen=True)
class Company:
    """Whom and what a harm is said of, beside which words, in which styles."""

    people: Sequence[str]
    things: Sequence[str]
    well: Sequence[str]
    styles: Sequence[str]


def _fit(some: Sequence[str], fit: Sequence[str]) -> tuple[str, ...]:
    """As many, those that are not fit changed for some that are: so all other texts are drawn as they were."""
    return tuple(one if one in fit else fit[k % len(fit)] for k, one in enumerate(some))


def _grown(some: Sequence[str]) -> tuple[str, ...]:
    """Without what speaks of children."""
    return _fit(some, [one for one in some if not set(one.replace(",", " ").split()) & set(FIRST["CHILDHOOD"])])


ANY = Company(PEOPLE, THINGS, texts.WELL_WORDS, STYLES)
ADULTS = Company(_fit(PEOPLE, FIRST["ADULTS"]), _grown(THINGS), _grown(texts.WELL_WORDS), _grown(STYLES))


def company(label: str) -> Company:
    """Of a category's texts; "" where benign."""
    return ADULTS if label in ADULT_ONLY else ANY


def said(phrase: str, who: Company, draw: Random) -> str:
    """A phrase with somebody in it, perhaps somewhere, in a scene, in up to six styles."""
    first, second = draw.sample(who.people, 2)
    made = phrase.replace("{who2}", second).replace("{who}", first)
    if draw.random() < 0.35:
        made = f"{made} {draw.choice(PLACES)}"
    made = draw.choice(FIRST["SCENES"]).format(made)
    styles = draw.sample(who.styles, draw.choice((0, 0, 0, 1, 3, 6)))
    return ", ".join((made, *styles))


def examples(seed: int = 0) -> list[Example]:
    """All of them, in an order of their own."""
    draw = Random(seed)
    made = [one for label, phrases in HARMS.items() for one in _of(phrases, label, HARMFUL, draw)]
    made += [one for label, words in texts.HARM_WORDS.items() for one in _worded(words, label, WORDED, draw)]
    made += _worded(texts.WELL_WORDS, "", BENIGN["words"], draw)
    kinds = {
        "well": FIRST["WELL"] + WIDER["WELL"],
        "things": THINGS,
        "captions": FIRST["CAPTIONS"] + WIDER["CAPTIONS"],
        "art": WIDER["ART"],
    }
    made += [one for kind, phrases in kinds.items() for one in _of(phrases, "", BENIGN[kind], draw)]
    made += [Example(_styled(draw), "", k % HELD == 0) for k in range(BENIGN["styles"])]
    made += [Example(plain.caption(draw), "", k % HELD == 0) for k in range(BENIGN["plain"])]
    made += [Example(_in_styles(plain.art(draw), draw), "", k % HELD == 0) for k in range(BENIGN["grown"])]
    made += [Example(plain.goods(draw), "", k % HELD == 0) for k in range(BENIGN["goods"])]
    draw.shuffle(made)
    more = Random(seed + 1)
    made += [Example(plain.peoples(more), "", k % HELD == 0) for k in range(BENIGN["peoples"])]
    made += [Example(plain.nearly(more), "", k % HELD == 0) for k in range(BENIGN["nearly"])]
    return made


def _of(phrases: Sequence[str], label: str, n: int, draw: Random) -> Iterator[Example]:
    for k in range(n):
        number = k % len(phrases)
        yield Example(said(phrases[number], company(label), draw), label, number % HELD == 0)


def _worded(words: Sequence[str], label: str, n: int, draw: Random) -> Iterator[Example]:
    """Somebody or something, and words of it; a harmful text may have benign words too, and says its harm anywhere."""
    who = company(label)
    for k in range(n):
        number = k % len(words)
        more = draw.sample(who.well, draw.choice((0, 0, 1, 2))) if label else []
        near = draw.sample(words, draw.choice((0, 0, 1, 1, 2)))
        parts = [words[number], *near, *more]
        draw.shuffle(parts)
        what = draw.choice((*who.people, *who.things))
        held = any(words.index(one) % HELD == 0 for one in (words[number], *near))
        yield Example(_put(what, parts, who.styles, draw), label, held)


def _put(what: str, parts: Sequence[str], known: Sequence[str], draw: Random) -> str:
    """Words before and after what they are said of, with styles or without."""
    article, _, bare = what.partition(" ")
    styles = draw.sample(known, draw.choice((0, 0, 1, 3, 5)))
    if draw.random() < 0.4:
        return ", ".join((f"{article} {parts[0]} {bare}", *parts[1:], *styles))
    return ", ".join((draw.choice(FIRST["SCENES"]).format(what), *parts, *styles))


def _styled(draw: Random) -> str:
    """Somebody or something in many styles and nothing else: what prompts of pictures look like."""
    what = draw.choice(PEOPLE + THINGS)
    return ", ".join(
        (draw.choice(("", "portrait of ", "a study of ")) + what, *draw.sample(STYLES, draw.randint(2, 7)))
    )


def _in_styles(what: str, draw: Random) -> str:
    """With up to six styles."""
    return ", ".join((what, *draw.sample(STYLES, draw.choice((0, 0, 1, 2, 4, 6)))))


def embedded(said: Sequence[str], cache: Path | None) -> Tensor:
    """(N, 384) of unit norm; kept by their texts' hash, in pieces, so that a run goes on where it was stopped."""
    read, found = encoder("minilm"), []
    for at in range(0, len(said), 1024):
        part = said[at : at + 1024]
        path = None if cache is None else make_folder(cache) / f"{sha256(chr(0).join(part).encode())[:24]}.npy"
        if path is not None and path.exists():
            found.append(torch.from_numpy(np.load(path)))
            continue
        order = sorted(range(len(part)), key=lambda k: len(part[k]))
        rows = torch.zeros(len(part), 384)
        for k in range(0, len(order), 64):
            states = read.states([part[i] for i in order[k : k + 64]])
            rows[order[k : k + 64]] = pooled(states["text"], states["text_mask"])
        if path is not None:
            np.save(path, rows.numpy())
        found.append(rows)
    return torch.cat(found)


def learnt(x: Tensor, y: Tensor, seed: int = 0) -> nn.Sequential:
    """The head of embeddings (N, 384) and labels (N, categories + 1); the last counts as much as all others."""
    torch.manual_seed(seed)
    layers = nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, y.shape[1])
    head = nn.Sequential(*layers)
    solver = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    orders = [torch.randperm(len(x)) for _ in range(EPOCHS)]
    batches = [order[at : at + BATCH] for order in orders for at in range(0, len(x), BATCH)]
    falling = torch.optim.lr_scheduler.LinearLR(solver, 1.0, 1 / len(batches), len(batches) - 1)
    for rows in batches:
        noisy = x[rows] + NOISE * torch.randn_like(x[rows])
        each = nn.functional.binary_cross_entropy_with_logits(head(noisy), y[rows], reduction="none").mean(0)
        solver.zero_grad()
        torch.autograd.backward(each[:-1].mean() + each[-1])
        solver.step()
        falling.step()
    return head.eval().requires_grad_(False)


def labels(some: Sequence[Example]) -> Tensor:
    """(N, categories + 1), the last for any of them."""
    return torch.tensor([[*(float(one.label == c) for c in CATEGORIES), float(bool(one.label))] for one in some])


def threshold_of(head: nn.Module, x: Tensor, some: Sequence[Example]) -> float:
    """Of harm of any kind, on benign texts that are held out; says what of each category is then found."""
    held = [k for k, one in enumerate(some) if one.held]
    score = head(x[held])[:, -1]
    benign = torch.tensor([not some[k].label for k in held])
    threshold = float(score[benign].quantile(1 - FLAGGED))
    for category in CATEGORIES:
        its = torch.tensor([some[k].label == category for k in held])
        print(f"held-out phrases of {category:18} {float((score[its] > threshold).float().mean()):.3f} found")
    print(f"threshold {threshold:.3f}, {int(benign.sum())} benign held out")
    return threshold


def tensors(head: nn.Sequential) -> Mapping[str, Tensor]:
    """As ``governance.safety.prompt.meaning`` reads them."""
    hidden, out = head[0], head[3]
    assert isinstance(hidden, nn.Linear) and isinstance(out, nn.Linear)
    return {
        "hidden.weight": hidden.weight, "hidden.bias": hidden.bias, "out.weight": out.weight, "out.bias": out.bias,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(shipped.__file__).parent / "lexicon_data" / "head.safetensors"
    parser.add_argument("--out", type=Path, default=here)
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args()
    some = examples()
    x, y = embedded([one.text for one in some], asked.cache), labels(some)
    shown = torch.tensor([not one.held for one in some])
    threshold = threshold_of(learnt(x[shown], y[shown]), x, some)
    said = "texts of recipes/gates, written for this project, sexual ones of adults alone, Apache-2.0"
    chosen = f"{FLAGGED:g} of benign texts of held-out phrases are above it"
    about = {"categories": " ".join(CATEGORIES), "threshold": f"{threshold:.6f}", "chosen": chosen, "source": said}
    write_tensors(asked.out, tensors(learnt(x, y)), about)
    print(f"{len(some)} texts; {asked.out}")


if __name__ == "__main__":
    main()
