"""What must hold of an exported plan: it is the solver, whatever the denoiser; its noise is the same to the bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from every_solver import ALL, begin, karras

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.parametrisation import EDM, FLOW, X0, V
from mezzotint.diffusion.sample import start, trajectory
from mezzotint.errors import NonFiniteError, UsageError
from mezzotint.exported.plan import Way, from_json, to_json, walk
from mezzotint.exported.run import Guided, drawn, pixels
from mezzotint.exported.solved import program

SEEDS = (3, 2**63 - 1)
SHAPE = (2, 1, 3, 4)


def net(x: torch.Tensor, c: torch.Tensor, cond: object = None) -> torch.Tensor:
    """A network that is not linear and feels its level."""
    return torch.tanh(x + 0.1 * c.reshape(-1, 1, 1, 1)) + 0.2 * x.roll(1, -1).cos()


def session(feeds: dict[str, np.ndarray]) -> np.ndarray:
    return net(torch.from_numpy(feeds["x"]), torch.from_numpy(feeds["c_noise"])).numpy()


def ours(made, stage: int = 0) -> np.ndarray:
    denoise = Guided(session, (), {}, {}, 1.0)
    *_, end = walk(made, denoise, lambda draw: drawn(SEEDS, stage, draw, SHAPE))
    return end


def theirs(solver, levels: Level, parametrisation, stage: int = 0) -> np.ndarray:
    noise = Noise(SEEDS, stage)
    denoise = Preconditioned(net, parametrisation)
    *_, last = trajectory(denoise, start(noise, SHAPE[1:], levels), levels, solver, noise, {})
    return last.x.numpy()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("grid", ["flow", "karras"])
def test_a_plan_is_its_solver(name: str, grid: str) -> None:
    """On another denoiser than it was made with, in float32, within its rounding: a thousandth of a step of 8 bits is
    4e-6 of -1 … 1."""
    levels = begin(name, 9) if grid == "flow" else karras(9)
    parametrisation = FLOW if grid == "flow" else EDM(0.5)
    made = program(ALL[name], levels, parametrisation)
    wanted = theirs(ALL[name], levels, parametrisation, 1)
    assert np.abs(ours(made, 1) - wanted).max() < 2e-5 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("parametrisation", [V, X0, FLOW, EDM(0.5)])
def test_of_every_parametrisation(parametrisation) -> None:
    levels = karras(5)
    made = program(ALL["unipc"], levels, parametrisation)
    assert np.abs(ours(made) - theirs(ALL["unipc"], levels, parametrisation)).max() < 1e-5


@pytest.mark.parametrize(("name", "answers", "draws"), [("ddim", 1, 1), ("dpm++2m", 2, 1), ("dpm++3m sde", 3, 40)])
def test_a_sum_has_as_few_terms_as_its_solver(name: str, answers: int, draws: int) -> None:
    made = program(ALL[name], karras(12), X0)
    sums = [*(call.state for call in made.calls), made.end]
    assert max(len(s.answers) for s in sums) == answers and max(len(s.draws) for s in sums) <= draws
    assert made.reach == answers


def test_a_solver_that_is_no_sum_is_refused() -> None:
    class Clipped:
        order, calls = 1, 1

        def init(self, x):
            return None

        def step(self, denoise, x, state, step):
            x0 = denoise(x, step.cur).mean.clamp(-0.5, 0.5)
            return x0, None, x0

    with pytest.raises(UsageError, match="cannot be exported"):
        program(Clipped(), karras(4), X0)


def test_noise_is_that_of_torch_to_the_bit() -> None:
    for stage, draw in ((0, 0), (1, 2**63 - 1), (2, 2**32 + 7)):
        noise = Noise(SEEDS, stage)(draw, SHAPE).numpy()
        assert drawn(SEEDS, stage, draw, SHAPE).tobytes() == noise.tobytes()
    alone = drawn(SEEDS[1:], 0, 5, (1, *SHAPE[1:]))
    assert alone.tobytes() == drawn(SEEDS, 0, 5, SHAPE)[1:].tobytes()


def test_pixels_are_those_of_the_codec() -> None:
    x = torch.linspace(-1.3, 1.3, 6144).reshape(2, 3, 32, 32)
    x[0, 0, 0, :4] = torch.tensor([-1.0, 1.0, 1 / 255, 0.5 / 127.5])
    assert (pixels(x.numpy()) == Pixels(3, (32, 32)).decode(x).numpy()).all()
    x[0, 0, 0, 0] = torch.nan
    with pytest.raises(NonFiniteError):
        pixels(x.numpy())


def test_guidance_is_that_of_torch() -> None:
    from mezzotint.diffusion.guidance import Guided as Torch

    def told(x: torch.Tensor, c: torch.Tensor, cond) -> torch.Tensor:
        return net(x, c) + cond["label"].reshape(-1, 1, 1, 1)

    def graph(feeds):
        return told(
            *(torch.from_numpy(feeds[k]) for k in ("x", "c_noise")), {"label": torch.from_numpy(feeds["label"])}
        ).numpy()

    made = program(ALL["ddim"], karras(3), V)
    y = Noise(SEEDS)(0, SHAPE)
    level = karras(3)[0]
    cond, null = {"label": torch.tensor([1, 2])}, {"label": torch.tensor([7])}
    for scale in (0.0, 0.5, 1.0, 3.0):
        ours = Guided(
            graph, ("label",), {k: v.numpy() for k, v in cond.items()}, {"label": null["label"].numpy()}, scale
        )
        wanted = Torch(Preconditioned(told, V), scale, null)(y, level, cond).mean.numpy()
        assert np.allclose(ours(y.numpy(), made.calls[0]), wanted, rtol=1e-5, atol=1e-4), scale


def test_a_plan_is_read_as_it_was_written() -> None:
    made = program(ALL["dpm++3m sde"], begin("ddim", 4), FLOW)
    way = Way(("a",), ("b",), ("draft",), 4, 1.5, {"name": "x"}, {"name": "y"}, "0", made)
    assert from_json(json.loads(json.dumps(to_json(way)))) == way
