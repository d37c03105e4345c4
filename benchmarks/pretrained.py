"""A checkpoint in diffusers' layout: ours against diffusers' own pipeline on the same files, steps and noise.

A Stable-Diffusion-shaped model of random weights, 256 px, 20 guided steps of its own scheduler (PNDM).  In one process,
by turns: processor time of one picture in float32 (the pictures must be equal) and in bfloat16 with the text's keys and
values kept, against the pipeline as it comes (float32) and at its best here (bfloat16, channels last).  In processes of
their own: peak memory, with and without ``--offload``, and the time to the end of the first step.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from harness import Comparison, Usage

PROMPT, AWAY, SEED, STEPS, SCALE = "a red armchair on a beige background", "blurry", 7, 20, 7.5

PEER = """
import json, sys, time, warnings
import torch
from diffusers import StableDiffusionPipeline
folder, began, steps = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
pipe.set_progress_bar_config(disable=True)
first = []
def ended(pipe, i, t, given):
    first.append([time.time() - began, time.process_time()])
    return given
pipe("a red armchair on a beige background", negative_prompt="blurry", num_inference_steps=steps,
     generator=torch.Generator().manual_seed(7), callback_on_step_end=ended)
print(json.dumps(first[0]), file=sys.stderr)
"""
OURS = """
import json, sys, time
import mezzotint as mz
folder, began, steps, offload = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "offload"
asked = mz.Request("a red armchair on a beige background", negative_prompt="blurry", model=folder, seed=7,
                   offload=offload, sampling=mz.Sampling(steps=steps, scale=7.5))
job = mz.prepare(asked)
first = []
for event in mz.stream(job):
    first.append([time.time() - began, time.process_time()])
print(json.dumps(first[0]), file=sys.stderr)
"""


def peer_of(folder: Path, dtype: Any, channels_last: bool) -> Callable[[], Any]:
    """The pipeline, ready: -> its picture (H, W, 3) float, from our noise."""
    import torch
    from diffusers import StableDiffusionPipeline

    from mezzotint.diffusion.noise import Noise

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    if channels_last:
        pipe.unet.to(memory_format=torch.channels_last)
    begin = Noise((SEED,))(0, (1, 4, 32, 32)).to(dtype)

    def picture() -> Any:
        return pipe(
            PROMPT, negative_prompt=AWAY, num_inference_steps=STEPS, guidance_scale=SCALE, latents=begin.clone(),
            output_type="np",
        ).images[0]  # fmt: skip

    return picture


def ours_of(folder: Path, dtype: str) -> Callable[[], Any]:
    """Ours, ready: -> its picture (H, W, 3) uint8."""
    import mezzotint as mz

    model = mz.load(folder)

    def picture() -> Any:
        return mz.generate(
            PROMPT, negative_prompt=AWAY, model=model, steps=STEPS, scale=SCALE, seed=SEED, dtype=dtype
        ).images[0].pixels  # fmt: skip

    return picture


def error(ours: Any, peer: Any) -> str:
    """Largest difference of two pictures, in grey levels of 255."""
    import numpy as np

    return f"pixels differ by at most {np.abs(ours.astype(float) - np.round(peer * 255)).max():.0f} of 255"


def speed_rows(folder: Path, repeats: int, threads: int) -> list[Comparison]:
    """Processor seconds of a picture."""
    import torch

    from mezzotint.nets.precision import best_dtype

    torch.set_num_threads(threads)
    plain, single = peer_of(folder, torch.float32, False), ours_of(folder, "float32")
    rows = [("one picture, both float32", single, plain, 1.0)]
    if best_dtype("cpu") == torch.bfloat16:
        best, half = peer_of(folder, torch.bfloat16, True), ours_of(folder, "bfloat16")
        rows += [
            ("one picture, bfloat16 and kept text : the pipeline as it comes", half, plain, 1 / 1.3),
            ("one picture, bfloat16 and kept text : the pipeline in bfloat16", half, best, 1 / 1.3),
        ]
    else:
        best = peer_of(folder, torch.float32, True)
        rows.append(("one picture, float32 : the pipeline in float32, channels last", single, best, 1 / 1.3))
        print("bfloat16 is no faster than float32 on this processor: its rows are left out", file=sys.stderr)
    found = []
    for name, ours, peer, target in rows:
        a, b = harness.alternate(lambda: harness.timed(ours), lambda: harness.timed(peer), repeats)  # noqa: B023
        notes = error(ours(), peer())
        found.append(harness.compare(name, "CPU s", [u.cpu for u in a], [u.cpu for u in b], target, notes))
    return found


def began(script: str, folder: Path, environment: dict[str, str], steps: int, *more: str) -> tuple[Usage, Usage]:
    """A process of its own: what it used in all, and to the end of its first step."""
    with tempfile.NamedTemporaryFile("r") as heard:
        listening = f"import sys; sys.stderr = open({heard.name!r}, 'w')\n{script}"
        command = [sys.executable, "-c", listening, str(folder), repr(time.time()), str(steps), *more]
        used = harness.child(command, environment)
        wall, cpu = json.loads(heard.read().strip().rpartition("\n")[2])
        return used, Usage(cpu, wall)


def process_rows(folder: Path, repeats: int, threads: int) -> list[Comparison]:
    """Peak memory, and time to the first step."""
    environment = harness.quiet_environment(threads)
    kinds = {"whole": (OURS, "whole"), "offload": (OURS, "offload"), "peer": (PEER,)}
    found: dict[str, list[tuple[Usage, Usage]]] = {kind: [] for kind in kinds}
    for _ in range(repeats + 1):
        for kind, (script, *more) in kinds.items():
            found[kind].append(began(script, folder, environment, 2, *more))
    kept = {kind: list_[1:] for kind, list_ in found.items()}  # the first of each reads cold files
    peer = kept["peer"]

    def rss(kind: str) -> list[float]:
        return [used.rss for used, _ in kept[kind]]

    walls = [[first.wall for _, first in kept[kind]] for kind in ("whole", "peer")]
    cpus = [[first.cpu for _, first in kept[kind]] for kind in ("whole", "peer")]
    return [
        harness.compare("peak memory", "MiB", rss("whole"), [used.rss for used, _ in peer], 1.0),
        harness.compare("peak memory with --offload", "MiB", rss("offload"), [used.rss for used, _ in peer], 0.7),
        harness.compare("process start to the end of the first step", "s", *walls, 0.6),
        harness.compare("process start to the end of the first step", "CPU s", *cpus, 0.6),
    ]


def main(argv: list[str] | None = None) -> int:
    """Runs it.  Texts are encoded anew by both: what ours keeps on disk would make the comparison unequal."""
    os.environ["MEZZOTINT_TEXT_CACHE"] = "off"
    parser = harness.arguments(__doc__ or "", 5)
    parser.add_argument("--only", nargs="*", default=["speed", "process"], choices=["speed", "process"])
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        import pretrained_model

        folder = Path(place, "model")
        parameters = pretrained_model.save(folder)
        rows = process_rows(folder, given.repeats, given.threads) if "process" in given.only else []
        rows += speed_rows(folder, given.repeats, given.threads) if "speed" in given.only else []
    settings = {**{k: v for k, v in vars(given).items() if k != "out"}, "parameters": parameters, "steps": STEPS}
    return harness.finish(harness.Outcome("pretrained", harness.machine(given.threads), settings, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
