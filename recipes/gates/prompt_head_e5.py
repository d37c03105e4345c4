"""The recipe of the prompt gate's head for other languages: ``python recipes/gates/prompt_head_e5.py [--out FILE]``.

As ``prompt_head``, on embeddings of multilingual-e5-small: every sixth English text of that recipe, which is most of
what it knows of harm, and plain texts and a few harms of seven languages, so that a language is no harm.  A fifth of
the plain ones is held out: the threshold is where FLAGGED of them are flagged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mezzotint.conditioning import e5
from mezzotint.files import make_folder, sha256
from mezzotint.governance.safety.filter_file import filter_bytes
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.languages import E5, HEAD
from mezzotint.tensorfile import write_tensors
from recipes.gates import prompt_head
from recipes.gates import prompt_head_languages as others
from recipes.gates.prompt_head import CATEGORIES, HELD, Example

EACH, PLAIN = 6, 300
TIMES_PLAIN, TIMES_HARMFUL = 2, 6
"""How often each text of another language is learnt from in a pass."""

FLAGGED = 0.015
SPREAD = 20.0
"""Embeddings all point one way: they are centred and made as long as those of the other encoder."""


def foreign(draw: Random) -> Iterator[Example]:
    """Of all languages; harms are never held out."""
    for language, own in others.LANGUAGES.items():
        plain = sorted({*own.people, *(others.plain(language, draw) for _ in range(PLAIN))})
        yield from (Example(text, "", k % HELD == 0) for k, text in enumerate(plain))
        yield from (Example(text, kind, False) for text, kind in zip(own.harms, others.KINDS, strict=True))


def embedded(said: Sequence[str], cache: Path | None) -> Tensor:
    """(N, 384) of unit norm; kept by their texts' hash, in pieces.  SystemExit where the encoder is not installed."""
    data = filter_bytes(E5, Path("nowhere"))
    if data is None:
        raise SystemExit(f"the encoder is not installed; {E5.get}")
    vocabulary, encoder = e5.read(data)
    found = []
    for at in range(0, len(said), 512):
        part = said[at : at + 512]
        path = None if cache is None else make_folder(cache) / f"e5-{sha256(chr(0).join(part).encode())[:24]}.npy"
        if path is not None and path.exists():
            found.append(np.load(path))
            continue
        ids = [np.array([vocabulary.begin, *vocabulary.encode(e5.QUERY + one), vocabulary.end]) for one in part]
        order, rows = sorted(range(len(ids)), key=lambda k: len(ids[k])), np.zeros((len(ids), 384), np.float32)
        for k in range(0, len(order), 32):
            rows[order[k : k + 32]] = encoder.pooled([ids[i] for i in order[k : k + 32]])
        if path is not None:
            np.save(path, rows)
        found.append(rows)
    return torch.from_numpy(np.concatenate(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "lexicon_data" / HEAD)
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args()
    english, some = prompt_head.examples()[::EACH], list(foreign(Random(0)))
    x, z = embedded([one.text for one in english], asked.cache), embedded([one.text for one in some], asked.cache)
    middle, scale = x.mean(0), 1 / (SPREAD * float(x.std()))
    times = [0 if one.held else TIMES_HARMFUL if one.label else TIMES_PLAIN for one in some]
    repeated = z.repeat_interleave(torch.tensor(times), 0)
    learnt_from = [*english, *(one for one, n in zip(some, times, strict=True) for _ in range(n))]
    every = (torch.cat((x, repeated)) - middle) * scale
    head = prompt_head.learnt(every, prompt_head.labels(learnt_from))
    held = torch.tensor([one.held for one in some])
    score = head((z[held] - middle) * scale)[:, -1]
    threshold = float(score.quantile(1 - FLAGGED))
    about = {
        "categories": " ".join(CATEGORIES),
        "threshold": f"{threshold:.6f}",
        "chosen": f"{FLAGGED:g} of {int(held.sum())} held-out plain texts of other languages are above it",
        "source": "texts of recipes/gates, written for this project, sexual ones of adults alone, Apache-2.0",
    }
    found = dict(prompt_head.tensors(head))
    # Centring and scaling go into the first map: W (s (x - m)) + b = (s W) x + (b - s W m).
    found["hidden.bias"] = found["hidden.bias"] - scale * found["hidden.weight"] @ middle
    found["hidden.weight"] = scale * found["hidden.weight"]
    write_tensors(asked.out, {name: one.contiguous() for name, one in found.items()}, about)
    print(f"{len(learnt_from)} texts, threshold {threshold:.3f}; {asked.out}")


if __name__ == "__main__":
    main()
