"""End points: kept, made once, checked; a teacher that diverges and a disk that is full are one line each."""

from __future__ import annotations

import os

import pytest
import torch
from fit_case import MIX, TEACHER, ends, problem

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.schedule import Cosine, Flow, Karras, linear
from mezzotint.errors import NonFiniteError, StorageError
from mezzotint.fewstep.bases import above_data, bases, bounds
from mezzotint.fewstep.teacher import HaltedError, taught


def test_end_points_are_those_of_the_teacher_and_made_once(tmp_path):
    calls = []

    def counted(x, level, cond):
        calls.append(len(x))
        return MIX(x, level, cond)

    first = ends(tmp_path, problem(counted))
    assert sum(calls) == 96 * TEACHER.calls
    assert torch.equal(first, problem().all_ends(range(96), TEACHER.levels, TEACHER.solver))
    assert torch.equal(ends(tmp_path, problem(counted)), first) and sum(calls) == 96 * TEACHER.calls


def test_stopped_it_goes_on_and_a_damaged_file_is_made_again(tmp_path):
    asked = []
    with pytest.raises(HaltedError):
        taught(problem(), TEACHER, tmp_path, lambda *_: None, lambda: asked.append(1) or len(asked) > 2)
    files = sorted(tmp_path.glob("ends-*"))
    assert len(files) == 2
    files[0].write_bytes(files[0].read_bytes()[:40])
    assert torch.equal(ends(tmp_path), problem().all_ends(range(96), TEACHER.levels, TEACHER.solver))


@pytest.mark.parametrize("factor", [torch.nan, 1e9])
def test_a_teacher_that_diverges_is_named(tmp_path, factor):
    def wild(x, level, cond):
        return Posterior(x * factor)

    with pytest.raises(NonFiniteError, match=r"teacher UniPC-3 in 24 steps diverges: .*; use another grid"):
        ends(tmp_path, problem(wild))
    assert not list(tmp_path.glob("ends-*"))


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left on the disk; free some space"):
        ends(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_grid_to_data_is_ended_above_it():
    assert above_data([0.9, 0.5, 0.0], 0.03).tolist() == [0.9, 0.5, 0.03 / 1.03]
    assert above_data([0.9, 0.01, 0.0], 0.03).tolist() == [0.9, 0.01, 0.005]
    assert above_data([0.9, 0.5, 0.004], 0.03).tolist() == [0.9, 0.5, 0.004]


@pytest.mark.parametrize("schedule", [Karras(), Flow(), Flow(3.0), Cosine(), linear()])
def test_base_grids_fall_within_the_schedule_to_above_data(schedule):
    high, low = bounds(schedule)
    for n in (2, 6):
        for name, u in bases(schedule, n).items():
            ratio = u / (1 - u)
            assert len(u) == n + 1 and u.dtype == torch.float64, name
            assert bool((u[1:] < u[:-1]).all()) and low * (1 - 1e-9) <= ratio[-1] and u[-1] > 0, name
            assert ratio[0] <= high * (1 + 1e-9), name
