"""Kill -9 a real training process anywhere, resume, and end with the same weights to the bit."""

from __future__ import annotations

import os
import random
import signal
import time

from training_case import run, same, tiny, unpack

from mezzotint.training.checkpoint import Store
from mezzotint.training.recipe import Every
from mezzotint.training.state import begin

STEPS = 120
RECIPE = {"steps": STEPS, "every": Every(validation=20, checkpoint=3, snapshot=0)}

TRAINER = """
from mezzotint.training.recipe import Every
from mezzotint.training.run import fit
recipe = tiny(120, every=Every(validation=20, checkpoint=3, snapshot=0))
outcome = fit(recipe, Path(argv[0]), recipe.data(None), start="resume")
"""


def kill_and_resume(children, folder, kills, seed):
    """Runs the trainer, killing it ``kills`` times, each at a random moment after it has moved on."""
    random.seed(seed)
    checkpoints = folder / "checkpoints"
    landed = []
    for _ in range(kills):
        child = children.start(TRAINER, folder)
        before = progress(checkpoints)
        while progress(checkpoints) == before:
            time.sleep(0.003)
        time.sleep(random.random() * 0.15)
        os.kill(child.pid, signal.SIGKILL)
        code = children.wait(child)
        landed.append(code)
    child = children.start(TRAINER, folder)
    assert children.wait(child) == 0, child.output()
    return landed


def progress(checkpoints):
    """The name of the newest checkpoint."""
    return max((p.name for p in checkpoints.glob("step-*")), default="")


def finished(folder):
    """The state in a run's last checkpoint."""
    training = begin(tiny(**RECIPE))
    unpack(training, Store(folder / "checkpoints").last(), training.recipe.data(None).train.fingerprint)
    return training


def test_killed_at_ten_random_moments_and_resumed_is_equal_to_the_bit(children, tmp_path):
    landed = kill_and_resume(children, tmp_path, 10, seed=10)
    assert landed.count(-signal.SIGKILL) >= 8, "the run was over before it could be killed"
    whole, _ = run(tiny(**RECIPE))
    assert same(finished(tmp_path), whole)


def test_the_journal_of_a_killed_run_has_every_step_once(children, tmp_path):
    import json

    kill_and_resume(children, tmp_path, 2, seed=1)
    steps = [json.loads(line)["step"] for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert steps == list(range(1, STEPS + 1))
