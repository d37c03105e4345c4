"""Linear-Gaussian systems have closed-form outputs: latent, prior + decoder and cascade must reach their moments."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mezzotint.codecs.base import Identity
from mezzotint.diffusion.grid import uniform
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.schedule import Flow
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.stage import LINK_DRAW, Embed, Lowres, Pipeline, Stage, run, steps

GRID = uniform(Flow(), 64)
N = 2500
SEEDS = tuple(range(N))


@dataclass(frozen=True)
class Linear:
    """A latent autoencoder in closed form: orthonormal columns A (data, state)."""

    a: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.a.shape[1],)

    def encode(self, data: Tensor) -> Tensor:
        return data @ self.a

    def decode(self, state: Tensor) -> Tensor:
        return state @ self.a.T


def stage(mean: object, var: Tensor, shape: tuple[int, ...], **more: object) -> Stage:
    return Stage(GaussianOracle(mean, var), Identity(shape), GRID, DDIM(), **more)  # type: ignore[arg-type]


def test_latent_diffusion() -> None:
    a, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))
    a, var = a[:, :2], torch.tensor([2.0, 0.5])
    one = Stage(GaussianOracle(torch.zeros(2), var), Linear(a), GRID, DDIM())
    (x,) = run((one,), {}, SEEDS)
    assert x.shape == (N, 6)
    assert torch.allclose(torch.cov(x.T), a @ torch.diag(var) @ a.T, atol=0.2)


def test_prior_then_decoder() -> None:
    w = torch.tensor([[1.0, 0.5, -0.3], [0.0, 1.0, 0.7]])
    prior = stage(lambda c: c["text"], torch.tensor(1.0), (2,))
    decoder = stage(lambda c: c["vector"] @ w, torch.tensor(0.25), (3,), link=Embed())
    y = torch.tensor([[0.3, -0.2]])
    embed, x = run((prior, decoder), {"text": y.expand(N, 2)}, SEEDS)
    assert embed.shape == (N, 2)
    assert torch.allclose(x.mean(0), (y @ w)[0], atol=0.09)
    assert torch.allclose(torch.cov(x.T), w.T @ w + 0.25 * torch.eye(3), atol=0.22)


def test_cascade_with_noise_augmentation() -> None:
    level = Flow().level(torch.tensor(0.1, dtype=torch.float64))

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, -1)

    base = stage(torch.zeros(4), torch.tensor(1.0), (4,))
    fine = stage(lambda c: c["lowres"] / 0.9, torch.tensor(0.01), (8,), link=Lowres(up, level))
    low, high = run((base, fine), {}, SEEDS)
    rest = high - up(low)
    assert abs(rest.mean()) < 0.01
    assert abs(rest.var() - (0.01 + (0.1 / 0.9) ** 2)) < 0.004


def test_the_next_denoiser_is_told_the_augmentation_level() -> None:
    level = Level(torch.tensor(0.6), torch.tensor(0.8))
    noise, small = Noise((1, 2), stage=1), torch.randn(2, 3)
    cond = Lowres(lambda x: x, level)({"label": small}, small, noise)
    assert set(cond) == {"label", "lowres", "lowres_logsnr"}
    assert torch.allclose(cond["lowres_logsnr"], level.logsnr.expand(2))
    assert torch.allclose(cond["lowres"], 0.6 * small + 0.8 * noise(LINK_DRAW, (2, 3)))


def test_stages_never_share_noise() -> None:
    one = stage(torch.zeros(5), torch.tensor(1.0), (5,))
    a, b = run((one, one), {}, (7,))
    assert not torch.equal(a, b)


@pytest.mark.parametrize("solver", [DDIM(), DDIM(1.0)])
def test_interleaved_runs_are_each_alone(solver: DDIM) -> None:
    one = Stage(GaussianOracle(torch.zeros(3), torch.tensor(0.3)), Identity((3,)), uniform(Flow(), 9), solver)
    both = zip(steps(one, 0, {}, (1,)), steps(one, 0, {}, (2,)), strict=True)
    *_, (a, b) = both
    assert torch.equal(a.x, run((one,), {}, (1,))[0])
    assert torch.equal(b.x, run((one,), {}, (2,))[0])


def test_a_row_is_its_seed() -> None:
    one = Stage(GaussianOracle(torch.zeros(3), torch.tensor(0.3)), Identity((3,)), uniform(Flow(), 9), DDIM(1.0))
    (three,) = run((one,), {}, (5, 6, 7))
    (back,) = run((one,), {}, (7, 6, 5))
    assert torch.equal(three, back.flip(0))


def test_calls() -> None:
    one = stage(torch.zeros(3), torch.tensor(1.0), (3,))
    pipeline = Pipeline((one, one))
    assert pipeline.calls == 128
    assert torch.equal(pipeline({}, (1,))[1], run((one, one), {}, (1,))[1])
