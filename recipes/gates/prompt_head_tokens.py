"""The recipe of the prompt gate's head: ``python recipes/gates/prompt_head_tokens.py [--out FILE] [--cache FOLDER]``.

Four looks at the token states of the text encoder that ships, each a softmax over the tokens, beside the mean of all;
then a hidden layer, and a sigmoid for each category of harm and one for harm of any kind.  Learnt by cross-entropy from
some of the texts of ``prompt_head`` and from the long prompts of ``prompt_head_long``; a fifth of the phrases of the
first, and the last of the second, are held out.  The threshold is where FLAGGED of the prompts of art are flagged that
``prompt_head_judged.toml`` has, read part by part as the gate does.  No set that the gate is measured on is read.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mezzotint.conditioning.text import encoder
from mezzotint.files import make_folder, sha256
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.canonical import canonical
from mezzotint.governance.safety.prompt.head import Head, TokenHead
from mezzotint.governance.safety.prompt.meaning import meaning
from mezzotint.tensorfile import write_tensors
from recipes.gates import prompt_head_long as long
from recipes.gates.prompt_head import BATCH, CATEGORIES, DROPOUT, HIDDEN, NOISE, Example, examples, labels

FIRST = 13312
"""Of the texts of ``prompt_head``; half of all did as well as all for a head on means."""

HARMFUL: Mapping[str, int] = {
    "sexual": 1300, "violence-gore": 1300, "self-harm": 400, "hate": 250, "harassment": 250, "dangerous-illegal": 400,
}  # fmt: skip
BENIGN, HELD = 3900, 0.15
"""Long prompts; the share of them that is held out."""

LOOKS, SAID, LIMIT = 4, 64, 64
EPOCHS, RATE, DECAY = 6, 1e-3, 1e-2
WORD_NOISE, DROPPED = 0.15, 0.15
"""Noise on token states in units of their spread, and the share of tokens that a look does not see while learning."""

FLAGGED = 0.02
PIECE = 512


@dataclass(frozen=True)
class Read:
    """states: (N, L, 384) float16.  mask: (N, L), True where there is a token.  mean: (N, 384) of unit norm."""

    states: Tensor
    mask: Tensor
    mean: Tensor

    def rows(self, k: Tensor) -> Read:
        """Some, no longer than the longest of them."""
        mask = self.mask[k]
        length = int(mask.sum(1).max())
        return Read(self.states[k][:, :length], mask[:, :length], self.mean[k])


def chosen() -> list[Example]:
    """Some of the first recipe's texts, then the long ones, whose last are held out."""
    first = examples()
    Random(7).shuffle(first)
    draw = Random(11)
    rows = [(long.harmful(kind, draw), kind) for kind, n in HARMFUL.items() for _ in range(n)]
    rows += [(long.benign(draw), "") for _ in range(BENIGN)]
    draw.shuffle(rows)
    shown = int(len(rows) * (1 - HELD))
    return [*first[:FIRST], *(Example(text, kind, k >= shown) for k, (text, kind) in enumerate(rows))]


def read(said: Sequence[str], cache: Path | None) -> Read:
    """What the encoder says of texts; kept by their hash, in pieces, so that a run goes on where it was stopped."""
    pieces = [said[at : at + PIECE] for at in range(0, len(said), PIECE)]
    found = [one for part in pieces for one in _piece(part, cache)]
    states, mask = (
        torch.zeros(len(found), LIMIT, 384, dtype=torch.float16),
        torch.zeros(len(found), LIMIT, dtype=torch.bool),
    )
    for k, one in enumerate(found):
        states[k, : len(one)], mask[k, : len(one)] = torch.from_numpy(one), True
    mean = torch.stack([torch.from_numpy(one).float().mean(0) for one in found])
    return Read(states, mask, nn.functional.normalize(mean, dim=-1))


def _piece(said: Sequence[str], cache: Path | None) -> list[np.ndarray]:
    path = None if cache is None else make_folder(cache) / f"{sha256(chr(0).join(said).encode())[:24]}.npz"
    if path is not None and path.exists():
        kept = np.load(path)
        return np.split(kept["states"], np.cumsum(kept["lengths"])[:-1])
    rows: list[np.ndarray] = [np.zeros(0)] * len(said)
    order = sorted(range(len(said)), key=lambda k: len(said[k]))
    for at in range(0, len(order), 32):
        some = order[at : at + 32]
        with torch.inference_mode():
            states = encoder("minilm").states([said[k] for k in some], limit=LIMIT)
        for row, mask, k in zip(states["text"].half().numpy(), states["text_mask"].numpy(), some, strict=True):
            rows[k] = row[mask]
    if path is not None:
        np.savez(path, states=np.concatenate(rows), lengths=np.array([len(one) for one in rows]))
    return rows


class Looks(nn.Module):
    """``governance.safety.prompt.head.TokenHead``, to be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.value = nn.Linear(384, LOOKS), nn.Linear(384, SAID)
        self.hidden, self.out = nn.Linear(LOOKS * SAID + 384, HIDDEN), nn.Linear(HIDDEN, len(CATEGORIES) + 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, some: Read) -> Tensor:
        x, mask, mean = some.states.float(), some.mask, some.mean
        if self.training:
            x = x + WORD_NOISE * x.std() * torch.randn_like(x)
            mask = mask & ((torch.rand(mask.shape) > DROPPED) | (mask.cumsum(1) == 1))
            mean = mean + NOISE * torch.randn_like(mean)
        weights = self.query(x).masked_fill(~mask[..., None], -1e4).softmax(1)
        looks = torch.einsum("blk,blv->bkv", weights, self.value(x).tanh()).flatten(1)
        made: Tensor = self.out(self.dropout(self.hidden(torch.cat([looks, mean], 1)).relu()))
        return made


def learnt(some: Read, y: Tensor, shown: Tensor, seed: int = 0) -> Looks:
    """The head of rows ``shown``; the last label counts as much as all others."""
    torch.manual_seed(seed)
    head = Looks()
    solver = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    batches = [rows for _ in range(EPOCHS) for rows in torch.split(shown[torch.randperm(len(shown))], BATCH)]
    falling = torch.optim.lr_scheduler.LinearLR(solver, 1.0, 1 / len(batches), len(batches) - 1)
    for rows in batches:
        each = nn.functional.binary_cross_entropy_with_logits(head(some.rows(rows)), y[rows], reduction="none").mean(0)
        solver.zero_grad()
        torch.autograd.backward(each[:-1].mean() + each[-1])
        solver.step()
        falling.step()
    return head.eval().requires_grad_(False)


def scores(head: Looks, some: Read, rows: Tensor) -> Tensor:
    """Of harm of any kind."""
    return torch.cat([head(some.rows(part))[:, -1] for part in torch.split(rows, BATCH)])


def judged(name: str) -> list[str]:
    """Prompts of art that are well, or harmful ones."""
    said = tomllib.loads((Path(__file__).parent / "prompt_head_judged.toml").read_text("utf-8"))[name]
    return [line.strip() for line in said.strip().splitlines()]


def threshold_of(tensors: Mapping[str, Tensor]) -> float:
    """The logit above which FLAGGED of the prompts of art are."""
    t = {name: tensor.numpy() for name, tensor in tensors.items()}
    query, value, hidden, out = ((t[f"{n}.weight"], t[f"{n}.bias"]) for n in ("query", "value", "hidden", "out"))
    gate = meaning()
    assert gate is not None, "the text encoder is not installed"
    gate = replace(gate, head=TokenHead(query, value, Head(CATEGORIES, hidden, out, 0.0)))
    found = {name: np.array([gate.score(canonical(text).bare)[0] for text in judged(name)]) for name in ("art", "harm")}
    logits = {name: np.log(score) - np.log1p(-score) for name, score in found.items()}
    threshold = float(np.sort(logits["art"])[-1 - int(FLAGGED * len(logits["art"]))])
    print(f"of {len(logits['harm'])} harmful prompts {float((logits['harm'] > threshold).mean()):.3f} found")
    return threshold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(shipped.__file__).parent / "lexicon_data" / "head.safetensors"
    parser.add_argument("--out", type=Path, default=here)
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args()
    some = chosen()
    x, y = read([one.text for one in some], asked.cache), labels(some)
    held = torch.tensor([one.held for one in some])
    head = learnt(x, y, (~held).nonzero()[:, 0])
    tensors = {name: tensor.contiguous() for name, tensor in head.state_dict().items()}
    threshold = threshold_of(tensors)
    for kind, label in (("benign", False), ("harmful", True)):
        last = [k for k in range(FIRST, len(some)) if some[k].held and bool(some[k].label) == label]
        share = float((scores(head, x, torch.tensor(last)) > threshold).float().mean())
        print(f"held-out long prompts, {kind}, read whole: {share:.3f} flagged")
    chosen_by = f"{FLAGGED:g} of prompts of art of the recipe's are above it"
    said = "texts of recipes/gates, written for this project, Apache-2.0"
    about = {"categories": " ".join(CATEGORIES), "threshold": f"{threshold:.6f}", "chosen": chosen_by, "source": said}
    write_tensors(asked.out, tensors, about)
    print(f"{len(some)} texts, threshold {threshold:.3f}; {asked.out}")


if __name__ == "__main__":
    main()
