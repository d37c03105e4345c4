"""What a solver costs beside the network: time a step of the whole loop around a network that does nothing.

Either side, ours and diffusers', runs everything a user's loop runs but the network: scaling of the input, conversion
of an eps-prediction to x0, the solver's arithmetic, and for ours the trajectory's own bookkeeping.  CPU time a network
call, one thread unless told otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from harness import Usage

STEPS = 20
BIG, SMALL = (64, 4, 64, 64), (1, 4, 64, 64)


@dataclass(frozen=True)
class Pair:
    """A solver of ours, the diffusers scheduler it corresponds to, and what must be reached at which shape."""

    ours: str
    peer: str
    options: dict[str, Any]
    targets: dict[tuple[int, ...], float]


PAIRS = (
    Pair("dpm++2m", "DPMSolverMultistepScheduler", {}, {SMALL: 1 / 3}),
    Pair("unipc", "UniPCMultistepScheduler", {}, {BIG: 1 / 4}),
    Pair("dpm++3m", "DPMSolverMultistepScheduler", {"solver_order": 3}, {}),
    Pair("deis", "DEISMultistepScheduler", {}, {}),
    Pair("ddim", "DDIMScheduler", {"clip_sample": False}, {}),
    Pair("euler", "EulerDiscreteScheduler", {}, {}),
    Pair("heun", "HeunDiscreteScheduler", {}, {}),
)


def our_solver(name: str) -> Any:
    """The solver that a pair names, at its default."""
    from mezzotint.diffusion.solver import ddim, deis, dpm, euler, heun, unipc

    made: dict[str, Callable[[], Any]] = {
        "dpm++2m": dpm.DPMpp2M,
        "dpm++3m": dpm.DPMpp3M,
        "unipc": unipc.UniPC,
        "deis": deis.DEIS,
        "ddim": ddim.DDIM,
        "euler": euler.Euler,
        "heun": heun.Heun,
    }
    return made[name]()


class Answer:
    """A network that does nothing but count: it answers one prepared tensor."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        import torch

        self.answer, self.calls = torch.full(shape, 0.1), 0

    def __call__(self, *given: object) -> Any:
        self.calls += 1
        return self.answer


def per_call(prepare: Callable[[], Any], loop: Callable[[Any], None], network: Answer, rounds: int) -> Usage:
    """The cost a network call of ``rounds`` loops; what ``prepare`` does is not measured."""
    import torch

    network.calls, cpu, wall = 0, 0.0, 0.0
    with torch.inference_mode():
        for _ in range(rounds):
            ready = prepare()
            used = harness.timed(lambda ready=ready: loop(ready))
            cpu, wall = cpu + used.cpu, wall + used.wall
    return Usage(cpu / network.calls, wall / network.calls)


def ours(name: str, shape: tuple[int, ...], rounds: int) -> Callable[[], Usage]:
    """Whole trajectories of ours on a grid made beforehand."""
    import torch

    from mezzotint.diffusion import grid
    from mezzotint.diffusion.denoiser import Preconditioned
    from mezzotint.diffusion.noise import Noise
    from mezzotint.diffusion.parametrisation import EPS
    from mezzotint.diffusion.sample import trajectory
    from mezzotint.diffusion.schedule import scaled_linear

    network, solver = Answer(shape), our_solver(name)
    denoiser, levels = Preconditioned(network, EPS), grid.leading(scaled_linear(), STEPS)
    x, noise = torch.full(shape, 0.5), Noise(tuple(range(shape[0])))

    def loop(ready: None) -> None:
        for _ in trajectory(denoiser, x, levels, solver, noise, {}):
            pass

    return lambda: per_call(lambda: None, loop, network, rounds)


def peer(pair: Pair, shape: tuple[int, ...], rounds: int) -> Callable[[], Usage]:
    """The loop of a diffusers pipeline around the same network, after ``set_timesteps``."""
    import diffusers
    import torch

    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    scheduler = getattr(diffusers, pair.peer)(**betas, **pair.options)
    network, start = Answer(shape), torch.full(shape, 0.5)

    def loop(ready: None) -> None:
        x = start
        for t in scheduler.timesteps:
            out = network(scheduler.scale_model_input(x, t), t)
            x = scheduler.step(out, t, x, return_dict=False)[0]

    return lambda: per_call(lambda: scheduler.set_timesteps(STEPS), loop, network, rounds)


def measure(pair: Pair, shape: tuple[int, ...], repeats: int, rounds: int) -> harness.Comparison:
    """One row: microseconds of CPU a network call."""
    a, b = harness.alternate(ours(pair.ours, shape, rounds), peer(pair, shape, rounds), repeats)
    options = "".join(f" {k}={v}" for k, v in pair.options.items())
    return harness.compare(
        f"{pair.ours} {'x'.join(map(str, shape))}",
        "us",
        [u.cpu * 1e6 for u in a],
        [u.cpu * 1e6 for u in b],
        pair.targets.get(shape),
        f"peer {pair.peer}{options}",
    )


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = harness.arguments(__doc__ or "", 15)
    parser.add_argument("--solvers", nargs="*", default=[p.ours for p in PAIRS], help="which of ours")
    parser.add_argument("--rounds", type=int, default=5, help="trajectories a measurement")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    chosen = [p for p in PAIRS if p.ours in given.solvers]
    rows = [measure(p, s, given.repeats, given.rounds if s[0] == 1 else 1) for p in chosen for s in (SMALL, BIG)]
    settings = {"repeats": given.repeats, "rounds": given.rounds, "steps": STEPS, "clock": "CPU"}
    return harness.finish(harness.Outcome("solver_overhead", harness.machine(given.threads), settings, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
