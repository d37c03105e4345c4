"""Kill -9 a real ``mezzotint tune`` while it learns or judges, resume, and the adapter is the same to the bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tuning_case import Whole, finished, ran, started, words

Until = Callable[[Path], bool]


def begun(out: Path) -> bool:
    """Before the first checkpoint: the run has been described, and updates are made."""
    return (out / "run/run.json").is_file()


def halfway(out: Path) -> bool:
    return (out / "run/checkpoints/step-00000004/state.json").is_file()


def judging(out: Path) -> bool:
    """Everything is learnt, and the first pictures are there."""
    return any((out / "work").glob("*.npz"))


def learning(out: Path) -> bool:
    return not (out / "run/checkpoints/step-00000008").exists()


def wait(child: subprocess.Popen[str], until: Until, out: Path) -> None:
    end = time.monotonic() + 120
    while not until(out):
        assert child.poll() is None and time.monotonic() < end, child.communicate()
        time.sleep(0.005)


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same tensors, to the bit."""
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize(
    "moments",
    [pytest.param((halfway,), id="once"), pytest.param((begun, halfway, judging), id="thrice", marks=pytest.mark.slow)],
)
def test_killed_and_resumed_is_equal_to_the_bit(
    cascade: Path, shoot: Path, whole: Whole, tmp_path: Path, moments: tuple[Until, ...]
) -> None:
    """Killed in processes of their own, and gone on with in this one."""
    out = tmp_path / "o"
    for k, until in enumerate(moments):
        child = started(words(shoot, cascade, out, "--quiet", *(("--resume",) if k else ())), tmp_path)
        wait(child, until, out)
        assert until is judging or learning(out), "everything was learnt before it could be killed"
        os.kill(child.pid, signal.SIGKILL)
        assert finished(child)[0] == -signal.SIGKILL
        assert not (out / "adapter.safetensors").exists()
    code, printed, err = ran(words(shoot, cascade, out, "--quiet", "--json", "--resume"), tmp_path)
    assert code == 0, err
    assert same(out / "adapter.safetensors", whole.out / "adapter.safetensors")
    for name in ("evidence", "choice", "notes", "about"):
        assert json.loads(printed)[name] == whole.printed[name], name


def test_what_is_compared_can_differ(whole: Whole) -> None:
    first, last = sorted((whole.out / "run/snapshots").iterdir())
    assert same(first, first) and not same(first, last)


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(cascade: Path, shoot: Path, whole: Whole, tmp_path: Path) -> None:
    out = tmp_path / "o"
    for k, until in enumerate((halfway, judging)):
        more = ("--quiet", "--json", *(("--resume",) if k else ()))
        child = started(words(shoot, cascade, out, *more), tmp_path)
        wait(child, until, out)
        child.send_signal(signal.SIGINT)
        code, printed, err = finished(child)
        assert code == 130, err
        assert err == f"mezzotint: stopped; go on with the same words, --resume --out {out}\n"
        assert json.loads(printed)["code"] == "interrupted" and not (out / "adapter.safetensors").exists()
    code, _, err = finished(started(words(shoot, cascade, out, "--quiet", "--resume"), tmp_path))
    assert code == 0 and same(out / "adapter.safetensors", whole.out / "adapter.safetensors"), err
