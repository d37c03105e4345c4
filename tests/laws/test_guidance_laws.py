"""Laws of guidance: its limits, its identities, and what every denoiser made of a denoiser must keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior, Preconditioned
from mezzotint.diffusion.guidance import (
    APG,
    Autoguided,
    CFGPlusPlus,
    ClassifierGuided,
    EstimateGuided,
    Guided,
    Inpainted,
    Interval,
    Reconstruction,
    Rescaled,
    Thresholded,
    apart,
    linear,
    sharing,
    together,
)
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.oracle import GaussianOracle, MixtureOracle
from mezzotint.diffusion.parametrisation import V
from mezzotint.errors import UsageError

F64 = torch.float64
SHAPE = (3, 2, 4)  # three frames of two channels
B = 4


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def one(a: float, s: float) -> Level:
    return Level(torch.tensor(a, dtype=F64), torch.tensor(s, dtype=F64))


MIX = MixtureOracle(lambda c: c["label"], rand(3, *SHAPE, seed=7), torch.tensor(0.3, dtype=F64))
NULL = {"label": torch.ones(1, 3, dtype=F64)}
COND = {"label": torch.eye(3, dtype=F64)[torch.tensor([0, 2, 1, 0])]}
X = 1.4 * rand(B, *SHAPE)
MID = one(0.6, 0.8)
LEVELS = {
    "pure noise": one(0.0, 1.0),
    "middle": MID,
    "exploding": one(1.0, 7.0),
    "clean": one(1.0, 0.0),
    "rows": Level(torch.tensor([0.1, 0.5, 0.8, 0.99], dtype=F64), torch.tensor([0.9, 0.5, 0.6, 0.01], dtype=F64)),
    "frames": Level(torch.tensor([[1.0, 0.6, 0.3]] * B, dtype=F64), torch.tensor([[0.0, 0.8, 0.7]] * B, dtype=F64)),
}


@dataclass(frozen=True)
class Counted:
    """Passes on, and remembers the batch of each call."""

    denoiser: Denoiser
    batches: list[int] = field(default_factory=list)

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        self.batches.append(len(x))
        return self.denoiser(x, level, cond)


class Learned:
    """A denoiser with a learned variance, to see that wrappers hand it on."""

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Posterior(MIX(x, level, cond).mean, logvar=torch.tanh(x))


def exact_classifier(x: Tensor, level: Level, cond: Cond) -> Tensor:
    """log p(label | x) of the mixture: Bayes' rule on its own densities."""
    return MIX.log_prob(x, level, cond) - MIX.log_prob(x, level, NULL) - math.log(3)


def towards(x0: Tensor, cond: Cond) -> Tensor:
    """A log-likelihood that is linear in x0, up to a constant."""
    return (x0 * TILT).flatten(1).sum(1)


TILT = torch.linspace(-0.5, 0.5, X[0].numel(), dtype=F64).reshape(X[0].shape)


def frame(x: Tensor) -> Tensor:
    return x[:, :1]


MASK = torch.tensor([1.0, 0.0, 0.5], dtype=F64)[:, None, None]
WEAK = GaussianOracle(torch.tensor(0.1, dtype=F64), torch.tensor(0.6, dtype=F64))
WRAPPERS: dict[str, Callable[[Denoiser], Denoiser]] = {
    "guided": lambda d: Guided(d, 4.0, NULL),
    "guided together": lambda d: Guided(d, 4.0, NULL, ask=together),
    "guided rows": lambda d: Guided(d, torch.tensor([0.0, 1.0, 2.0, 7.5], dtype=F64), NULL),
    "rescaled": lambda d: Guided(d, 4.0, NULL, Rescaled(0.7)),
    "rescaled v": lambda d: Guided(d, 4.0, NULL, Rescaled(0.7, space=V)),
    "apg": lambda d: Guided(d, 4.0, NULL, APG(0.2, 1.5)),
    "rescaled apg": lambda d: Guided(d, 4.0, NULL, Rescaled(0.7, APG(0.0, 1.5))),
    "cfg++": lambda d: CFGPlusPlus(Guided(d, 0.6, NULL)),
    "cfg++ apg together": lambda d: CFGPlusPlus(Guided(d, 0.6, NULL, APG(), together)),
    "autoguided": lambda d: Autoguided(d, WEAK, 2.0),
    "autoguided apg": lambda d: Autoguided(d, WEAK, 2.0, APG()),
    "interval": lambda d: Interval(Guided(d, 4.0, NULL), d, 0.3, 3.0),
    "interval cfg++": lambda d: Interval(CFGPlusPlus(Guided(d, 0.6, NULL)), d, 0.3, 3.0),
    "classifier": lambda d: ClassifierGuided(d, exact_classifier, 1.5),
    "estimate": lambda d: EstimateGuided(d, towards, (), 1.5),
    "thresholded": lambda d: Thresholded(d, 0.8, 0.5),
    "clipped": lambda d: Thresholded(d, 0.8, 0.5, 0.5),
    "inpainted": lambda d: Inpainted(d, X.tanh()[:1], MASK),
    "reconstruction": lambda d: Reconstruction(d, frame, X.tanh()[:1, :1], 1.0),
}
PAIRS = [(a, b) for a in WRAPPERS for b in ("guided", "cfg++", "interval", "apg", "reconstruction", "thresholded")]


def wrap(name: str, inner: Denoiser = MIX) -> Denoiser:
    return WRAPPERS[name](inner)


# -- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [apart, together])
@pytest.mark.parametrize("rule", [linear, APG(), Rescaled()])
def test_scale_one_is_the_conditional_answer_with_one_call(ask, rule) -> None:
    d = Counted(MIX)
    assert torch.equal(Guided(d, 1.0, NULL, rule, ask)(X, MID, COND).mean, MIX(X, MID, COND).mean)
    assert d.batches == [B]


def test_scale_zero_is_the_null_answer_with_one_call() -> None:
    d = Counted(MIX)
    assert torch.equal(Guided(d, 0.0, NULL)(X, MID, COND).mean, MIX(X, MID, NULL).mean)
    assert d.batches == [B]


@pytest.mark.parametrize("s", [-1.0, 0.5, 2.0, 7.5])
@pytest.mark.parametrize("level", LEVELS)
def test_guidance_is_u_plus_s_times_c_minus_u(s: float, level: str) -> None:
    c, u = MIX(X, LEVELS[level], COND).mean, MIX(X, LEVELS[level], NULL).mean
    torch.testing.assert_close(Guided(MIX, s, NULL)(X, LEVELS[level], COND).mean, u + s * (c - u))


def test_rows_may_have_their_own_scale() -> None:
    scales = torch.tensor([0.0, 1.0, 2.0, 7.5])
    got = Guided(MIX, scales, NULL)(X, MID, COND).mean
    for i, s in enumerate(scales.tolist()):
        assert torch.equal(got[i], Guided(MIX, s, NULL)(X, MID, COND).mean[i])


def test_autoguidance_limits_and_formula() -> None:
    d, w = Counted(MIX), Counted(WEAK)
    assert torch.equal(Autoguided(d, w, 1.0)(X, MID, COND).mean, MIX(X, MID, COND).mean) and not w.batches
    assert torch.equal(Autoguided(d, w, 0.0)(X, MID, COND).mean, WEAK(X, MID).mean) and d.batches == [B]
    m, u = MIX(X, MID, COND).mean, WEAK(X, MID).mean
    torch.testing.assert_close(Autoguided(d, w, 2.5)(X, MID, COND).mean, u + 2.5 * (m - u))


# -- one call of twice the batch --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("inner", [MIX, Learned(), CFGPlusPlus(Guided(MIX, 0.5, NULL))])
def test_together_equals_apart_with_one_call(level: str, inner: Denoiser) -> None:
    d = Counted(inner)
    lv = LEVELS[level]
    lv = Level(lv.alpha, lv.sigma, 1000 * lv.sigma)
    one_call, two_calls = Guided(d, 3.0, NULL, ask=together)(X, lv, COND), Guided(inner, 3.0, NULL)(X, lv, COND)
    assert d.batches == [2 * B]
    for got, want in zip(vars(one_call).values(), vars(two_calls).values(), strict=True):
        assert (got is None) == (want is None)
        if want is not None:
            torch.testing.assert_close(got, want)


class Told:
    """A network that makes something of x before it is told of the conditions: k B rows of them, each x told k."""

    def __call__(self, x: Tensor, noise: Tensor, cond: Cond) -> Tensor:
        made = (x * x).repeat(len(cond["label"]) // len(x), 1, 1, 1)
        return made * cond["label"].sum(1)[:, None, None, None] + cond["label"][:, :1, None, None]


@pytest.mark.parametrize("level", LEVELS)
def test_sharing_equals_apart_with_one_state_of_each_row(level: str) -> None:
    network = Told()
    d = Counted(Preconditioned(network, V))
    shared, alone = (Guided(d, 3.0, NULL, ask=ask)(X, LEVELS[level], COND) for ask in (sharing, apart))
    assert d.batches == [B, B, B]
    torch.testing.assert_close(shared.mean, alone.mean)


def test_sharing_refuses_conditions_of_other_shapes() -> None:
    with pytest.raises(UsageError, match="differ in 'label'"):
        Guided(MIX, 3.0, {"label": torch.ones(B, 4, dtype=F64)}, ask=sharing)(X, MID, COND)


# -- identities -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["middle", "exploding", "rows"])
def test_exact_classifier_makes_the_unconditional_oracle_conditional(level: str) -> None:
    def unconditional(x: Tensor, lv: Level, cond: Cond) -> Posterior:
        return MIX(x, lv, NULL)

    got = ClassifierGuided(unconditional, exact_classifier)(X, LEVELS[level], COND).mean
    torch.testing.assert_close(got, MIX(X, LEVELS[level], COND).mean, atol=1e-8, rtol=1e-8)
    for s in (0.0, 3.0):
        got = ClassifierGuided(unconditional, exact_classifier, s)(X, LEVELS[level], COND).mean
        torch.testing.assert_close(got, Guided(MIX, s, NULL)(X, LEVELS[level], COND).mean, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("level", ["middle", "exploding", "rows"])
def test_estimate_guidance_is_exact_for_normal_data_and_a_linear_log_likelihood(level: str) -> None:
    """N(m, 1) tilted by exp(b x0) is N(m + b, 1)."""
    plain, tilted = (GaussianOracle(torch.tensor(0.3, dtype=F64) + b, torch.tensor(1.0, dtype=F64)) for b in (0, TILT))
    for s in (0.0, 1.0):
        got = EstimateGuided(plain, towards, (), s)(X, LEVELS[level], {}).mean
        want = (tilted if s else plain)(X, LEVELS[level], {}).mean
        torch.testing.assert_close(got, want, atol=1e-10, rtol=1e-10)


def test_cfg_plus_plus_keeps_the_mean_and_renoises_with_the_null() -> None:
    for s in (0.0, 0.6, 1.0):
        plus = CFGPlusPlus(Guided(MIX, s, NULL))(X, MID, COND)
        torch.testing.assert_close(plus.mean, Guided(MIX, s, NULL)(X, MID, COND).mean)
        torch.testing.assert_close(plus.eps, (X - 0.6 * MIX(X, MID, NULL).mean) / 0.8)


@pytest.mark.parametrize("low,high", [(0.3, 3.0), (4 / 3, 3.0), (0.3, 4 / 3), (0.0, math.inf)])
def test_interval_guides_inside_alone(low: float, high: float) -> None:
    for ratio in (0.2, 0.31, 1.0, 4 / 3, 2.9, 3.1, 80.0):
        d = Counted(MIX)
        got = Interval(Guided(d, 4.0, NULL), d, low, high)(X, one(0.6, 0.6 * ratio), COND).mean
        guided = low < ratio <= high or math.isclose(ratio, high)
        want = Guided(MIX, 4.0 if guided else 1.0, NULL)(X, one(0.6, 0.6 * ratio), COND).mean
        assert torch.equal(got, want) and d.batches == ([B, B] if guided else [B])


def test_interval_without_bounds_reaches_both_ends() -> None:
    inside = Guided(MIX, 4.0, NULL)
    for name in ("pure noise", "middle"):
        got = Interval(inside, MIX, 0.0, math.inf)(X, LEVELS[name], COND).mean
        assert torch.equal(got, inside(X, LEVELS[name], COND).mean)


@pytest.mark.parametrize("ratio", [0.2, 0.31, 1.0, 2.9, 3.1])
def test_interval_in_logsnr_is_the_same_interval(ratio: float) -> None:
    inside, lv = Guided(MIX, 4.0, NULL), one(0.5, 0.5 * ratio)
    by_logsnr = Interval.logsnr(inside, MIX, 2 * math.log(1 / 3.0), 2 * math.log(1 / 0.3))
    assert torch.equal(by_logsnr(X, lv, COND).mean, Interval(inside, MIX, 0.3, 3.0)(X, lv, COND).mean)


def test_interval_decides_for_each_row_and_frame() -> None:
    d = Interval(CFGPlusPlus(Guided(MIX, 4.0, NULL)), MIX, 0.3, 3.0)
    rows = LEVELS["rows"]
    got = d(X, rows, COND)
    for i in range(B):
        lv, x, c = rows[i], X[i : i + 1], {"label": COND["label"][i : i + 1]}
        torch.testing.assert_close(got.mean[i : i + 1], d(x, lv, c).mean)
        alone = d(x, lv, c)
        eps = alone.eps if alone.eps is not None else (x - lv.alpha * alone.mean) / lv.sigma
        torch.testing.assert_close(got.eps[i : i + 1], eps)  # type: ignore[index]
    frames = LEVELS["frames"]
    got = d(X, frames, COND)
    torch.testing.assert_close(got.mean[:, 0], MIX(X, frames, COND).mean[:, 0])
    torch.testing.assert_close(got.mean[:, 1:], Guided(MIX, 4.0, NULL)(X, frames, COND).mean[:, 1:])


# -- what every wrapper keeps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", WRAPPERS)
def test_finite_and_of_the_dtype_of_x(name: str, level: str) -> None:
    for dtype in (torch.bfloat16, torch.float32, F64):
        got = wrap(name)(X.to(dtype), LEVELS[level], COND)
        assert got.mean.dtype == dtype and got.mean.shape == X.shape and bool(got.mean.isfinite().all())
        assert got.eps is None or (got.eps.dtype == dtype and bool(got.eps.isfinite().all()))


@pytest.mark.parametrize("name", WRAPPERS)
def test_narrow_answers_follow_wide_ones(name: str) -> None:
    wide = wrap(name)(X, MID, COND).mean
    torch.testing.assert_close(wrap(name)(X.float(), MID, COND).mean.double(), wide, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [n for n in WRAPPERS if n not in ("reconstruction",)])
@pytest.mark.parametrize("level", ["middle", "rows", "frames"])
def test_scale_law(name: str, level: str) -> None:
    lv, k = LEVELS[level], 2.0 ** torch.tensor([-3.0, 0.0, 1.0, 5.0], dtype=F64)
    ks = k.reshape(B, *(1,) * (lv.alpha.ndim - 1))
    scaled = wrap(name)(k[:, None, None, None] * X, Level(ks * lv.alpha, ks * lv.sigma), COND)
    torch.testing.assert_close(scaled.mean, wrap(name)(X, lv, COND).mean, atol=1e-9, rtol=1e-9)


def test_scale_law_of_reconstruction_where_rows_share_a_level() -> None:
    d = wrap("reconstruction")
    torch.testing.assert_close(d(3 * X, one(1.8, 2.4), COND).mean, d(X, MID, COND).mean)


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("level", ["middle", "rows"])
def test_contents_of_batch_mates_change_nothing(name: str, level: str) -> None:
    others = torch.cat((X[:1], 50 * X[1:].flip(0)))
    cond = {"label": torch.cat((COND["label"][:1], torch.eye(3, dtype=F64)))}
    d = wrap(name)
    assert torch.equal(d(X, LEVELS[level], COND).mean[0], d(others, LEVELS[level], cond).mean[0])


@pytest.mark.parametrize("outer,inner", PAIRS)
def test_wrappers_compose(outer: str, inner: str) -> None:
    got = wrap(outer, wrap(inner))(X, MID, COND)
    assert got.mean.shape == X.shape and got.mean.dtype == F64 and bool(got.mean.isfinite().all())
    assert got.eps is None or bool(got.eps.isfinite().all())


@pytest.mark.parametrize("name", [n for n in WRAPPERS if not n.startswith("interval")])
def test_learned_variance_is_handed_on(name: str) -> None:
    logvar = wrap(name, Learned())(X, MID, COND).logvar
    assert logvar is not None and torch.equal(logvar, torch.tanh(X))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("name", WRAPPERS)
def test_gradient_contexts_change_nothing(name: str, context: Callable[[], object]) -> None:
    with context():  # type: ignore[attr-defined]
        got = wrap(name)(X.clone(), MID, COND).mean
    assert torch.equal(got, wrap(name)(X, MID, COND).mean) and not got.requires_grad


@pytest.mark.parametrize("name", ["classifier", "reconstruction"])
def test_gradients_take_what_an_earlier_stage_made_in_inference_mode(name: str) -> None:
    with torch.inference_mode():
        made = {"label": COND["label"] * 1.0}
        level = Level(MID.alpha * 1.0, MID.sigma * 1.0)
        got = wrap(name)(X.clone(), level, made).mean
    assert torch.equal(got, wrap(name)(X, MID, COND).mean)
