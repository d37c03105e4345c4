"""Laws of guidance in the weights: scale 1 is nothing, the base stays, what is learnt from is on guided trajectories, a
fit that was killed goes on to the same bits."""

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
from guide_case import COURSE, GUIDE, HIGH, LOW, QUIET, RECIPE, SCALE, guided, lesson, network, problem, student

from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.errors import ModelError
from mezzotint.fewstep.fit import Watch
from mezzotint.fewstep.guide import fit
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.nets.adapters import scaled
from mezzotint.training.checkpoint import Store

F64 = torch.float64


def drawn(seed: int = 0) -> torch.Tensor:
    """A change of everything."""
    theta = scaled.begun(student().known(), RECIPE.rank, seed)
    return theta + 0.05 * torch.randn(len(theta), generator=torch.Generator().manual_seed(seed))


def asked(denoiser, sigma: float, rows: int = 3):
    x = sigma * torch.randn(rows, *problem().shape, generator=torch.Generator().manual_seed(1))
    level = Level(torch.tensor(1.0, dtype=F64), torch.tensor(sigma, dtype=F64))
    with torch.no_grad():
        return denoiser(x, level, problem().cond(range(rows))).mean


def test_at_scale_1_it_is_the_base_to_the_bit() -> None:
    base = Preconditioned(network(), student().parametrisation)
    for sigma in (0.05, 1.0, 10.0):
        assert torch.equal(asked(student().inner(drawn(), 1.0), sigma), asked(base, sigma))
        assert not torch.equal(asked(student().inner(drawn(), SCALE), sigma), asked(base, sigma))


def test_before_the_first_update_it_is_the_base_to_the_bit() -> None:
    theta = scaled.begun(student().known(), RECIPE.rank, 0)
    base = Preconditioned(network(), student().parametrisation)
    assert torch.equal(asked(student().inner(theta, SCALE), 1.0), asked(base, 1.0))


def test_outside_of_the_interval_it_is_the_base_to_the_bit() -> None:
    within = replace(student(), interval=(LOW, HIGH))
    base = Preconditioned(network(), within.parametrisation)
    for sigma, same in ((LOW, True), (LOW * 1.01, False), (HIGH, False), (HIGH * 1.01, True)):
        assert torch.equal(asked(within.denoiser(drawn(), SCALE), sigma), asked(base, sigma)) is same


def test_a_network_that_wears_it_answers_so_and_the_base_keeps_its_bytes() -> None:
    net = network()
    before = {name: p.clone() for name, p in net.state_dict().items()}
    one = student()
    worn = scaled.wearing(net, one.changes(drawn()), one.strength(1.5))
    made = asked(Preconditioned(worn, one.parametrisation), 1.0)
    assert torch.equal(made, asked(one.inner(drawn(), 1.5), 1.0))
    assert all(torch.equal(p, before[name]) for name, p in net.state_dict().items())
    untouched = [n for n, p in worn.named_parameters() if n.removesuffix(".weight") not in one.known()]
    assert untouched and all(worn.get_parameter(n) is net.get_parameter(n) for n in untouched)


def test_a_change_for_another_network_is_refused() -> None:
    net, one = network(), student()
    changes = dict(one.changes(drawn()))
    path = next(iter(changes))
    with pytest.raises(ModelError, match="no layer"):
        scaled.wearing(net, {"elsewhere": changes[path]}, 1.0)
    wrong = replace(changes[path], down=changes[path].down[:, :-1])
    with pytest.raises(ModelError, match="for another network"):
        scaled.wearing(net, {path: wrong}, 1.0)


def test_what_is_learnt_from_lies_on_guided_trajectories() -> None:
    """The states are those of DDIM under guidance, from the noise of their rows, every row at its own step."""
    course, seen = COURSE, set()
    walks = course.begun(5)
    assert sorted(walks.at.tolist()) == [k * course.steps // 5 for k in range(5)]
    for _ in range(course.steps + 3):
        for x, at, row in zip(walks.x, walks.at.tolist(), walks.row.tolist(), strict=True):
            seen.add(row)
            noise = Noise((problem().seeds[row],))
            wanted = problem().started([row], course.levels)
            with torch.no_grad():
                told = problem().cond([row])
                walk = trajectory(guided(SCALE), wanted, course.levels, DDIM(), noise, told)
                for _ in range(at):
                    wanted = next(walk).x
            torch.testing.assert_close(x[None], wanted, rtol=1e-4, atol=1e-4)
        walks = course.moved(walks, course.answers(walks))
    assert len(seen) > 5 and not seen & set(problem().held_out)


def test_it_learns(tmp_path) -> None:
    theta = fit(student(), lesson(), replace(RECIPE, steps=100), tmp_path, QUIET)
    held = problem().held_out
    levels = COURSE.levels

    def made(denoiser):
        with torch.no_grad():
            return replace(problem(), denoiser=denoiser).all_ends(held, levels, DDIM())

    goal = made(guided(SCALE))
    plain = (made(Preconditioned(network(), student().parametrisation)) - goal).square().mean()
    found = (made(student().denoiser(theta, SCALE)) - goal).square().mean()
    assert found < 0.25 * plain


def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(tmp_path) -> None:
    whole = fit(student(), lesson(), RECIPE, tmp_path / "whole", QUIET)
    asked: list[int] = []
    stopping = Watch(lambda report: None, lambda: asked.append(1) or len(asked) % 13 == 0)
    for _ in range(20):
        try:
            parts = fit(student(), lesson(), RECIPE, tmp_path / "parts", stopping)
            break
        except HaltedError:
            assert Store(tmp_path / "parts").last() is not None
    assert len(asked) > 40 and torch.equal(parts, whole)


CHILD = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from guide_case import *
import mezzotint.fewstep.guide as guides
torch.set_num_threads(1)
guides.EVERY = 4
guides.fit(student(), lesson(), RECIPE, Path(sys.argv[2]) / "fit", QUIET)
"""


def killed(folder: Path, pause: float) -> bool:
    """Whether a child was, so many seconds after its first new checkpoint."""
    command = [sys.executable, "-c", CHILD, str(GUIDE), str(folder)]
    before = newest(folder)
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        while process.poll() is None and newest(folder) == before:
            time.sleep(0.002)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def newest(folder: Path) -> str:
    return max((p.name for p in (folder / "fit").glob("step-*")), default="")


@pytest.mark.parametrize("pauses", [(0.0,), pytest.param((0.0, 0.02), marks=pytest.mark.slow)])
def test_killed_with_9_and_begun_again_is_equal_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: tuple[float, ...]
) -> None:
    """Killed in processes of their own, and gone on with in this one."""
    assert all(killed(tmp_path / "parts", pause) for pause in pauses)
    monkeypatch.setattr("mezzotint.fewstep.guide.EVERY", 4)
    whole = fit(student(), lesson(), RECIPE, tmp_path / "whole" / "fit", QUIET)
    assert "" < newest(tmp_path / "parts") < newest(tmp_path / "whole")
    assert torch.equal(fit(student(), lesson(), RECIPE, tmp_path / "parts" / "fit", QUIET), whole)
