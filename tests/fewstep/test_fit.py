"""The fit: better than its start, the same to the bit however it is stopped, and refused where it is not better."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fit_case import F64, LOSS, MIX, QUIET, RECIPE, TEACHER, ends, found_in, problem

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.solver.learned import backbone
from mezzotint.diffusion.spread import ending_in_data, rectified
from mezzotint.errors import NonFiniteError
from mezzotint.fewstep.adam import begun, stepped
from mezzotint.fewstep.bases import above_data, bases
from mezzotint.fewstep.calibrated import Calibrated, Checked, calibrate, checked, distances, errors
from mezzotint.fewstep.calibrated import begun as begun_at
from mezzotint.fewstep.fit import Watch, drawn, fit, gradient
from mezzotint.fewstep.gits import costs, path
from mezzotint.fewstep.memory import kept_bytes
from mezzotint.fewstep.parameters import Layout, fixed
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.fewstep.warm import greedy
from mezzotint.files import pretty_json
from mezzotint.training.checkpoint import Store

CALLS = 4


@pytest.fixture(scope="module")
def taught_ends(tmp_path_factory):
    return ends(tmp_path_factory.mktemp("ends"))


@pytest.fixture(scope="module")
def base(taught_ends):
    return begun_at(problem(), taught_ends, CALLS).base


def rms(theta, base, goal):
    solver, u = fixed(theta, base)
    made = problem().all_ends(problem().held_out, ending_in_data(u), solver)
    return distances(made, goal[list(problem().held_out)]).mean().sqrt().item()


def test_each_stage_of_the_fit_is_nearer_to_the_teacher_than_the_one_before(taught_ends, base, tmp_path):
    start = torch.zeros(Layout(CALLS).size, dtype=F64)
    warm = greedy(problem(), base, taught_ends, problem().learnt)
    done = fit(problem(), taught_ends, base, lambda: warm, replace(RECIPE, steps=200), LOSS, tmp_path, QUIET)
    far = [rms(theta, base, taught_ends) for theta in (start, warm, done)]
    assert far[1] < 0.95 * far[0] and far[2] < 0.85 * far[1], far


def test_a_calibrated_solver_holds_on_noise_it_has_not_seen(taught_ends, tmp_path):
    recipe = replace(RECIPE, steps=200)
    found = calibrate(problem(), taught_ends, CALLS, recipe, LOSS, tmp_path, QUIET)
    assert found.checked.holds and found.checked.found < 0.6 * found.checked.start
    assert found.calls == CALLS and len(found.u) == CALLS + 1 and found.base in bases(problem().schedule, CALLS)


def test_the_base_is_the_best_with_weights_and_the_start_the_best_without(taught_ends):
    far = torch.tensor([0.99, 0.98, 0.97, 0.96, 0.03], dtype=F64)
    bent = above_data(rectified(TEACHER.levels)[path(costs(problem(), TEACHER, range(32)), CALLS)].tolist(), 0.002)
    at = begun_at(problem(), taught_ends, CALLS, {"far": far, "gits": bent})
    rows = problem().learnt[:32]

    def plain(u):
        return errors(problem(), rows, ending_in_data(u), backbone(CALLS), taught_ends).mean().item()

    def warm(u):
        return rms(greedy(problem(), u, taught_ends, problem().learnt), u, taught_ends)

    usual = list(bases(problem().schedule, CALLS).values())
    assert plain(at.start) == min(map(plain, [*usual, far, bent]))
    assert at.name != "far" and warm(at.base) <= 1.1 * min(map(warm, (at.start, far, bent)))


def test_a_misfit_is_refused(taught_ends, base):
    good = greedy(problem(), base, taught_ends, problem().learnt)
    assert checked(problem(), taught_ends, base, *fixed(good, base), LOSS).holds
    worse, wild = good.clone(), good.clone()
    worse[-1] += 0.3
    wild[-1] = torch.inf
    zero = torch.zeros_like(good)
    for theta in (worse, wild, zero):
        assert not checked(problem(), taught_ends, base, *fixed(theta, base), LOSS).holds


def test_a_solver_holds_by_its_loss_and_by_distance_and_for_most_rows():
    good = Checked(start=0.2, found=0.1, loss_start=0.4, loss_found=0.3, better=0.9)
    assert good.holds
    for what in ({"found": 0.21}, {"loss_found": 0.41}, {"better": 0.5}, {"loss_found": float("nan")}):
        assert not replace(good, **what).holds, what


def test_what_is_checked_is_what_is_shown(taught_ends, base):
    """Ends far outside of what is shown, and right within it, are as good as those that are right."""
    theta = greedy(problem(), base, taught_ends, problem().learnt)
    solver, u = fixed(theta, base)

    def cut(x):
        return x.clamp(-0.5, 0.5)

    found = checked(replace(problem(), shown=cut), taught_ends, base, solver, u, LOSS)
    made = problem().all_ends(problem().held_out, ending_in_data(u), solver)
    goal = taught_ends[list(problem().held_out)]
    assert found.found == pytest.approx((cut(made) - cut(goal)).square().mean().sqrt().item())
    assert found.loss_found == pytest.approx((cut(made) - cut(goal)).abs().mean().item())
    assert checked(problem(), taught_ends, base, solver, u, LOSS).found > 1.1 * found.found


def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(taught_ends, base, tmp_path):
    def first():
        return torch.zeros(Layout(CALLS).size, dtype=F64)

    whole = fit(problem(), taught_ends, base, first, RECIPE, LOSS, tmp_path / "whole", QUIET)
    asked = []
    stopping = Watch(lambda report: None, lambda: asked.append(1) or len(asked) % 17 == 0)
    for _ in range(20):
        try:
            parts = fit(problem(), taught_ends, base, first, RECIPE, LOSS, tmp_path / "parts", stopping)
            break
        except HaltedError:
            assert Store(tmp_path / "parts").last() is not None
    assert len(asked) > 50 and torch.equal(parts, whole)


CHILD = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from fit_case import *
import mezzotint.fewstep.fit as fits, torch
torch.set_num_threads(1)
fits.EVERY = 3
found_in(Path(sys.argv[2]))
"""


def killed(folder: Path, pause: float) -> bool:
    """Whether a child was, so many seconds after its first new checkpoint."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(folder)]
    before = newest(folder)
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and newest(folder) == before:
            time.sleep(0.002)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def newest(folder: Path) -> str:
    return max((p.name for p in (folder / "fit").glob("step-*")), default="")


@pytest.mark.parametrize("pauses", [(0.0,), pytest.param((0.0, 0.03, 0.01), marks=pytest.mark.slow)])
def test_killed_with_9_and_begun_again_is_equal_to_the_bit(tmp_path, monkeypatch, pauses):
    """Killed in processes of their own, and gone on with in this one."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert sum(killed(parts, pause) for pause in pauses) >= min(2, len(pauses))
    monkeypatch.setattr("mezzotint.fewstep.fit.EVERY", 3)
    made = found_in(whole)
    assert "" < newest(parts) < newest(whole)
    assert found_in(parts) == made


def test_evaluations_computed_again_give_the_same_bits(taught_ends, base):
    theta = 0.01 * torch.ones(Layout(CALLS).size, dtype=F64)
    rows = drawn(problem().learnt, 8, 0, 0)
    kept = gradient(problem(), theta, base, taught_ends, rows, LOSS, False)
    again = gradient(problem(), theta, base, taught_ends, rows, LOSS, True)
    assert torch.equal(kept[0], again[0]) and kept[1] == again[1]
    assert kept_bytes(problem(), 8) >= 8 * 3 * 4


def test_rows_of_an_update_are_a_function_of_its_number(taught_ends):
    rows = problem().learnt
    assert drawn(rows, 8, 0, 5) == drawn(rows, 8, 0, 5) != drawn(rows, 8, 0, 6)
    assert drawn(rows, 8, 1, 5) != drawn(rows, 8, 0, 5)
    assert len(set(drawn(rows, 8, 0, 5))) == 8 and set(drawn(rows, 1000, 0, 5)) == set(rows)
    assert not set(rows) & set(problem().held_out)


def test_adam_is_torchs():
    generator = torch.Generator().manual_seed(0)
    theta = torch.nn.Parameter(torch.randn(5, generator=generator, dtype=F64))
    torchs = torch.optim.Adam([theta], lr=0.01, betas=(0.9, 0.99), eps=1e-8)
    now = begun(theta.detach().clone())
    for _ in range(30):
        theta.grad = torch.randn(5, generator=generator, dtype=F64)
        now = stepped(now, theta.grad, torch.full((5,), 0.01, dtype=F64), 1e9, 0.9)
        torchs.step()
    torch.testing.assert_close(now.theta, theta.detach())


def test_a_gradient_is_clipped_and_the_average_follows():
    one = stepped(begun(torch.zeros(2, dtype=F64)), torch.tensor([30.0, 40.0], dtype=F64), torch.ones(2), 1.0, 0.9)
    torch.testing.assert_close(one.first, torch.tensor([0.06, 0.08], dtype=F64))
    assert torch.equal(one.average, one.theta), "the first average is the first vector"


def test_a_fit_that_leaves_the_finite_numbers_is_named(taught_ends, base, tmp_path):
    def broken(x, level, cond):
        return Posterior(x * torch.nan)

    with pytest.raises(NonFiniteError, match="left the finite numbers"):
        fit(problem(broken), taught_ends, base, lambda: torch.zeros(Layout(CALLS).size, dtype=F64), RECIPE, LOSS,
            tmp_path, QUIET)  # fmt: skip


def test_the_start_is_of_least_squares(taught_ends, base):
    """Weights moved from it leave more in the first step."""
    rows = problem().learnt
    theta = greedy(problem(), base, taught_ends, rows)
    n, levels = CALLS, ending_in_data(base)
    first = theta[2 * n].item(), theta[2 * n + Layout(n).weights].item()
    from mezzotint.fewstep.warm import waypoints

    x, goal = problem().started(rows, levels), waypoints(problem(), base, rows)[0]
    answer = MIX(x, levels[0], {}).mean
    ratio = (levels.sigma[1] / levels.sigma[0]).item()
    plain = ratio * x + (levels.alpha[1] - ratio * levels.alpha[0]).item() * answer

    def left(c: float, a: float) -> float:
        alpha = levels.alpha[1].item()
        made = plain + alpha * (c * answer + a * x / levels[0].scale.item())
        return (((made - goal) / alpha).square().mean() + 1e-4 * (c * c + a * a)).item()

    for d in (0.01, -0.01):
        assert left(*first) < min(left(first[0] + d, first[1]), left(first[0], first[1] + d))


def test_what_was_measured_is_json_also_where_it_diverged():
    found = Calibrated(2, backbone(2), (0.9, 0.5, 0.1), "karras", Checked(0.2, float("inf"), 0.2, float("inf"), 0.0))
    assert not found.checked.holds and '"found": null' in pretty_json(found.measured)
