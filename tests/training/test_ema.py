"""EMA laws: the running average equals its closed form; post-hoc reconstruction is exact for what was tracked."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from mezzotint.errors import UsageError
from mezzotint.training.ema import Averages, Exponential, Power
from mezzotint.training.posthoc import Snapshot, reconstruct, shares

PROFILES = (Power(0.05), Power(0.10), Power(0.25), Exponential(0.9))
STEPS = 400


def weights_at(step: int) -> torch.Tensor:
    """A path through weight space: a drift, a swing and noise."""
    noise = torch.from_numpy(np.random.Generator(np.random.Philox([step, 3])).standard_normal(5))
    return math.log(step) + torch.sin(torch.arange(5) + step / 40) + 0.3 * noise


def followed(profiles, steps=STEPS, keep=()):
    """Averages over the path, and copies of them at the steps to keep."""
    net = nn.Linear(5, 1, bias=False, dtype=torch.float32)
    averages, kept = Averages(net, profiles), []
    for step in range(1, steps + 1):
        with torch.no_grad():
            net.weight.copy_(weights_at(step)[None])
        averages.update(net, step)
        if step in keep:
            kept += [Snapshot(p, step, {"weight": averages.values[p.name]["weight"].clone()}) for p in profiles]
    return averages, kept


def closed_form(profile, steps):
    """The weighting w_i of step i = 1 … steps as the profile's docstring has it."""
    i = np.arange(1, steps + 1, dtype=np.float64)
    if isinstance(profile, Power):
        return (i / steps) ** (profile.gamma + 1) - ((i - 1) / steps) ** (profile.gamma + 1)
    return (1 - profile.decay) * profile.decay ** (steps - i) / (1 - profile.decay**steps)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
@pytest.mark.parametrize("steps", [1, 2, 7, STEPS])
def test_the_running_average_equals_its_closed_form(profile, steps):
    averages, _ = followed((profile,), steps)
    w = closed_form(profile, steps)
    assert w.sum() == pytest.approx(1)
    expected = sum(w[i - 1] * weights_at(i).double() for i in range(1, steps + 1))
    assert torch.allclose(averages.values[profile.name]["weight"][0].double(), expected, atol=2e-6)


@pytest.mark.parametrize("sigma_rel", [0.01, 0.05, 0.10, 0.2, 0.28])
def test_a_power_profile_has_the_width_it_is_named_for(sigma_rel):
    n = 20_000
    w = closed_form(Power(sigma_rel), n)
    t = (np.arange(n) + 0.5) / n
    mean = (w * t).sum()
    assert math.sqrt((w * (t - mean) ** 2).sum()) == pytest.approx(sigma_rel, rel=1e-3)


def test_post_hoc_reconstruction_of_a_tracked_profile_is_exact():
    profiles = (Power(0.05), Power(0.10))
    averages, kept = followed(profiles, keep=range(50, STEPS + 1, 50))
    for profile in profiles:
        rebuilt = reconstruct(kept, profile, STEPS)["weight"]
        assert torch.allclose(rebuilt, averages.values[profile.name]["weight"], atol=1e-6)


@pytest.mark.parametrize("sigma_rel", [0.06, 0.075, 0.12, 0.15])
def test_post_hoc_reconstruction_of_another_profile_is_close_to_tracking_it(sigma_rel):
    other = Power(sigma_rel)
    direct, _ = followed((other,))
    _, kept = followed((Power(0.05), Power(0.10)), keep=range(20, STEPS + 1, 20))
    rebuilt, truth = reconstruct(kept, other, STEPS)["weight"], direct.values[other.name]["weight"]
    nearest = min((s.weights["weight"] for s in kept if s.step == STEPS), key=lambda w: float((w - truth).norm()))
    assert float((rebuilt - truth).norm()) < 0.1 * float((nearest - truth).norm())


def test_an_earlier_step_is_rebuilt_from_the_snapshots_before_it():
    at = 200
    direct, _ = followed((Power(0.07),), at)
    _, kept = followed((Power(0.05), Power(0.10)), keep=range(20, STEPS + 1, 20))
    rebuilt = reconstruct(kept, Power(0.07), at)["weight"]
    assert torch.allclose(rebuilt, direct.values["power-0.0700"]["weight"], atol=0.02)


def test_shares_of_a_profile_sum_to_nearly_one():
    have = [(Power(s), t) for t in range(100, 1001, 100) for s in (0.05, 0.10)]
    assert sum(shares(have, Power(0.08), 1000)) == pytest.approx(1, abs=1e-3)


def test_an_average_stands_in_for_the_weights_and_leaves_no_trace():
    net = nn.Linear(3, 2)
    averages = Averages(net, (Exponential(0.5),))
    before = net.weight.detach().clone()
    averages.values["exponential-0.5"]["weight"].fill_(7)
    with averages.applied(net, "exponential-0.5"):
        assert (net.weight == 7).all()
    assert torch.equal(net.weight, before)


@pytest.mark.parametrize("make", [lambda: Power(0.0), lambda: Power(0.3), lambda: Exponential(1.0)])
def test_a_profile_out_of_range_is_refused(make):
    with pytest.raises(UsageError, match="out of range"):
        make()


def test_no_snapshot_is_one_clear_error():
    with pytest.raises(UsageError, match="at least one snapshot"):
        shares([], Power(0.1), 10)
