"""Plants errors into a copy of the source, one at a time, and shows that the tests of the laws catch each.

    python tests/planted_errors.py [--jobs N] [WORD …]     (WORDs: only plants whose name contains one)

Each row: caught, by which test first; or MISSED (a law that cannot fail), or STALE (the pattern is not there once).
The errors are in planted_errors.toml.
Exits with 1 unless every plant is caught and the clean copy passes the same tests.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Plant:
    """One error: in a file below src/mezzotint ``old`` becomes ``new``, and a test that ``select`` picks must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    select: str


PLANTS = tuple(Plant(**entry) for entry in tomllib.loads((ROOT / "tests/planted_errors.toml").read_text())["plant"])


QUIETLY = ("-q", "--no-header", "--tb=no", "-rf", "-p", "no:cacheprovider", "-m", "slow or not slow")


def occurrences(plant: Plant) -> int:
    return (ROOT / "src/mezzotint" / plant.file).read_text().count(plant.old)


def _pytest(source: str, report: str, arguments: list[str]) -> None:
    """In a process of its own: the tests against the package in ``source``."""
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = source  # for the processes that tests start
    sys.path.insert(0, source)
    sys.dont_write_bytecode = True
    import pytest

    import mezzotint

    assert mezzotint.__file__ is not None and mezzotint.__file__.startswith(source), mezzotint.__file__
    with Path(report).open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        os._exit(int(pytest.main([*QUIETLY, *arguments])))


def run(arguments: list[str], plant: Plant | None = None) -> tuple[int | None, str]:
    """pytest's exit code and its report, on a fresh copy of the source with the plant in it."""
    with tempfile.TemporaryDirectory() as folder:
        source, report = Path(folder, "src"), Path(folder, "report.txt")
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        if plant is not None:
            target = source / "mezzotint" / plant.file
            target.write_text(target.read_text().replace(plant.old, plant.new))
        child = CONTEXT.Process(target=_pytest, args=(str(source), str(report), arguments))
        child.start()
        child.join(600)
        if child.exitcode is None:
            child.kill()
        return child.exitcode, report.read_text() if report.exists() else ""


def verdict(plant: Plant) -> str:
    """caught, MISSED or STALE.  Only failing tests count: a module that no longer imports is no law's work."""
    if (found := occurrences(plant)) != 1:
        return f"STALE: the pattern occurs {found} times"
    code, report = run(["-x", *selection([plant])], plant)
    failed = re.search(r"^FAILED \S*?::(.+?)(?: - |$)", report, re.MULTILINE)
    return f"caught by {failed[1]}" if code == 1 and failed else f"MISSED ({report.strip()[-200:] or 'no answer'})"


def selection(plants: Sequence[Plant]) -> list[str]:
    """pytest's arguments for all tests that some plants of one file of tests name."""
    picks = {p.select for p in plants}
    return [plants[0].tests, *(["-k", " or ".join(f"({s})" for s in sorted(picks))] if "" not in picks else [])]


def clean(plants: Sequence[Plant]) -> bool:
    """Whether the source as it is passes all that the plants name: else a failure says nothing."""
    files = {p.tests: [q for q in plants if q.tests == p.tests] for p in plants}
    return all(run(selection(group))[0] == 0 for group in files.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    plants = tuple(p for p in PLANTS if not options.words or any(w in p.name for w in options.words))
    began, good = time.monotonic(), clean(plants)
    print(f"{'the source as it is':58s} {'passes' if good else 'FAILS'}", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        for plant, said in zip(plants, pool.map(verdict, plants), strict=True):
            good &= said.startswith("caught")
            print(f"{plant.name:58s} {said}", flush=True)
    print(f"{len(plants)} plants in {time.monotonic() - began:.0f} s: {'all caught' if good else 'NOT all caught'}")
    return 0 if good else 1


_METHODS = multiprocessing.get_all_start_methods()
CONTEXT = multiprocessing.get_context("forkserver" if "forkserver" in _METHODS else "spawn")

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "forkserver" in _METHODS:
        CONTEXT.set_forkserver_preload(["torch", "numpy", "scipy.stats", "pytest"])
    sys.exit(main())
