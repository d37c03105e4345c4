"""What every benchmark shares: two things measured by turns in one run, the machine, ratios, tables, JSON.

A ratio is always ours over the peer's cost, the median over pairs measured one right after the other, so what else the
machine does meanwhile touches both alike.  A target is the ratio that must not be passed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Work = Callable[[], object]


@dataclass(frozen=True)
class Usage:
    """What one run of something cost: seconds of processor time (user + system), of wall time, MiB of peak memory."""

    cpu: float
    wall: float
    rss: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """Ours against a peer at one thing.

    unit: of ours and peer, which are medians.  ratio: median of the pairs' ratios ours/peer.  spread: their least and
    greatest.  target: the ratio that must not be passed, or None where the row is for information.
    """

    name: str
    unit: str
    ours: float
    peer: float
    ratio: float
    spread: tuple[float, float]
    target: float | None
    repeats: int
    notes: str = ""

    @property
    def verdict(self) -> str:
        """In plain words: whether we win, and whether the target is reached."""
        if self.ratio >= 1:
            return "we lose" if self.target is None or self.target < 1 else reached(self.ratio, self.target)
        return "we win" if self.target is None else reached(self.ratio, self.target)


def reached(ratio: float, target: float) -> str:
    """Whether a ratio reaches its target."""
    return "target reached" if ratio <= target else "we win, target missed" if ratio < 1 else "target missed"


def compare(
    name: str, unit: str, ours: Sequence[float], peer: Sequence[float], target: float | None = None, notes: str = ""
) -> Comparison:
    """A comparison from paired measurements."""
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    middle = statistics.median
    spread = (min(ratios), max(ratios))
    return Comparison(name, unit, middle(ours), middle(peer), middle(ratios), spread, target, len(ratios), notes)


def timed(work: Work) -> Usage:
    """One call's cost; memory is not measured."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Usage(time.process_time() - cpu, time.perf_counter() - wall)


def alternate(ours: Callable[[], Usage], peer: Callable[[], Usage], repeats: int) -> tuple[list[Usage], list[Usage]]:
    """Both by turns, each first every other time, after one unmeasured call of each."""
    ours()
    peer()
    a: list[Usage] = []
    b: list[Usage] = []
    for i in range(repeats):
        for one, kept in ((ours, a), (peer, b)) if i % 2 == 0 else ((peer, b), (ours, a)):
            kept.append(one())
    return a, b


LAUNCHER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - began
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, used.ru_utime + used.ru_stime, wall, used.ru_maxrss]))
"""
"""A process begins with the peak memory of the one that starts it, so what is measured is started by a small one."""


def child(command: Sequence[str], environment: dict[str, str] | None = None) -> Usage:
    """A process of its own, from its start to its end.  Raises RuntimeError with its last words when it fails."""
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launcher, env=environment, capture_output=True, text=True)
    code, cpu, wall, rss = json.loads(done.stdout or "[1, 0, 0, 0]")
    if code != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {code}: {done.stderr[-2000:]}")
    scale = 1 / 1024 if sys.platform != "darwin" else 1 / 1024**2  # ru_maxrss: KiB on Linux, bytes on macOS
    return Usage(cpu, wall, rss * scale)


def program() -> str:
    """The ``mezzotint`` beside this interpreter; SystemExit when there is none."""
    found = shutil.which("mezzotint", path=str(Path(sys.executable).parent)) or shutil.which("mezzotint")
    if found is None:
        raise SystemExit("no program mezzotint beside this Python; pip install the package first")
    return found


def quiet_environment(threads: int, **more: str) -> dict[str, str]:
    """The environment of a measured process: a number of threads for both sides, nothing fetched."""
    fixed = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **fixed, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **more}


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(package: str) -> str:
    """Of an installed package, or "absent"."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def machine(threads: int) -> dict[str, Any]:
    """Where a measurement was made, as far as it bears on it."""
    packages = ("mezzotint", "torch", "diffusers", "numpy")
    return {
        "processor": processor(),
        "cores": cores(),
        "threads": threads,
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


@dataclass(frozen=True)
class Outcome:
    """What one benchmark found: ``settings`` are its arguments, ``more`` whatever a table of ratios cannot hold."""

    benchmark: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    comparisons: list[Comparison]
    more: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path = RESULTS) -> Path:
        """``<folder>/<benchmark>.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.benchmark}.json"
        rows = [{**asdict(c), "verdict": c.verdict} for c in self.comparisons]
        path.write_text(json.dumps({**asdict(self), "comparisons": rows}, indent=2) + "\n")
        return path


def number(x: float) -> str:
    """Three significant digits, no exponent."""
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def row(c: Comparison) -> tuple[str, ...]:
    """A comparison as cells."""
    factor = f"{1 / c.ratio:.2f}x" if c.ratio else "-"
    target = "-" if c.target is None else f"<= {c.target:.3f}"
    spread = f"{c.spread[0]:.3f} .. {c.spread[1]:.3f}"
    cells = (number(c.ours), number(c.peer), c.unit, f"{c.ratio:.3f}", spread, factor, target)
    return (c.name, *cells, c.verdict + (f"; {c.notes}" if c.notes else ""))


HEAD = ("what", "ours", "peer", "unit", "ours/peer", "spread", "better", "target", "verdict")


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> str:
    """Aligned columns."""
    widths = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in (head, *rows))


def finish(outcome: Outcome, out: Path) -> int:
    """Prints and saves an outcome; 0 whether we win or lose."""
    where = outcome.machine
    print(f"\n{outcome.benchmark}: {where['processor']}, {where['cores']} cores, {where['threads']} threads,", end=" ")
    print(f"torch {where['torch']}, diffusers {where['diffusers']}, load {where['load']:.2f}")
    if outcome.comparisons:
        print(table([row(c) for c in outcome.comparisons]))
    for key, value in outcome.more.items():
        if isinstance(value, str):
            print(f"{key}: {value}")
    print(f"written: {outcome.save(out)}")
    return 0


def arguments(about: str, repeats: int) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--repeats", type=int, default=repeats, help="pairs measured")
    parser.add_argument("--threads", type=int, default=1, help="threads of either side")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON")
    return parser


def use_threads(n: int) -> None:
    """This process and its arithmetic on n threads; call before torch is imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(n)
    import torch

    torch.set_num_threads(n)


@contextmanager
def catalogs() -> Iterator[Path]:
    """A folder for them that is gone after, with a home in it and nothing written into anybody's ledger."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["MEZZOTINT_LEDGER"] = "off"
        os.environ["MEZZOTINT_HOME"] = str(Path(place) / "home")
        yield Path(place)


@contextmanager
def counted(kind: type) -> Iterator[list[int]]:
    """How many rows networks of a kind compute, a number a call."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    rows: list[int] = []
    hook = register_module_forward_pre_hook(
        lambda net, given: rows.append(len(given[0])) if type(net) is kind else None
    )
    try:
        yield rows
    finally:
        hook.remove()
