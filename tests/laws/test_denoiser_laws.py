"""Laws of every denoiser: oracles, and real networks with random weights under every parametrisation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Denoiser, Preconditioned
from mezzotint.diffusion.guidance import Autoguided, CFGPlusPlus, Guided, Thresholded, together
from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import EmpiricalOracle, GaussianOracle, MixtureOracle
from mezzotint.diffusion.parametrisation import PARAMETRISATIONS
from mezzotint.diffusion.sample import sample
from mezzotint.diffusion.solver.dpm import DPMpp2M
from mezzotint.nets.build import NetConfig, build, frames_first
from mezzotint.nets.config import DiTConfig, UNetConfig

SHAPE, B = (2, 8, 8), 3
CLASSES = 4
CONFIGS: dict[str, NetConfig] = {
    "dit": DiTConfig(2, 2, 2, (8, 8), 2, width=32, depth=2, heads=1, num_classes=CLASSES),
    "unet": UNetConfig(2, 2, 2, (8, 8), 1, 16, (1, 2), 1, (1,), head_dim=16, num_classes=CLASSES),
}


def network(config: NetConfig, seed: int = 0) -> nn.Module:
    """Random weights everywhere, also where an untrained network has zeros."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = build(config)
        with torch.no_grad():
            for p in net.parameters():
                p.add_(0.1 * torch.randn_like(p))
    return net.eval().requires_grad_(False)


NETS = {name: network(config) for name, config in CONFIGS.items()}
NULL: Cond = {"label": torch.tensor([CLASSES])}
COND: Cond = {"label": torch.tensor([0, 2, 3])}
X = torch.randn(B, *SHAPE, generator=torch.Generator().manual_seed(0))
WRAPS = {
    "bare": lambda d: d,
    "guided": lambda d: Guided(d, 3.0, NULL),
    "guided together": lambda d: Guided(d, 3.0, NULL, ask=together),
    "cfg++": lambda d: CFGPlusPlus(Guided(d, 0.7, NULL)),
    "thresholded": lambda d: Thresholded(Guided(d, 3.0, NULL), 0.9),
}
DENOISERS: dict[str, Denoiser] = {
    f"{net} {p}": Preconditioned(NETS[net], PARAMETRISATIONS[p]) for net in NETS for p in PARAMETRISATIONS
}
DENOISERS |= {f"{net} v {w}": f(DENOISERS[f"{net} v"]) for net in NETS for w, f in WRAPS.items() if w != "bare"}
DENOISERS["dit autoguided by unet"] = Autoguided(DENOISERS["dit v"], DENOISERS["unet edm"], 1.5)
DENOISERS["gaussian"] = GaussianOracle(torch.tensor(0.2), torch.tensor(0.5))
DENOISERS["mixture"] = MixtureOracle(torch.ones(2), torch.stack((X[0], -X[1])), torch.tensor(0.3))
DENOISERS["empirical"] = EmpiricalOracle(X.flip(0).tanh())

ROWS = Level(torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.1, 0.5, 0.9]))
ONE = Level(torch.tensor(0.6), torch.tensor(0.8))


@pytest.mark.parametrize("name", DENOISERS)
def test_scale_law(name: str) -> None:
    """D(k x; k alpha, k sigma) = D(x; alpha, sigma); powers of two, so that float32 has no say."""
    k = torch.tensor([0.25, 1.0, 8.0])
    scaled = DENOISERS[name](expand(k, X) * X, Level(k * ROWS.alpha, k * ROWS.sigma), COND).mean
    torch.testing.assert_close(scaled, DENOISERS[name](X, ROWS, COND).mean, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("level", [ONE, ROWS])
@pytest.mark.parametrize("name", DENOISERS)
def test_contents_of_batch_mates_change_no_bits(name: str, level: Level) -> None:
    others = torch.cat((X[:1], 20 * X[1:].flip(0)))
    cond = {"label": torch.tensor([0, 1, 1])}
    a, b = DENOISERS[name](X, level, COND), DENOISERS[name](others, level, cond)
    assert torch.equal(a.mean[0], b.mean[0]) and not torch.equal(a.mean[1], b.mean[1])
    assert a.eps is None or torch.equal(a.eps[0], b.eps[0])  # type: ignore[index]


@pytest.mark.parametrize("name", DENOISERS)
def test_a_row_alone_is_the_row_in_a_batch(name: str) -> None:
    batch = DENOISERS[name](X, ROWS, COND).mean
    for i in range(B):
        alone = DENOISERS[name](X[i : i + 1], ROWS[i : i + 1], {"label": COND["label"][i : i + 1]}).mean
        torch.testing.assert_close(alone[0], batch[i], atol=3e-5, rtol=3e-5)


@pytest.mark.parametrize("name", DENOISERS)
def test_one_level_is_that_level_in_every_row(name: str) -> None:
    rows = Level(ONE.alpha.expand(B), ONE.sigma.expand(B))
    torch.testing.assert_close(
        DENOISERS[name](X, ONE, COND).mean, DENOISERS[name](X, rows, COND).mean, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", DENOISERS)
def test_dtype_in_is_dtype_out(name: str, dtype: torch.dtype) -> None:
    got = DENOISERS[name](X.to(dtype), ROWS, COND)
    assert got.mean.dtype == dtype and got.mean.shape == X.shape
    wide = DENOISERS[name](X, ROWS, COND).mean
    error = (got.mean.float() - wide).square().mean().sqrt() / wide.square().mean().sqrt()
    assert error < (1e-6 if dtype == torch.float32 else 0.1)


@pytest.mark.parametrize("name", [n for n in DENOISERS if " eps" not in n])
def test_finite_at_both_ends(name: str) -> None:
    for a, s in ((0.0, 1.0), (1.0, 0.0)):
        assert bool(DENOISERS[name](X, Level(torch.tensor(a), torch.tensor(s)), COND).mean.isfinite().all())


@pytest.mark.parametrize(
    "name",
    [n for n in DENOISERS if " x0" not in n and n not in ("empirical", "dit v thresholded", "unet v thresholded")],
)
def test_the_answer_tends_to_the_state_without_noise(name: str) -> None:
    got = DENOISERS[name](X, Level(torch.tensor(0.5), torch.tensor(1e-6)), COND).mean
    torch.testing.assert_close(got, 2 * X, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", DENOISERS)
def test_conditions_and_levels_are_heard(name: str) -> None:
    d = DENOISERS[name]
    assert not torch.allclose(d(X, ONE, COND).mean, d(X, ROWS, COND).mean)
    if "dit" in name or "unet" in name:
        assert not torch.allclose(d(X, ONE, COND).mean, d(X, ONE, {"label": COND["label"].flip(0)}).mean)


@pytest.mark.parametrize("net", NETS)
def test_a_network_is_a_pure_function(net: str) -> None:
    d = DENOISERS[f"{net} v"]
    kept = X.clone()
    first = d(X, ROWS, COND).mean
    d(3 * X, ONE, {"label": torch.tensor([1, 1, 1])})
    assert torch.equal(d(X, ROWS, COND).mean, first) and torch.equal(X, kept)


@pytest.mark.parametrize("net", NETS)
def test_together_is_one_call_within_tolerance(net: str) -> None:
    apart, one = DENOISERS[f"{net} v guided"], DENOISERS[f"{net} v guided together"]
    torch.testing.assert_close(one(X, ROWS, COND).mean, apart(X, ROWS, COND).mean, atol=3e-5, rtol=3e-5)


@pytest.mark.parametrize("net", NETS)
def test_a_whole_picture_depends_on_its_own_seed(net: str) -> None:
    """Same batch shape: to the bit.  Another batch shape: within tolerance."""
    t = torch.linspace(1, 0, 5, dtype=torch.float64)
    levels, d = Level(1 - t, t), Guided(Preconditioned(NETS[net], PARAMETRISATIONS["flow"]), 2.0, NULL)

    def make(seeds: tuple[int, ...], labels: tuple[int, ...]) -> Tensor:
        noise = Noise(seeds)
        with torch.inference_mode():
            return sample(d, noise(0, (len(seeds), *SHAPE)), levels, DPMpp2M(), noise, {"label": torch.tensor(labels)})

    batch = make((7, 8, 9), (0, 1, 2))
    assert torch.equal(batch[1], make((3, 8, 2**62), (3, 1, 0))[1])
    torch.testing.assert_close(batch[1], make((8,), (1,))[0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("kind", ["dit", "unet"])
def test_video_takes_a_level_a_frame(kind: str) -> None:
    """(B, F) levels: a clean frame comes back as it is while the others are denoised."""
    size = (4, 8, 8)
    config: NetConfig = (
        DiTConfig(3, 2, 2, size, (1, 2, 2), width=32, depth=1, heads=1)
        if kind == "dit"
        else UNetConfig(3, 2, 2, size, 1, 16, (1, 2), 1, (1,), head_dim=16, stride=(1, 2, 2))
    )
    d = Preconditioned(frames_first(network(config)), PARAMETRISATIONS["v"])
    x = torch.randn(2, 4, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    sigma = torch.tensor([[0.0, 0.3, 0.6, 0.9]] * 2)
    level = Level((1 - sigma**2).sqrt(), sigma)
    got = d(x, level, {}).mean
    assert got.shape == x.shape
    torch.testing.assert_close(got[:, 0], x[:, 0])
    again = d(x, Level(level.alpha.flip(1), level.sigma.flip(1)), {}).mean
    torch.testing.assert_close(again[:, 3], x[:, 3])
