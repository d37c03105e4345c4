"""Laws of distillation: what is perfect has no loss, targets are the teacher's own, what is worse is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from fit_case import MIX, problem
from torch import nn

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import sample
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.diffusion.spread import rectified
from mezzotint.errors import InputError, NonFiniteError, UsageError
from mezzotint.fewstep.asked import as_pairs, asked_at, last_of, sampled, way
from mezzotint.fewstep.consistency import Consistency
from mezzotint.fewstep.follow import Follow, stepped
from mezzotint.fewstep.held import Held, near_teacher
from mezzotint.fewstep.loss import Absolute
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.fewstep.walks import ends, finer, halves, walked, walks
from mezzotint.making.distilled.settings import Settings, checked
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system
from mezzotint.training.task import Draws, Sample

MEAN, WIDE = 0.3, 0.6
LEVELS = karras(2, 2.5, 80.0)
LOW = 0.002


def given(rows: int) -> Sample:
    empty = torch.zeros(rows, 0)
    return Sample(empty, empty, torch.zeros(rows), {}, None, Draws(0, 100, 0, range(rows)))


def point(x, level, cond):
    """The answer where all data is one point."""
    return Posterior(torch.full_like(x, MEAN))


# -- consistency


def test_a_perfect_consistency_function_has_no_loss():
    eps = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    x0, t = torch.full((16, 3), MEAN), torch.logspace(-3, 2, 16)
    for q in (2.0, 16.0, 1024.0):
        assert Consistency().lost(point, x0, eps, t, {}, 0, q).max() < 1e-6
    assert Consistency().lost(MIX, x0, eps, t, {}, 0, 16.0).min() >= 0
    assert Consistency().lost(MIX, x0, eps, t, {}, 0, 16.0).max() > 1e-3


def test_at_first_it_is_denoising():
    """With q = 1 the lower level is data itself."""
    rows = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(1))
    x0, eps, t = rows[0], rows[1], torch.logspace(-2, 1, 8)
    answer = MIX(x0 + t[:, None] * eps, _level(t), {}).mean
    expected = (answer - x0).square().mean(1).sqrt() / t
    torch.testing.assert_close(Consistency().lost(MIX, x0, eps, t, {}, 0, 1.0), expected)
    # With q = 4 it still is where the level is low, in a batch with rows where it is not.
    low = t < 0.2
    mixed = Consistency().lost(MIX, x0, eps, t, {}, 0, 4.0)
    assert 0 < int(low.sum()) < 8
    torch.testing.assert_close(mixed[low], expected[low])


def _level(t):
    return Level(torch.ones_like(t), t)


@pytest.mark.parametrize("q", [2.0, 16.0, 256.0])
def test_the_gap_is_of_the_paper_and_closes(q):
    task, t = Consistency(), torch.tensor([0.0, 1.0, 80.0])
    n = 1 + 8 / (1 + t.exp())
    torch.testing.assert_close(task.lower(t, q), (t * (1 - n / q)).clamp(min=0))
    assert task.lower(torch.tensor(80.0), q) == pytest.approx(80 * (1 - 1 / q), rel=1e-5)
    staged = Consistency(q=256, first=4, stages=4)
    assert [staged.at(k, 4) for k in range(4)] == pytest.approx([4, 16, 64, 256])


def test_both_answers_have_the_same_dropout():
    drop = nn.Dropout(0.5).train()

    def net(x, level, cond):
        return Posterior(drop(torch.ones_like(x)))

    x0, t = torch.zeros(4, 64), torch.full((4,), 2.0)
    assert Consistency().lost(net, x0, x0, t, {}, 3, 64.0).max() == 0


def test_only_the_higher_level_is_learnt():
    scale = torch.ones((), requires_grad=True)
    seen = []

    def net(x, level, cond):
        answer = scale * x
        seen.append(answer.requires_grad)
        return Posterior(answer)

    x0 = torch.ones(4, 3)
    Consistency().lost(net, x0, x0, torch.full((4,), 2.0), {}, 0, 64.0).sum().backward()
    assert seen == [True, False] and scale.grad is not None


# -- trajectory


def test_the_finer_grid_passes_through_the_students_levels():
    fine = finer(LEVELS, 6, LOW)
    assert len(fine) == 13 and bool((rectified(fine).diff() < 0).all())
    torch.testing.assert_close(rectified(fine)[::6], rectified(LEVELS), rtol=1e-12, atol=1e-12)


def test_targets_are_the_teachers_multi_step_solution():
    rows, fine = range(16), finer(LEVELS, 8, LOW)
    states = walked(problem(), LEVELS, 8, LOW, rows).chunk(3, 1)
    noise = Noise(tuple(problem().seeds[k] for k in rows))
    start = problem().started(rows, fine)
    torch.testing.assert_close(states[0] * fine[0].scale.item(), start.float())
    whole = sample(MIX, start, fine, UniPC(3), noise, {})
    torch.testing.assert_close(states[2], whole.float())
    exact = finer(LEVELS, 100, LOW)
    inner = sample(MIX, problem().started(rows, exact), exact[:101], Heun(), noise, {})
    torch.testing.assert_close(states[1] * exact[100].scale.item(), inner.float(), rtol=0.02, atol=0.02)


def test_a_student_that_jumps_as_the_trajectory_goes_has_no_loss():
    """Gaussian data: the trajectory is x = m + sqrt(s^2 + sigma^2) z."""
    z = torch.randn(16, 3, generator=torch.Generator().manual_seed(2))
    sigmas = LEVELS.sigma.tolist()
    states = torch.cat([(MEAN + (WIDE**2 + s**2) ** 0.5 * z) / (1 + s**2) ** 0.5 for s in sigmas], 1)
    ratio = dict(pairwise(sigmas))

    def student(x, level, cond):
        s, to = level.sigma.item(), ratio[level.sigma.item()]
        nxt = MEAN + ((WIDE**2 + to**2) / (WIDE**2 + s**2)) ** 0.5 * (x - MEAN)
        return Posterior((nxt - to / s * x) / (1 - to / s))

    task = Follow(as_pairs(LEVELS), Absolute(), False)
    assert task.lost(student, states, given(16)).max() < 1e-4
    assert task.lost(point, states, given(16)).min() > 0.01


def test_a_students_steps_are_the_samplers():
    rows = range(8)
    x = problem().started(rows, LEVELS)
    expected = sample(MIX, x, LEVELS, DDIM(), Noise(tuple(range(8))), {})
    for cur, nxt in pairwise(LEVELS):
        x = stepped(x, MIX(x, cur, {}).mean, cur, nxt)
    torch.testing.assert_close(x, expected)


def test_a_step_is_learnt_from_where_the_student_is():
    """The second step begins at the student's own state, not at the teacher's, and sends no gradient to the first."""
    asked, states = [], walked(problem(), LEVELS, 4, LOW, range(4))
    first = torch.zeros((), requires_grad=True)

    def student(x, level, cond):
        asked.append(x)
        return Posterior(torch.zeros_like(x) + (first if len(asked) == 1 else 0))

    Follow(as_pairs(LEVELS), Absolute(), False).lost(student, states, given(4))
    torch.testing.assert_close(asked[1], states[:, :3] * LEVELS[0].scale.item() * (2.5 / 80))
    assert not asked[1].requires_grad


def test_walks_are_kept_and_made_once(tmp_path):
    def made(of=None, stop=lambda: False):
        return walks(of or problem(), range(64), LEVELS, 4, LOW, tmp_path, "key", lambda n: None, stop)

    with pytest.raises(HaltedError):
        made(stop=lambda: True)
    one = made()
    first, path = one.files[0]
    before = path.read_bytes()

    def never(x, level, cond):
        raise AssertionError("asked again")

    again = made(problem(never))
    assert again == one and path.read_bytes() == before and first == 0
    shard = one.open(0, lambda bad: None)
    assert len(shard) == 64 and shard[5].label == 5
    exact = walked(problem(), LEVELS, 4, LOW, range(64))
    torch.testing.assert_close(ends(one, (3,)), exact[:, -3:], rtol=1e-3, atol=1e-3)
    assert halves((3,), 3).stored == (18,)
    path.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"gone or damaged; the same command with --resume"):
        one.open(0, lambda bad: None)
    assert made() == one and path.read_bytes() == before


def test_walks_made_of_other_words_are_not_taken(tmp_path):
    """A run that is gone on with by other words has the walks of neither mixed."""

    def made(key, of):
        return walks(of, range(8), LEVELS, 4, LOW, tmp_path, key, lambda n: None, lambda: False)

    one, other = made("1" * 64, problem()), made("2" * 64, problem(point))
    assert not torch.allclose(ends(one, (3,)), ends(other, (3,)), atol=0.1)
    again = made("1" * 64, problem())
    assert again == one and torch.equal(ends(again, (3,)), ends(one, (3,)))


def test_a_teacher_that_diverges_is_named():
    def wild(x, level, cond):
        return Posterior(1e4 * x)

    with pytest.raises(NonFiniteError, match="the teacher UniPC-3 in 8 steps diverges"):
        walked(problem(wild), LEVELS, 4, LOW, range(4))


# -- the check


def test_one_that_is_worse_than_its_start_is_refused():
    rows = problem().held_out
    goals = walked(problem(), LEVELS, 8, LOW, rows)[:, -3:]

    def exact(x, level, cond):
        """The student's last step lands on the goals, whatever the first did."""
        if level.sigma < 3:
            found = goals[exact.at : exact.at + len(x)]
            exact.at += len(x)
            return Posterior(found.to(x))
        return MIX(x, level, cond)

    exact.at = 0
    good = near_teacher(problem(), exact, LEVELS, DDIM(), goals)
    assert good.holds and good.found < 0.1 * good.start and good.better == 1

    def misfit(x, level, cond):
        return Posterior(MIX(x, level, cond).mean + 0.5)

    assert not near_teacher(problem(), misfit, LEVELS, DDIM(), goals).holds
    same = near_teacher(problem(), MIX, LEVELS, DDIM(), goals)
    assert same.found == same.start and not same.holds


def test_the_check_wants_most_rows_and_the_mean():
    assert Held("d", 1.0, 0.5, 0.6).holds and Held("k", 1.0, 0.5).holds
    assert not Held("d", 1.0, 0.5, 0.4).holds
    assert not Held("d", 1.0, float("inf"), 0.9).holds and not Held("k", 1.0, float("nan")).holds
    assert Held("k", 1.0, float("inf")).said["found"] is None


# -- words


def test_the_ways_to_sample_are_words_of_a_model():
    spec = describe_system(find("fashion")).members[0].described.spec
    solver, levels = way(spec, sampled(spec, "trajectory", 2))
    assert solver == DDIM() and levels.sigma.tolist() == pytest.approx([80, last_of(spec, "trajectory", 2), 0])
    assert last_of(spec, "trajectory", 2) == pytest.approx(2.52, abs=0.01)
    assert asked_at(levels) == pytest.approx([80 / 81, 2.5154 / 3.5154], abs=1e-3)
    _, again = way(spec, sampled(spec, "consistency", 2))
    assert again.sigma.tolist() == pytest.approx([80, 0.8, 0])
    assert way(spec, sampled(spec, "trajectory", 1))[1].sigma.tolist() == pytest.approx([80, 0])
    flow = replace(spec, schedule={"name": "flow"}, parametrisation={"name": "flow"})
    _, straight = way(flow, sampled(flow, "consistency", 2))
    assert straight.sigma.tolist() == pytest.approx([1, 0.8 / 1.8, 0])
    with pytest.raises(UsageError, match="the last call is at 90"):
        sampled(spec, "trajectory", 2, 90.0)


@pytest.mark.parametrize(
    ("changes", "data", "scale", "what"),
    [
        ({"calls": 0}, False, None, "calls is 0; expected 1 to 8"),
        ({"calls": 9}, False, None, "mezzotint calibrate"),
        ({"calls": 4, "teacher": 4}, False, None, "calls is 4 and the teacher makes 4"),
        ({"by": "magic"}, False, None, "unknown --by 'magic'"),
        ({"form": "lora"}, False, None, "unknown --as 'lora'"),
        ({"updates": 0}, False, None, "updates is 0; expected 1 or more"),
        ({"rows": 3}, False, None, "rows is 3; expected 64 or more"),
        ({"rate": 0.0}, False, None, "rate is 0.0; expected above 0"),
        ({"rate": float("nan")}, False, None, "rate is nan"),
        ({"by": "consistency"}, False, None, "consistency is learnt from data"),
        ({}, True, None, "needs no data"),
        ({"by": "consistency"}, True, 3.0, "data know no guidance"),
    ],
)
def test_bad_settings_are_refused(changes, data, scale, what):
    with pytest.raises(UsageError, match=what):
        checked(replace(Settings(), **changes), data, scale)
