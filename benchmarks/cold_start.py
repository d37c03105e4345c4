"""What it costs to begin: ``mezzotint --help``, and one picture from nothing, each a process of its own.

The peer of the first is ``from diffusers import DDPMPipeline``, what a script pays before it can say a word.  The peer
of the second is a ``DDPMPipeline`` of as many parameters and as many network calls, read from a folder saved before.
The third is the second by an exported model, in a process that never imports torch, against the same peer.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import peers
from harness import Comparison, Usage

KINDS = ["help", "generate", "exported"]
IMPORT = "from diffusers import DDPMPipeline"
PIPELINE = """
import sys
import torch
from diffusers import DDPMPipeline
folder, calls, target = sys.argv[1:]
pipe = DDPMPipeline.from_pretrained(folder)
pipe.set_progress_bar_config(disable=True)
pipe(generator=torch.Generator().manual_seed(7), num_inference_steps=int(calls)).images[0].save(target)
"""


def rows_of(
    name: str, a: list[Usage], b: list[Usage], cpu: float, memory: float | None, notes: str = ""
) -> list[Comparison]:
    """CPU time, wall time and peak memory of two lists of processes."""
    kinds = (
        ("CPU", "s", lambda u: u.cpu, cpu),
        ("wall", "s", lambda u: u.wall, None),
        ("peak memory", "MiB", lambda u: u.rss, memory),
    )
    return [
        harness.compare(f"{name}: {kind}", unit, [of(u) for u in a], [of(u) for u in b], target, notes)
        for kind, unit, of, target in kinds
    ]


def help_rows(repeats: int, threads: int) -> list[Comparison]:
    """--help against the import."""
    environment = harness.quiet_environment(threads)
    a, b = harness.alternate(
        lambda: harness.child([harness.program(), "--help"], environment),
        lambda: harness.child([sys.executable, "-c", IMPORT], environment),
        repeats,
    )
    return rows_of("--help", a, b, 1 / 10, None)


def numbered(folder: Path, suffix: str) -> Callable[[], str]:
    """A new path at each call."""
    count = iter(range(1_000_000))
    return lambda: str(folder / f"{next(count)}{suffix}")


def peer_of(model: str, folder: Path) -> tuple[list[str], str]:
    """The peer's command, without its picture's path, for as many parameters and calls; and what is alike."""
    import mezzotint as mz

    loaded: Any = mz.load(model)
    calls = mz.explain(loaded).calls
    count = sum(p.numel() for p in loaded.main.network.parameters())
    theirs = peers.save_pipeline(folder / "peer", count)
    command = [sys.executable, "-c", PIPELINE, str(folder / "peer"), str(calls)]
    return command, f"{calls} calls, parameters {count:,} : {theirs:,}"


def generate_rows(
    name: str, model: str, prompt: str, peer: list[str], notes: str, targets: tuple[float, float], given: Namespace,
    folder: Path,
) -> list[Comparison]:  # fmt: skip
    """One picture, from the start of the process to the file."""
    environment = harness.quiet_environment(given.threads)
    ours_out, peer_out = numbered(folder, f"-{name.replace(' ', '-')}"), numbered(folder, ".png")
    command = [harness.program(), "generate", prompt, "--model", model, "-n", "1", "--seed", "7", "--quiet"]
    a, b = harness.alternate(
        lambda: harness.child([*command, "--threads", str(given.threads), "--out", ours_out()], environment),
        lambda: harness.child([*peer, peer_out()], environment),
        given.repeats,
    )
    return rows_of(name, a, b, *targets, notes)


def exported_rows(given: Namespace, peer: list[str], notes: str, folder: Path) -> list[Comparison]:
    """The same picture of the same network by each runtime that was asked for, without torch."""
    import mezzotint as mz

    rows: list[Comparison] = []
    for runtime in given.runtimes:
        made = mz.export(given.model, out=folder / runtime, to=runtime)
        said = f"{notes}, {made.runtime.package} {made.runtime.version}"
        targets = (1 / 10, 1 / 3)
        name = f"generate by {runtime}"
        rows += generate_rows(name, str(made.folder), given.prompt, peer, said, targets, given, folder)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = harness.arguments(__doc__ or "", 7)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--prompt", default="ankle boot")
    parser.add_argument("--only", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--runtimes", nargs="*", default=["onnx"], choices=["onnx", "openvino"])
    given = parser.parse_args(argv)
    rows: list[Comparison] = []
    if "help" in given.only:
        rows += help_rows(given.repeats, given.threads)
    if set(given.only) & {"generate", "exported"}:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            peer, notes = peer_of(given.model, folder)
            if "generate" in given.only:
                targets = (1 / 3, 2 / 3)
                rows += generate_rows("generate", given.model, given.prompt, peer, notes, targets, given, folder)
            if "exported" in given.only:
                rows += exported_rows(given, peer, notes, folder)
    settings = {k: v for k, v in vars(given).items() if k != "out"}
    return harness.finish(harness.Outcome("cold_start", harness.machine(given.threads), settings, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
