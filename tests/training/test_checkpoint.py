"""A checkpoint is whole or not there; a damaged one is seen and the one before it is used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from training_case import made, resumed, run, same, tiny

from mezzotint.errors import InputError, StorageError, UsageError
from mezzotint.training.checkpoint import DamagedError, Store, read
from mezzotint.training.data.source import Data
from mezzotint.training.recipe import Every
from mezzotint.training.schedule import Optimiser
from mezzotint.training.state import begin, pack, unpack

RECIPE = tiny(10, every=Every(0, 4))
FILES = ("weights.safetensors", "ema.safetensors", "optimiser.safetensors", "state.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run's checkpoints, made once."""
    folder = tmp_path_factory.mktemp("finished")
    run(RECIPE, store=Store(folder))
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A finished run's checkpoints: steps 8 and 10."""
    return Path(shutil.copytree(finished, tmp_path / "checkpoints"))


def test_the_last_two_are_kept_with_nothing_beside_them(folder):
    assert [p.name for p in sorted(folder.iterdir())] == ["step-00000008", "step-00000010"]
    assert sorted(p.name for p in (folder / "step-00000010").iterdir()) == sorted(FILES)


def test_there_is_no_pickle_in_a_checkpoint(folder):
    for file in folder.rglob("*.safetensors"):
        assert file.read_bytes()[8:9] == b"{"
    json.loads((folder / "step-00000010" / "state.json").read_bytes())


def test_two_runs_write_equal_bytes(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    run(RECIPE, store=Store(other))
    for name in FILES[:3]:
        path = f"step-00000010/{name}"
        assert (folder / path).read_bytes() == (other / path).read_bytes()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["half", "bit", "gone", "empty"])
def test_a_damaged_checkpoint_is_seen_and_the_one_before_is_used(folder, name, damage):
    path = folder / "step-00000010" / name
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes({"half": data[: len(data) // 2], "bit": data, "empty": b""}[damage])
    said = []
    found = Store(folder).last(said.append)
    assert found.step == 8
    assert len(said) == 1
    assert "step-00000010 is damaged" in said[0]
    assert "going on from step-00000008" in said[0]


def test_after_damage_the_resumed_run_is_equal_to_the_bit(folder):
    path = folder / "step-00000010" / "optimiser.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    training, steps = resumed(RECIPE, folder)
    assert [s.step for s in steps] == [9, 10]
    assert same(training, run(RECIPE)[0])
    assert read(folder / "step-00000010").step == 10


def test_a_damaged_one_does_not_count_among_those_kept(folder):
    (folder / "step-00000010" / "ema.safetensors").unlink()
    training = begin(RECIPE)
    unpack(training, Store(folder).last(), RECIPE.data(None).train.fingerprint)
    training.step = 9
    Store(folder).save(pack(training, ""))
    assert [read(p).step for p in Store(folder).all()] == [8, 9]


def test_when_all_are_damaged_it_says_so_and_trains_nothing(folder):
    for state in folder.rglob("state.json"):
        state.write_text("{")
    with pytest.raises(InputError, match=r"no usable checkpoint in .*step-00000010 is damaged .*step-00000008"):
        Store(folder).last()


def test_a_changed_fact_is_damage(folder):
    path = folder / "step-00000010" / "state.json"
    path.write_text(path.read_text().replace('"step": 10', '"step": 11'))
    with pytest.raises(DamagedError, match="does not match its hash"):
        read(path.parent)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"optimiser": Optimiser(rate=1e-4)}, "optimiser"),
        ({"steps": 99, "batch": 8}, "batch"),
    ],
)
def test_another_recipe_is_refused_by_the_names_of_what_differs(folder, changes, named):
    with pytest.raises(UsageError, match=rf"differ in: {named}\)"):
        unpack(begin(tiny(**{"steps": 10, **changes})), Store(folder).last(), RECIPE.data(None).train.fingerprint)


def test_other_data_is_refused(folder):
    with pytest.raises(InputError, match="not what the checkpoint was trained on"):
        unpack(begin(RECIPE), Store(folder).last(), Data(made(97)).train.fingerprint)


def test_a_changed_number_of_threads_is_said(folder):
    found, data = Store(folder).last(), RECIPE.data(None)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        (warning,) = unpack(begin(RECIPE), found, data.train.fingerprint)
    finally:
        torch.set_num_threads(before)
    assert warning.startswith(f"threads was {before} and is {before + 1}")


def test_a_checkpoint_restores_the_number_format_it_was_made_with(folder):
    training = begin(RECIPE)
    facts = dict(Store(folder).last().facts)
    assert facts["dtype"] == "float32"
    training.dtype = torch.bfloat16
    unpack(training, Store(folder).last(), RECIPE.data(None).train.fingerprint)
    assert training.dtype == torch.float32


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "checkpoints")
    with pytest.raises(StorageError, match="cannot write"):
        store.save(pack(run(tiny(1))[0], ""))


FULL = """
import resource, signal
from mezzotint.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store, (training, _) = Store(Path(argv[0])), run(tiny(5))
training.step = 1
store.save(pack(training, ""))
training.step = 2
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    store.save(pack(training, ""))
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_one_line_and_the_last_good_one_stays(tmp_path, children):
    child = children.start(FULL, tmp_path)
    assert children.wait(child) == 0, child.output()
    assert child.output().startswith("cannot write ")
    assert child.output().count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
    assert Store(tmp_path).last().step == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("this machine does not allow mounting")
    try:
        store, (training, _) = Store(tmp_path / "checkpoints"), run(tiny(2, net=2))
        store.save(pack(training, ""))
        disk = os.statvfs(tmp_path)
        (tmp_path / "other").write_bytes(bytes((disk.f_bavail - 2) * disk.f_frsize))
        training.step = 3
        with pytest.raises(StorageError, match="no space left on the disk"):
            store.save(pack(training, ""))
        assert [p.name for p in store.folder.iterdir()] == ["step-00000002"]
        assert store.last().step == 2
    finally:
        subprocess.run(["umount", tmp_path], check=True)


WRITER = """
store, (training, _) = Store(Path(argv[0])), run(tiny(1, net=64))
while True:
    training.step += 1
    store.save(pack(training, ""))
"""


def test_killed_while_writing_every_complete_name_is_a_whole_checkpoint(tmp_path, children):
    for turn in range(4):
        child = children.start(WRITER, tmp_path)
        seen = len(list(tmp_path.rglob("*.safetensors")))
        while len(list(tmp_path.rglob("*.safetensors"))) == seen:
            time.sleep(0.01)
        time.sleep(0.1 + 0.013 * turn)
        os.kill(child.pid, signal.SIGKILL)
        assert children.wait(child) == -signal.SIGKILL
        for folder in Store(tmp_path).all():
            read(folder)
    assert Store(tmp_path).all()
