"""Two processes compute what one does, but for rounding, and either goes on from the other's checkpoint."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from training_case import resumed, run, still, tiny

from mezzotint.errors import UsageError
from mezzotint.training.checkpoint import Store
from mezzotint.training.data.batches import rows_of
from mezzotint.training.distributed import SINGLE, joined
from mezzotint.training.recipe import Every

STEPS = 8
TOLERANCE = 2e-5
"""Of the loss, relative: float32 sums in another order, over eight updates."""

TRAINER = """
import json
from mezzotint.training.distributed import joined
from mezzotint.training.recipe import Every
from mezzotint.training.run import Watch, fit
folder, strategy, accumulation, steps = argv
recipe = still(8, accumulation=int(accumulation), every=Every(validation=4, checkpoint=4, snapshot=8))
lines = []
def report(p):
    lines.append([p.step, p.loss, p.grad_norm, p.validation and p.validation.loss])
with joined(torch.device("cpu"), strategy) as ranks:
    watch = Watch(report, lambda: len(lines) == int(steps))
    fit(recipe, Path(folder), recipe.data(None), start="resume", ranks=ranks, watch=watch)
if ranks.first:
    print(json.dumps(lines))
"""


def free_port():
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def together(children, folder, strategy="ddp", accumulation=1, steps=STEPS, world=2):
    """Runs the trainer on ``world`` gloo processes; the first one's lines."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(world)}
    started = [
        children.start(
            TRAINER, folder, strategy, accumulation, steps, env={**shared, "RANK": str(r), "LOCAL_RANK": str(r)}
        )
        for r in range(world)
    ]
    assert [children.wait(c) for c in started] == [0] * world, "\n".join(c.output() for c in started)
    return json.loads(started[0].output().splitlines()[-1])


def alone():
    """The same run in this process."""
    return run(still(STEPS, every=Every(validation=4, checkpoint=0)))


def agree(lines, steps):
    """Whether the processes' lines are those of the single run's steps."""
    assert [line[0] for line in lines] == [s.step for s in steps]
    for (_, loss, norm, validation), s in zip(lines, steps, strict=True):
        assert loss == pytest.approx(s.loss, rel=TOLERANCE)
        assert norm == pytest.approx(s.grad_norm, rel=1e-3)
        if s.validation:
            assert validation == pytest.approx(s.validation.loss, rel=TOLERANCE)


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_two_processes_have_the_loss_curve_of_one(children, tmp_path, strategy, accumulation):
    agree(together(children, tmp_path, strategy, accumulation), alone()[1])


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_one_process_goes_on_from_two(children, tmp_path, strategy):
    together(children, tmp_path, strategy, steps=4)
    _, steps = resumed(still(STEPS, every=Every(validation=4, checkpoint=4)), tmp_path / "checkpoints")
    agree([[s.step, s.loss, s.grad_norm, s.validation and s.validation.loss] for s in steps], alone()[1][4:])


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_go_on_from_one(children, tmp_path, strategy):
    run(still(STEPS, every=Every(validation=4, checkpoint=4)), store=Store(tmp_path / "checkpoints"), until=4)
    agree(together(children, tmp_path, strategy), alone()[1][4:])


def test_sharded_and_copied_runs_write_the_same_names(children, tmp_path):
    for strategy in ("ddp", "fsdp"):
        together(children, tmp_path / strategy, strategy)
    a, b = (Store(tmp_path / s / "checkpoints").last() for s in ("ddp", "fsdp"))
    for part, tensors in a.tensors.items():
        assert {k: v.shape for k, v in tensors.items()} == {k: v.shape for k, v in b.tensors[part].items()}
    names = [sorted(p.name for p in (tmp_path / s / "snapshots").iterdir()) for s in ("ddp", "fsdp")]
    assert names[0] == names[1] == ["power-0.0500-00000008.safetensors", "power-0.1000-00000008.safetensors"]


def test_the_rows_of_all_processes_are_the_batch():
    recipe = tiny(batch=24, accumulation=3)
    rows = [r for rank in range(4) for part in rows_of(recipe, rank, 4) for r in part]
    assert sorted(rows) == list(range(24))


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(UsageError, match="a batch of 16 cannot be cut into 1 parts on 3 processes"):
        rows_of(tiny(), 0, 3)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(UsageError, match="did you mean fsdp"), joined("cpu", "fsdp2"):
        pass


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as ranks:
        assert ranks is SINGLE


@pytest.mark.slow
def test_torchrun_itself(tmp_path, recipe_file):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(free_port()),
    ]
    code = ["-m", "mezzotint", "train", str(recipe_file), "--out", str(tmp_path / "out"), "--quiet", "--json"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([*command, *code], capture_output=True, text=True, timeout=250, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reason"] == "done"
