"""A solver that holds what is known: those values never have noise, the others go where they go without it."""

from __future__ import annotations

import pytest
import torch

from mezzotint.diffusion.aliases import resolve
from mezzotint.diffusion.grid import uniform
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.sample import start, trajectory
from mezzotint.diffusion.schedule import Cosine
from mezzotint.diffusion.solver.held import Held

LEVELS = uniform(Cosine(), 8)[1:]


@pytest.mark.parametrize("name", ["ddim", "ddpm", "dpmpp-2m", "unipc", "euler-ancestral", "heun"])
def test_what_is_known_is_clean_in_every_state_and_the_rest_is_free(name: str) -> None:
    """The oracle looks at each value alone: what lies beside cannot reach it."""
    solver, noise, oracle = resolve(name).solver, Noise((1, 2)), GaussianOracle(torch.tensor(0.3), torch.tensor(0.5))
    known, mask = torch.linspace(-1, 1, 6)[None], torch.tensor([[1.0, 1, 1, 0, 0, 0]])
    held = Held(solver, known, mask)
    x = start(noise, (6,), LEVELS)
    plain, kept = ([s.x for s in trajectory(oracle, x, LEVELS, each, noise, {})] for each in (solver, held))
    for a, b in zip(plain, kept, strict=True):
        assert torch.equal(b[:, :3], known[:, :3].expand(2, 3).to(b))
        torch.testing.assert_close(b[:, 3:], a[:, 3:])
        assert not torch.equal(a[:, :3], b[:, :3])
    assert (held.order, held.calls) == (solver.order, solver.calls)


def test_the_network_sees_the_known_clean_from_the_first_step_on() -> None:
    seen: list[torch.Tensor] = []
    oracle, noise = GaussianOracle(torch.tensor(0.0), torch.tensor(1.0)), Noise((3,))

    def looking(x, level, cond):  # type: ignore[no-untyped-def]
        seen.append(x[:, :2].clone())
        return oracle(x, level, cond)

    known = torch.tensor([[0.25, -0.5, 0.0, 0.0]])
    held = Held(resolve("heun").solver, known, torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
    for _ in trajectory(looking, start(noise, (4,), LEVELS), LEVELS, held, noise, {}):
        pass
    first_calls = seen[::2][: len(LEVELS) - 1]
    assert all(torch.equal(x, known[:, :2].to(x)) for x in first_calls)
