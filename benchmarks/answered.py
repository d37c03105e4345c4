"""What it takes to answer for a picture: a picture with gates, mark, receipt, credential and ledger beside a bare one.

The same job by turns, one picture a call.  Bare: sampled, and written as a PNG file with nothing beside it.  Answered:
the prompt through its gate, the picture through mark and output gate, its receipt, credential and ledger's entry, its
file.  What is made once a process (gates and keys read) is printed apart.  OCR is off unless ``--text``; a home with
keys is made for the run.  Processor time.  No peer.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness

from mezzotint.config import DEFAULT_MODEL

TARGET = 1.15


def bare(job: Any, folder: Path) -> Any:
    """The pixels of one picture in a file."""
    from mezzotint.making.image import Image
    from mezzotint.making.run import sampled

    (image,) = [event for event in sampled(job) if isinstance(event, Image)]
    (folder / f"{time.time_ns()}.png").write_bytes(image.png())
    return image


def answered(job: Any, folder: Path, gate: Any, release: Any) -> Any:
    """The same with all that speaks for it.  SystemExit where the gate keeps the picture."""
    from mezzotint.files import sha256, write_atomic
    from mezzotint.governance.receipt import write_receipt
    from mezzotint.making.checked import checked
    from mezzotint.making.image import Image
    from mezzotint.making.leaving import Leaving
    from mezzotint.making.run import sampled

    checked([one.prompt for one in job.pictures])
    (image,) = [event for event in Leaving(job.mark, None, gate).each(sampled(job)) if not hasattr(event, "done")]
    if not isinstance(image, Image):
        raise SystemExit(f"withheld: {', '.join(image.codes)}; take another --prompt or --seed")
    receipt = sha256(write_receipt(folder / "receipts", image.receipt).read_bytes())
    data = release.file(image.png(), image.receipt, receipt)
    write_atomic(folder / f"{time.time_ns()}.png", data)
    return image


def seconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    return harness.timed(work).cpu


def measured(given: Any, folder: Path) -> tuple[list[harness.Comparison], dict[str, Any]]:
    """Each repeat has a seed of its own, the same on both sides."""
    import mezzotint as mz
    from mezzotint.governance.provenance.ledger import place
    from mezzotint.governance.provenance.release import releasing
    from mezzotint.making.released import output_gate

    began = time.process_time()
    sampling = mz.Sampling(threads=given.threads, mark="required" if given.mark else "off", candidates=1)
    gate, asked = output_gate(), mz.Request(given.prompt, model=given.model, seed=given.seed, sampling=sampling)
    once = time.process_time() - began
    job = mz.prepare(asked)
    jobs = [replace(job, pictures=(replace(job.pictures[0], seed=given.seed + k),)) for k in range(given.repeats + 1)]
    parts: dict[str, list[float]] = {"bare": [], "answered": []}
    with releasing("required", place(None), []) as release:
        for k, one in enumerate(jobs):
            ways = {"bare": partial(bare, one, folder), "answered": partial(answered, one, folder, gate, release)}
            for name in ways if k % 2 else reversed(ways):
                found = seconds(ways[name])
                if k:  # the first warms up
                    parts[name].append(found)
    rows = [harness.compare("a picture, answered for : bare", "s", parts["answered"], parts["bare"], TARGET)]
    more = median(a - b for a, b in zip(parts["answered"], parts["bare"], strict=True))
    return rows, {"once": f"{once:.3f} s for the gates to be read", "each": f"{1e3 * more:.1f} ms more a picture"}


@contextmanager
def elsewhere() -> Iterator[Path]:
    """In a new folder, with a new home in it."""
    before = os.environ.get("MEZZOTINT_HOME")
    with tempfile.TemporaryDirectory() as name, chdir(name):
        os.environ["MEZZOTINT_HOME"] = str(Path(name) / "home")
        try:
            yield Path(name)
        finally:
            _ = os.environ.pop("MEZZOTINT_HOME") if before is None else os.environ.update(MEZZOTINT_HOME=before)


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 12)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--prompt", default="a red armchair on a beige background")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text", action="store_true", help="read text in pictures too")
    parser.add_argument("--mark", action="store_true", help="with the invisible mark; small pictures lack room")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    with elsewhere() as folder:
        from mezzotint.cli import run

        (folder / "mezzotint.toml").write_text(f'[safety.output]\ntext = "{"auto" if given.text else "off"}"\n')
        if run(["keys", "init", "--organisation", "A benchmark"]):
            return 1
        rows, more = measured(given, folder)
    about = {k: v for k, v in vars(given).items() if k != "out"}
    return harness.finish(harness.Outcome("answered", harness.machine(given.threads), about, rows, more), given.out)


if __name__ == "__main__":
    sys.exit(main())
