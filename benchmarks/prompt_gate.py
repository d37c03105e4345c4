"""The prompt gate on sets of prompts: what it flags of each, with Wilson intervals, and its time.

python benchmarks/prompt_gate.py NAME=FILE … [--out FILE]: FILE is a CSV or TSV with a column "prompt", or text, one a
line; a column "categories" or "category" splits a set further.  Sets are read where they lie; none of them is part of
the project.
--roc NAME: in place of it the whole curve, by the head's largest score, against the set of that name, which is benign;
what the lists flag is flagged at every point.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mezzotint.governance.safety.prompt.canonical import canonical
from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.head import REVIEW
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
    if path.suffix not in (".csv", ".tsv"):
        return [(line, ()) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    with path.open(newline="", encoding="utf-8") as file:
        plain = csv.reader(file) if path.suffix == ".csv" else csv.reader(file, "excel-tab", quoting=csv.QUOTE_NONE)
        head = [name.lower() for name in next(plain)]
        table = [dict(zip(head, row, strict=False)) for row in plain]
    said = [(row["prompt"], row.get("categories", row.get("category", ""))) for row in table]
    return [(prompt, tuple(c.strip() for c in some.split(",") if c.strip())) for prompt, some in said]


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


POINTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of the benign set that are flagged."""


def heights(path: Path, gate: Gate) -> list[tuple[float, tuple[str, ...]]]:
    """How surely each prompt of a set is flagged, 0 ... 1, and its categories; 2 where the lists alone do."""
    lists, found = replace(gate, meaning=None), []
    assert gate.meaning is not None, "there is no head to ask"
    for prompt, categories in rows(path):
        worded = lists.check([Text("prompt", prompt)]).decision > Decision.ALLOW
        score = 2.0 if worded else gate.meaning.score(canonical(prompt).bare)[0]
        found.append((score, categories))
    return found


def curve(sets: Mapping[str, Path], benign: str, gate: Gate) -> Iterator[dict[str, object]]:
    """What of each set is flagged where the shares POINTS of the benign one are, and the area under the whole curve."""
    of = {name: heights(path, gate) for name, path in sets.items()}
    against = sorted(score for score, _ in of.pop(benign))
    print(f"{benign:32} n {len(against):5}  flagged {sum(s >= REVIEW for s in against) / len(against):.4f}")
    slices = {name: [s for s, _ in found] for name, found in of.items()}
    for name, found in of.items():
        for category in sorted({c for _, some in found for c in some}):
            slices[f"{name}: {category}"] = [s for s, some in found if category in some]
    for name, some in slices.items():
        area = sum((bisect_left(against, s) + bisect_right(against, s)) / 2 for s in some) / len(some) / len(against)
        shares = [sum(s > against[-1 - int(p * len(against))] for s in some) / len(some) for p in POINTS]
        here = sum(s >= REVIEW for s in some) / len(some)
        print(
            f"{name:32} n {len(some):5}  flagged {here:.3f}  area {area:.3f}  {'  '.join(f'{p:.3f}' for p in shares)}"
        )
        yield {"slice": name, "n": len(some), "area": area, "flagged": dict(zip(map(str, POINTS), shares, strict=True))}


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
    parser.add_argument("--roc", metavar="NAME", help="The benign set.")
    asked = parser.parse_args()
    gate, seconds, table = load(Policy(meaning=asked.meaning)), list[float](), list[dict[str, object]]()
    if asked.roc:
        print(f"{'flagged of ' + asked.roc:71}" + "  ".join(f"{p:5.3f}" for p in POINTS))
        table += curve({n: Path(p) for n, _, p in (one.partition("=") for one in asked.sets)}, asked.roc, gate)
    for one in asked.sets if asked.only != "matrix" and not asked.roc else ():
        name, _, path = one.partition("=")
        table += of_set(name, Path(path), gate, seconds)
    table += matrix(gate) if asked.only != "sets" and not asked.roc else ()
    if seconds:
        p95 = quantiles(seconds, n=20)[-1]
        print(f"time of a prompt: median {sorted(seconds)[len(seconds) // 2] * 1e3:.2f} ms, p95 {p95 * 1e3:.2f} ms")
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
