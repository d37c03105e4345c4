"""What it costs to begin: ``mezzotint --help``, and one picture from nothing, each a process of its own.

The peer of the first is ``from diffusers import DDPMPipeline``, what a script pays before it can say a word.  The peer
of the second is a ``DDPMPipeline`` of as many parameters and as many network calls, read from a folder saved before.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import peers
from harness import Comparison, Usage

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


def generate_rows(model: str, prompt: str, repeats: int, threads: int, folder: Path) -> list[Comparison]:
    """One picture, from the start of the process to the file."""
    import mezzotint as mz

    loaded = mz.load(model)
    calls = mz.explain(loaded).calls
    count = sum(p.numel() for p in loaded.main.network.parameters())
    theirs = peers.save_pipeline(folder / "peer", count)
    environment = harness.quiet_environment(threads)
    ours_out, peer_out = numbered(folder, ""), numbered(folder, ".png")
    command = [harness.program(), "generate", prompt, "--model", model, "-n", "1", "--seed", "7", "--quiet", "--out"]
    a, b = harness.alternate(
        lambda: harness.child([*command, ours_out()], environment),
        lambda: harness.child(
            [sys.executable, "-c", PIPELINE, str(folder / "peer"), str(calls), peer_out()], environment
        ),
        repeats,
    )
    notes = f"{calls} calls, parameters {count:,} : {theirs:,}"
    return rows_of("generate", a, b, 1 / 3, 2 / 3, notes)


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = harness.arguments(__doc__ or "", 7)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--prompt", default="ankle boot")
    parser.add_argument("--only", nargs="*", default=["help", "generate"], choices=["help", "generate"])
    given = parser.parse_args(argv)
    rows: list[Comparison] = []
    if "help" in given.only:
        rows += help_rows(given.repeats, given.threads)
    if "generate" in given.only:
        with tempfile.TemporaryDirectory() as folder:
            rows += generate_rows(given.model, given.prompt, given.repeats, given.threads, Path(folder))
    settings = {k: v for k, v in vars(given).items() if k != "out"}
    return harness.finish(harness.Outcome("cold_start", harness.machine(given.threads), settings, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
