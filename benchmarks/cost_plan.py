"""What ``mezzotint cost plan`` says a run will take, and what the same run then takes: the plan may be wrong by 15 %.

By turns, each in a process of its own; wall time, for that is what a machine is paid by, from the first batch on.
Nothing is compared with a peer: no other tool plans.

    python benchmarks/cost_plan.py [--model fashion] [--n 400] [--probe 5]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness

TARGET = 1.15

OURS = """
import json, sys, time
import mezzotint as mz
from mezzotint.making.request import of_words
words = json.loads(sys.argv[1])
job = mz.prepare(of_words(mz.Request, words))
began = time.perf_counter()
for event in mz.stream(job):
    pass
print(json.dumps(time.perf_counter() - began))
"""


def planned(words: list[str], probe: float) -> float:
    """Seconds that are expected."""
    command = [sys.executable, "-m", "mezzotint", "cost", "plan", *words, "--probe", str(probe), "--json", "--quiet"]
    return float(
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["seconds"]["value"]
    )


def spent(asked: dict[str, object]) -> float:
    """Seconds that it took."""
    command = [sys.executable, "-c", OURS, json.dumps(asked)]
    with tempfile.TemporaryDirectory() as place:
        return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=place).stdout)


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 3)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--prompt", default="sneaker")
    parser.add_argument("--n", type=int, default=400, help="pictures of a run")
    parser.add_argument("--probe", type=float, default=5, help="seconds of the probe")
    given = parser.parse_args(argv)
    words = [given.prompt, "--model", given.model, "-n", str(given.n), "--threads", str(given.threads)]
    asked = {"prompt": given.prompt, "model": given.model, "n": given.n, "threads": given.threads}
    pairs = [(planned(words, given.probe), spent(asked)) for _ in range(given.repeats)]
    plans, runs = [p for p, _ in pairs], [r for _, r in pairs]
    rows = [
        harness.compare("planned : spent", "s", plans, runs, TARGET),
        harness.compare("spent : planned", "s", runs, plans, TARGET),
    ]
    about = {k: v for k, v in vars(given).items() if k != "out"}
    return harness.finish(harness.Outcome("cost_plan", harness.machine(given.threads), about, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
