"""The prompt gate on sets of prompts: what it flags of each, with Wilson intervals, and its time.

python benchmarks/prompt_gate.py NAME=FILE … [--out FILE]: FILE is a CSV with a column "prompt", or text, one a line;
a column "categories" splits a set further.  Sets are read where they lie; none of them is part of the project.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.words import Decision

Z = 1.959964


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share.  Wilson, 1927, Probable Inference, eq. 4."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    middle, half = p + z2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)


def rows(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(prompt, its categories)."""
    if path.suffix != ".csv":
        return [(line, ()) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    with path.open(newline="", encoding="utf-8") as file:
        return [
            (row["prompt"], tuple(c.strip() for c in row.get("categories", "").split(",") if c.strip()))
            for row in csv.DictReader(file)
        ]


def measured(name: str, decisions: Sequence[Decision]) -> dict[str, object]:
    """One slice."""
    flagged, blocked = sum(d > Decision.ALLOW for d in decisions), sum(d == Decision.BLOCK for d in decisions)
    low, high = wilson(flagged, len(decisions))
    share = flagged / max(1, len(decisions))
    blocks = blocked / max(1, len(decisions))
    print(f"{name:32} n {len(decisions):5}  flagged {share:.3f} [{low:.3f}, {high:.3f}]  blocked {blocks:.3f}")
    return {"slice": name, "n": len(decisions), "flagged": flagged, "blocked": blocked, "low": low, "high": high}


def of_set(name: str, path: Path, gate: Gate, seconds: list[float]) -> Iterator[dict[str, object]]:
    """The whole of a set, then each of its categories."""
    found: list[tuple[Decision, tuple[str, ...]]] = []
    for prompt, categories in rows(path):
        began = time.perf_counter()
        decision = gate.check([Text("prompt", prompt)]).decision
        seconds.append(time.perf_counter() - began)
        found.append((decision, categories))
    yield measured(name, [d for d, _ in found])
    for category in sorted({c for _, some in found for c in some}):
        yield measured(f"{name}: {category}", [d for d, some in found if category in some])


def matrix(gate: Gate) -> Iterator[dict[str, object]]:
    """Every disguise of every strong single word of English."""
    from evasions import EVASIONS

    words = strong(gate)
    for name, disguise in EVASIONS.items():
        texts = [f"a photo of {disguise(word)} on a table" for word in words]
        yield measured(f"evasion: {name}", [gate.check([Text("prompt", t)]).decision for t in texts])


def strong(gate: Gate) -> list[str]:
    """Strong single words of the English list, whole ones."""
    terms = gate.lexicon.terms
    return [t.text for t in terms if (t.language, t.severity, t.stem, len(t.tokens)) == ("en", "strong", False, 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--only", choices=("sets", "matrix"), help="Leave out the other.")
    parser.add_argument("--meaning", choices=("auto", "off"), default="auto", help="Whether the head is asked.")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    gate, seconds, table = load(Policy(meaning=asked.meaning)), list[float](), list[dict[str, object]]()
    for one in asked.sets if asked.only != "matrix" else ():
        name, _, path = one.partition("=")
        table += of_set(name, Path(path), gate, seconds)
    table += matrix(gate) if asked.only != "sets" else ()
    if seconds:
        p95 = quantiles(seconds, n=20)[-1]
        print(f"time of a prompt: median {sorted(seconds)[len(seconds) // 2] * 1e3:.2f} ms, p95 {p95 * 1e3:.2f} ms")
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
