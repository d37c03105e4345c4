"""The output gate on folders of pictures: planted copies found, false alarms, with Wilson intervals; and its time.

python benchmarks/output_gate.py NAME=FOLDER … [--n 200] [--copies] [--alarms] [--time] [--out FILE]

Of a folder at most n pictures are taken, one of each sub-folder first.  Copies: half of them are registered, copies of
all are planted as ``tests/governance/planted_copies.py`` makes them; a pair is a copy and a registered picture that it
is not of.  Alarms: what the gate says of each, nothing registered, by every filter that is installed here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "governance"))

import harness
from planted_copies import ATTACKS, Attack
from prompt_gate import wilson

from mezzotint.governance.safety.output.copies import registry
from mezzotint.governance.safety.output.copies.check import likest
from mezzotint.governance.safety.output.copies.match import NEAR, Query, candidates, score
from mezzotint.governance.safety.output.copies.sign import signed
from mezzotint.governance.safety.output.gate import OutputGate, load
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.prompt.gate import load as load_texts
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.flat import flat
from mezzotint.pictures.png import read_picture

Row = Mapping[str, object]
SIDE = 512


def pictures(folder: Path, n: int) -> list[Path]:
    """At most n, one of each sub-folder, then another of each."""
    if folder.is_file():
        return [folder]
    draw, groups = Random(0), dict[Path, list[Path]]()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".png", ".jpg", ".webp") and not any(
            w in path.name for w in ("shadow", "mask", "sheet", "film")
        ):
            groups.setdefault(path.parent, []).append(path)
    for group in groups.values():
        draw.shuffle(group)
    order = list(groups)
    draw.shuffle(order)
    turns = (groups[one][k] for k in range(n) for one in order if k < len(groups[one]))
    return [path for path, _ in zip(turns, range(n), strict=False)]


def shown(path: Path) -> Image.Image:
    """On white, 512 pixels along a side."""
    return flat(read_picture(path)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def measured(name: str, what: str, hits: int, n: int) -> Row:
    low, high = wilson(hits, n)
    print(f"{name:24} {what:34} {hits:5} of {n:7}  {hits / max(1, n):.4f} [{low:.4f}, {high:.4f}]", flush=True)
    return {"set": name, "what": what, "hits": hits, "n": n, "low": low, "high": high}


@dataclass(frozen=True)
class Planted:
    """Of one attack: copies found, and false pairs."""

    found: int
    copies: int
    false: int
    pairs: int
    alarms: int
    strangers: int


def planted(paths: Sequence[Path], known: registry.Registered, attack: Attack) -> Planted:
    draw, registered = Random(1), len(known.entries)
    found = false = alarms = 0
    for k, path in enumerate(paths):
        query = signed(np.asarray(attack(shown(path), draw), np.uint8))
        asked = Query(query)
        scored = {i: score(asked, known.entries[i].signature, pose) for i, pose in candidates(asked, known.vectors)}
        number, best = likest(query, known)
        near = {i for i, s in scored.items() if s >= NEAR} | ({number} if best >= NEAR else set())
        found += k < registered and k in near
        false += len(near - {k})
        alarms += k >= registered and bool(near)
    return Planted(found, registered, false, len(paths) * registered - registered, alarms, len(paths) - registered)


def copies(name: str, paths: Sequence[Path]) -> Iterator[Row]:
    half = [
        registry.entry("protected", path.name, np.asarray(shown(path), np.uint8)) for path in paths[: len(paths) // 2]
    ]
    vectors = np.stack([one.signature.vectors for one in half])
    known = registry.Registered(tuple(half), (), vectors)
    for title, attack in ATTACKS.items():
        got = planted(paths, known, attack)
        yield measured(name, f"{title}: found", got.found, got.copies)
        yield measured(name, f"{title}: false pairs", got.false, got.pairs)
        yield measured(name, f"{title}: strangers with any", got.alarms, got.strangers)


def alarms(name: str, paths: Sequence[Path], gate: OutputGate) -> Iterator[Row]:
    found = [gate.check(np.asarray(flat(read_picture(path)), np.uint8)) for path in paths]
    yield measured(name, "flagged", sum(one.decision > Decision.ALLOW for one in found), len(found))
    yield measured(name, "blocked", sum(one.decision == Decision.BLOCK for one in found), len(found))
    for code in sorted({code for one in found for code in one.codes}):
        yield measured(name, code, sum(code in one.codes for one in found), len(found))
    for unchecked in sorted({f"{k}: {v}" for one in found for k, v in one.measured["unchecked"].items()}):
        print(f"{name:24} not checked, {unchecked}")


def timed(name: str, paths: Sequence[Path], gates: Mapping[str, OutputGate]) -> Iterator[Row]:
    data = [np.asarray(shown(path), np.uint8) for path in paths[:40]]
    for what, gate in gates.items():
        gate.check(data[0])
        seconds = []
        for one in data:
            began = time.process_time()
            gate.check(one)
            seconds.append(time.process_time() - began)
        middle, late = 1e3 * median(seconds), 1e3 * quantiles(seconds, n=20)[-1]
        print(f"{name:24} {what:34} median {middle:.1f} ms, p95 {late:.1f} ms of {len(data)}", flush=True)
        yield {"set": name, "what": what, "median_ms": middle, "p95_ms": late, "n": len(data)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--n", type=int, default=200)
    for part in ("copies", "alarms", "time"):
        parser.add_argument(f"--{part}", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    texts, table = load_texts(Policy()), list[Row]()
    for one in asked.sets:
        name, _, folder = one.partition("=")
        paths = pictures(Path(folder), asked.n)
        if asked.copies:
            table += copies(name, paths)
        if asked.alarms:
            table += alarms(name, paths, load(OutputPolicy(text="off"), texts))
        if asked.time:
            bare = load(OutputPolicy(text="off", nsfw="off"), texts)
            without, full = load(OutputPolicy(text="off"), texts), load(OutputPolicy(), texts)
            people = load(OutputPolicy(text="off", nsfw="off", people="review"), texts)
            gates = {"copies alone": bare, "without OCR": without, "people alone": people, "with OCR": full}
            table += timed(name, paths, gates)
    if asked.out:
        rates, times = ([r for r in table if ("hits" in r) == counted] for counted in (True, False))
        found = {"benchmark": "output_gate", "machine": harness.machine(1), "rates": rates, "times": times}
        asked.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
