"""How far each solver is from the exact end of the trajectory, at equal numbers of network calls.

Prints the root mean squared distance, over pictures and pixels on the scale -1 … 1, between a solver's pictures and
those of Heun with 100 steps, from the same noise, by the shipped model.  Deterministic solvers alone: a stochastic one
ends elsewhere on purpose.  The table of docs/how-to/choose-a-solver.md is made by this script.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import torch
from torch import Tensor

from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.philox import seeds_from
from mezzotint.diffusion.sample import sample, start
from mezzotint.pretrained.model import Model, load
from mezzotint.pretrained.plan import Plan, plan

SOLVERS = ("ddim", "heun", "ipndm", "deis", "dpmpp-2m", "dpmpp-3m", "unipc")
CALLS = (5, 8, 10, 15, 20, 30, 50)


@dataclass(frozen=True)
class Row:
    """A solver's distance to the exact end for each number of calls."""

    solver: str
    distances: tuple[float, ...]


def pictures(model: Model, made: Plan, n: int) -> Tensor:
    """n pictures of all classes by a plan, seeds 0 … n - 1: (n, *shape) before they are rounded to pixels."""
    noise = Noise(seeds_from(0, n))
    cond = {"label": torch.arange(n) % 10}
    x = start(noise, model.main.spec.shape, made.levels)
    return sample(model.main.denoiser("cpu", torch.float32), x, made.levels, made.solver, noise, cond)


def steps_for(calls: int, solver: str) -> int:
    """The steps that cost as many calls: Heun makes two a step and one in the last, so an even number gets one more."""
    return calls // 2 + 1 if solver == "heun" else calls


def measure(model: Model, solver: str, exact: Tensor, grid: str) -> Row:
    """One row."""
    found = []
    for calls in CALLS:
        made = plan(model.main.spec, solver=solver, grid=grid, steps=steps_for(calls, solver))
        found.append((pictures(model, made, len(exact)) - exact).square().mean().sqrt().item())
    return Row(solver, tuple(found))


def table(rows: list[Row]) -> str:
    """Markdown."""
    head = "| solver | " + " | ".join(map(str, CALLS)) + " |\n|---|" + "---|" * len(CALLS)
    lines = (f"| {r.solver} | " + " | ".join(f"{d:.4f}" for d in r.distances) + " |" for r in rows)
    return "\n".join([head, *lines])


def main(argv: list[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--grid", default="karras")
    parser.add_argument("--n", type=int, default=20, help="pictures")
    parser.add_argument("--solvers", nargs="*", default=list(SOLVERS))
    args = parser.parse_args(argv)
    model = load(args.model)
    with torch.inference_mode():
        exact = pictures(model, plan(model.main.spec, solver="heun", grid=args.grid, steps=100), args.n)
        rows = [measure(model, solver, exact, args.grid) for solver in args.solvers]
    print(f"model {args.model}, grid {args.grid}, {args.n} pictures, {harness.cores()} cores")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
