"""Catalogs beside what people would write instead: a loop over diffusers' pipeline, and bare processes.

pipeline  ``catalog run`` of n prompts on a Stable-Diffusion-shaped model of random weights, and a loop over diffusers'
          own pipeline on the same files, one prompt at a time: the same network, calls, size and number format;
          processor time.
ray       ``catalog run --engine ray`` with two actors, and two bare processes that make half of the pictures each; wall
          time from the first batch to the last, so that neither pays for its start.

    python benchmarks/catalog_peers.py [--only pipeline ray] [--n 16] [--steps 4] [--shapes small stable-diffusion]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness

PARTS = ("pipeline", "ray")
SHAPES = ("small", "middle", "stable-diffusion")
"""Networks that the pipeline is tried with: as small as products' own, that of the other benchmarks, and Stable
Diffusion 1's."""
FASTER, TWO = 1 / 1.5, 1 / 0.9
"""Of the pipeline's time ours may take; of two bare processes' time two actors may."""

BARE = """
import sys, time
import mezzotint as mz
model, n, seed, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
loaded = mz.load(model)
kinds = [label.name for label in loaded.system.labels]
mz.generate(kinds[0], model=loaded, threads=1, n=16, batch=16)
print("ready", flush=True)
sys.stdin.readline()
prompts = [kinds[k % len(kinds)] for k in range(n)]
for image in mz.generate(prompts, model=loaded, threads=1, batch=16, seed=seed).images:
    image.save(f"{out}/{image.seed}.png")
"""


def manifest(folder: Path, prompts: list[str]) -> Path:
    """A row for each prompt."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.csv").write_text("sku,prompt\n" + "".join(f"S-{k},{text}\n" for k, text in enumerate(prompts)))
    return folder / "m.csv"


def planned(path: Path, out: Path, model: str, loaded: Any, **words: Any) -> tuple[Any, Any]:
    """(run, place) of a manifest."""
    from mezzotint.catalog.plan.words import Words
    from mezzotint.catalog.planning import Asked
    from mezzotint.catalog.running import begin, open_place
    from mezzotint.making.request import of_words

    where = open_place(str(out), None)
    asked = Asked(str(path), of_words(Words, {"model": model, "threads": 1, **words}), probe=0)
    return begin(asked, where, loaded)[0], where


def pipeline(folder: Path, shape: str, given: argparse.Namespace) -> harness.Comparison:
    """Processor time of the same pictures.   shape: of ``SHAPES``."""
    import pretrained_model
    import torch
    from diffusers import StableDiffusionPipeline

    import mezzotint as mz
    from mezzotint.catalog.running import make_all

    sizes = pretrained_model.SHAPES[shape]
    count_of = pretrained_model.save(folder / "model", sizes)
    loaded, prompts = mz.load(folder / "model"), [f"a red chair number {k}" for k in range(given.n)]
    path, count = manifest(folder, prompts), iter(range(10_000))
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[given.dtype]
    pipe = StableDiffusionPipeline.from_pretrained(folder / "model", safety_checker=None, torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)

    words = {"steps": given.steps, "scale": 7.5, "dtype": given.dtype}

    def ours() -> object:
        run, where = planned(path, folder / f"out-{next(count)}", str(folder / "model"), loaded, **words)
        return make_all(run, where, loaded)

    def peer() -> object:
        out = folder / f"bare-{next(count)}"
        out.mkdir()
        for k, text in enumerate(prompts):
            noise = torch.Generator().manual_seed(k)
            made = pipe(text, num_inference_steps=given.steps, guidance_scale=7.5, generator=noise)
            made.images[0].save(out / f"{k}.png")
        return out

    a, b = harness.alternate(lambda: harness.timed(ours), lambda: harness.timed(peer), given.repeats)
    network = f"{count_of / 1e6:.0f} M parameters, U-Net of {'-'.join(map(str, sizes.unet))}"
    what = f"catalog run of {given.n}, {given.steps} steps, {given.dtype}"
    name = f"{what}, beside diffusers one prompt at a time, {network}"
    return harness.compare(name, "CPU s", [u.cpu for u in a], [u.cpu for u in b], FASTER)


def ray(folder: Path, model: str, n: int, repeats: int) -> harness.Comparison:
    """Wall time of n pictures by two actors, and by two bare processes."""
    import mezzotint as mz

    loaded = mz.load(model)
    kinds = [label.name for label in loaded.system.labels]
    path, count = manifest(folder, [kinds[k % len(kinds)] for k in range(n)]), iter(range(10_000))
    a, b = harness.alternate(
        lambda: harness.Usage(0.0, _by_actors(path, folder / f"out-{next(count)}", model, loaded)),
        lambda: harness.Usage(0.0, _by_processes(folder / f"bare-{next(count)}", model, n)),
        repeats,
    )
    return harness.compare(f"two actors on Ray, {n} of {model}", "s", [u.wall for u in a], [u.wall for u in b], TWO)


def _by_actors(path: Path, out: Path, model: str, loaded: Any) -> float:
    """Seconds from the first picture's entry in the ledger to the last one's, for all but the first batch of each."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t
    from mezzotint.catalog.running import Engine, work_all

    run, where = planned(path, out, model, loaded)
    state = work_all(run, where, loaded, (str(out), None), Engine("ray", 2), lambda: None)
    assert state == "done", state
    with where.db.reading() as connection:
        at = sorted(connection.execute(select(t.made.c.created)).scalars())
    first = 2 * 16
    return (at[-1] - at[first - 1]) * len(at) / (len(at) - first)


def _by_processes(out: Path, model: str, n: int) -> float:
    """Seconds from when both are ready to when both are done."""
    out.mkdir(parents=True)
    command = [sys.executable, "-c", BARE, model, str(n // 2)]
    both = [
        subprocess.Popen([*command, str(1000 * k), str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for k in range(2)
    ]
    for one in both:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.wait() for one in both] == [0, 0]
    return time.perf_counter() - began


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 3)
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES[:2]), choices=SHAPES, help="of pipeline")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"), help="of pipeline, both sides")
    parser.add_argument("--model", default="fashion", help="of ray")
    parser.add_argument("--n", type=int, default=64, help="pictures of a run")
    parser.add_argument("--steps", type=int, default=8, help="of pipeline")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    rows = list[harness.Comparison]()
    with harness.catalogs() as folder:
        if "pipeline" in given.only:
            rows += [pipeline(folder / f"pipeline-{shape}", shape, given) for shape in given.shapes]
        rows += [ray(folder / "ray", given.model, given.n, given.repeats)] if "ray" in given.only else []
    about = {k: v for k, v in vars(given).items() if k != "out"}
    return harness.finish(harness.Outcome("catalog_peers", harness.machine(given.threads), about, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
