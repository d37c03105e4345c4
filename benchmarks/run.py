"""A group of benchmarks one after the other, and one table at the end: ``all`` is what ``make bench`` runs.

Refuses to begin on a machine that is busy with other things, whose numbers would mean little; ``--anyway`` begins.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import figures
import harness

ALL = ("cold_start", "solver_overhead", "network", "pretrained", "tune", "tune_fidelity", "quality")
CALLS = ("few_calls",)
"""By what ships alone: the learned solvers of ``fashion``.  Some 600,000 calls of its network."""

GROUPS = {"all": ALL, "calls": CALLS}
FEW = ("--n", "1300", "--limit", "2000", "--calls", "4", "6")
"""The fewest pictures that have a Fréchet distance, and as many calls as there are solvers for."""

BUSY = 1.2
"""Processes that want a core, a core: above it the machine is busy."""


def refuse_busy() -> None:
    """SystemExit 2 when the load is high."""
    load = os.getloadavg()[0]
    if load > BUSY * harness.cores():
        text = f"the machine is busy: load {load:.2f} on {harness.cores()} cores; wait, or measure anyway with --anyway"
        print(text, file=sys.stderr)
        raise SystemExit(2)


def run(name: str, out: Path, options: list[str]) -> bool:
    """One benchmark in a process of its own; whether it ended well."""
    print(f"\n== {name} ==", flush=True)
    script = harness.ROOT / f"{name}.py"
    return subprocess.run([sys.executable, str(script), "--out", str(out), *options]).returncode == 0


def final(out: Path, names: list[str]) -> str:
    """Every comparison that was written, in one table."""
    found = []
    for name in names:
        path = out / f"{name}.json"
        if path.is_file():
            for c in json.loads(path.read_text())["comparisons"]:
                c.pop("verdict")
                found.append(harness.row(harness.Comparison(**{**c, "spread": tuple(c["spread"])})))
    return harness.table(found)


def main(argv: list[str] | None = None) -> int:
    """Runs them; 0 whether we win or lose, 1 when one could not be run to its end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", default="all", choices=GROUPS)
    parser.add_argument("--only", nargs="*", default=None, choices=(*ALL, *CALLS), help="in the place of a group")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for quality")
    parser.add_argument("--n", type=int, default=2048, help="pictures, for quality")
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    given = parser.parse_args(argv)
    if not given.anyway:
        refuse_busy()
    began = time.time()
    names = GROUPS[given.group] if given.only is None else given.only
    options = {"quality": ["--minutes", str(given.minutes), "--n", str(given.n)], "few_calls": [*FEW]}
    failed = [name for name in names if not run(name, given.out, options.get(name, []))]
    written = [n for n in names if (given.out / f"{n}.json").is_file() and n not in failed]
    print(f"\n== all, {time.time() - began:.0f} s ==")
    print(final(given.out, written))
    for path in figures.draw_all([given.out / f"{name}.json" for name in written], given.out):
        print(path)
    if failed:
        print(f"not run to their end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
