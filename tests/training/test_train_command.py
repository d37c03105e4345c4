"""``mezzotint train`` from end to end: a folder that resumes, a model that loads, one line on bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from toy_recipe import RECIPE
from training_case import Store

from mezzotint.errors import InputError, UsageError
from mezzotint.pretrained.folder import load_model
from mezzotint.schemas import schema
from mezzotint.training.journal import Journal, read_journal
from mezzotint.training.loader import load_recipe, recipe_names
from mezzotint.training.loop import Progress
from mezzotint.training.posthoc import load_snapshots, reconstruct

COMMAND = """
import os
import sys
from mezzotint.cli import run
os.chdir(argv[0])
sys.exit(run(["train", *argv[1:]]))
"""


@pytest.fixture
def mezzotint_train(children, tmp_path):
    """Starts ``mezzotint train …`` in a folder of its own."""

    def start(*arguments):
        return children.start(COMMAND, tmp_path, *arguments)

    return start


@pytest.fixture
def train_command(mezzotint_train, children):
    """Runs ``mezzotint train …`` to its end: exit code and what it printed."""

    def finish(*arguments):
        child = mezzotint_train(*arguments)
        return children.wait(child), child.output()

    return finish


@pytest.fixture(scope="module")
def finished(children, tmp_path_factory):
    """A finished run, made once: its folder, and the JSON document it printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "toy.py").write_text(RECIPE)
    words = ["toy.py", "--out", "run", "--data-licence", "CC-BY-4.0", "--json", "--quiet"]
    child = children.start(COMMAND, folder, *words)
    assert children.wait(child) == 0, child.output()
    return folder / "run", json.loads(child.output())


@pytest.fixture
def copied(finished, tmp_path):
    """The finished run, to be changed."""
    return Path(shutil.copytree(finished[0], tmp_path / "run"))


def weights(folder):
    """The exported weights of a run."""
    return load_file(folder / "model" / "weights.safetensors")


def equal(a, b):
    """Whether two sets of weights are equal to the bit."""
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_leaves_everything_that_is_promised(finished):
    folder, document = finished
    assert (document["reason"], document["step"], document["steps"]) == ("done", 30, 30)
    names = {"run.json", "journal.jsonl", "curve.png", "checkpoints", "snapshots", "model"}
    assert {p.name for p in folder.iterdir()} == names
    assert [line["step"] for line in read_journal(folder / "journal.jsonl")] == list(range(1, 31))
    assert document["validation"] == read_journal(folder / "journal.jsonl")[-1]["validation"]
    assert np.asarray(Image.open(folder / "curve.png").convert("RGB")).std() > 5
    said = json.loads((folder / "run.json").read_bytes())
    assert (said["recipe"], said["data_licence"]) == ("toy", "CC-BY-4.0")


def test_the_exported_model_is_the_first_average_and_loads(finished):
    loaded = load_model(finished[0] / "model")
    ema = Store(finished[0] / "checkpoints").last().tensors["ema"]
    for name, value in loaded.network.named_parameters():
        assert torch.equal(value, ema[f"power-0.1000/{name}"])
    card = loaded.described.spec.card
    assert (card.seed, card.data_licence) == (5, "CC-BY-4.0")
    assert "30 updates of 8 images" in card.compute
    assert [label.name for label in loaded.described.spec.labels] == [f"row {k}" for k in range(10)]


def test_snapshots_rebuild_the_exported_average(finished):
    stored = load_snapshots(finished[0] / "snapshots")
    assert [s.step for s in stored] == [10, 20, 30]
    rebuilt = reconstruct(stored, stored[-1].profile, 30)
    exported = weights(finished[0])
    assert all(torch.allclose(rebuilt[k], exported[k], atol=1e-6) for k in rebuilt)


@pytest.fixture(scope="module")
def whole(children, tmp_path_factory):
    """The weights of an uninterrupted run of 120 steps."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "toy.py").write_text(RECIPE)
    child = children.start(COMMAND, folder, "toy.py", "--out", "run", "--quiet", "--steps", "120")
    assert children.wait(child) == 0, child.output()
    return weights(folder / "run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_saves_exits_130_and_resumes_to_the_bit(
    mezzotint_train, train_command, children, whole, recipe_file, tmp_path, number
):
    child = mezzotint_train(recipe_file, "--out", "cut", "--quiet", "--steps", "120")
    checkpoints = tmp_path / "cut" / "checkpoints"
    while not list(checkpoints.glob("step-*")):
        time.sleep(0.01)
    os.kill(child.pid, number)
    assert children.wait(child) == 130, child.output()
    at = Store(checkpoints).last().step
    assert at < 120
    assert child.output() == f"mezzotint: interrupted after step {at}; go on with --resume --out cut\n"
    assert not (tmp_path / "cut" / "model").exists()
    code, out = train_command(recipe_file, "--out", "cut", "--resume", "--steps", "120")
    assert code == 0, out
    assert f"going on after step {at} of 120" in out
    assert equal(weights(tmp_path / "cut"), whole)


def test_minutes_stop_the_run_resumably_with_a_model(train_command, recipe_file, tmp_path):
    code, out = train_command(recipe_file, "--out", "run", "--minutes", "0.0001", "--json", "--quiet")
    document = json.loads(out)
    assert (code, document["reason"], document["step"]) == (0, "stopped", 1)
    for each in (document, json.loads((tmp_path / "run" / "run.json").read_text())):
        jsonschema.validate(each, schema(each["schema"]))
    assert Path(tmp_path / document["model"] / "weights.safetensors").exists()
    assert Store(tmp_path / "run" / "checkpoints").last().step == 1


def test_resume_finds_the_latest_run_of_the_recipe(train_command, recipe_file, tmp_path):
    assert train_command(recipe_file, "--minutes", "0.0001", "--quiet")[0] == 0
    (folder,) = (tmp_path / "mezzotint-out").iterdir()
    code, out = train_command(recipe_file, "--resume", "--json", "--quiet")
    assert code == 0, out
    assert tmp_path / json.loads(out)["out"] == folder


def test_a_torn_checkpoint_is_said_and_the_one_before_used(train_command, copied, recipe_file, tmp_path):
    torn = copied / "checkpoints" / "step-00000030" / "weights.safetensors"
    torn.write_bytes(torn.read_bytes()[:1000])
    before = weights(copied)
    code, out = train_command(recipe_file, "--out", "run", "--resume")
    assert code == 0, out
    assert "step-00000030 is damaged (weights.safetensors does not match its hash); going on from step-00000020" in out
    assert equal(weights(copied), before)


def test_tensorboard_events_only_when_asked(train_command, recipe_file, tmp_path):
    pytest.importorskip("tensorboard")
    assert train_command(recipe_file, "--out", "run", "--quiet", "--tensorboard")[0] == 0
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fashio"], "unknown recipe 'fashio'; did you mean fashion?"),
        (["gone.py"], "no recipe file gone.py"),
        (["RECIPE:big"], "unknown recipe in toy.py 'big'"),
        (["fashion", "--data", "gone"], "no folder gone; install the Debian package"),
        (["RECIPE", "--seed", "-1"], "seed -1 is out of range"),
        (["RECIPE", "--steps", "0"], "x>=1"),
        (["RECIPE", "--device", "tpu"], "device"),
        (["RECIPE", "--strategy", "zero"], "unknown strategy 'zero'"),
        (["RECIPE", "--resume"], "no earlier run of toy"),
        (["RECIPE", "--out", "toy.py"], "toy.py"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(train_command, recipe_file, tmp_path, arguments, said):
    given = [a.replace("RECIPE", str(recipe_file)) for a in arguments]
    code, out = train_command(*given, "--quiet")
    assert code == 2, out
    assert said in out
    assert out.count("\n") == 1
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_used_folder_is_not_trained_over(train_command, copied, recipe_file):
    code, out = train_command(recipe_file, "--out", "run", "--quiet")
    assert code == 2
    assert "holds a run already; give --resume" in out


def test_another_recipe_cannot_resume(train_command, copied, recipe_file):
    code, out = train_command(recipe_file, "--out", "run", "--quiet", "--resume", "--seed", "9", "--steps", "60")
    assert code == 2
    assert "another recipe (they differ in: seed)" in out


def test_a_run_is_made_longer_and_keeps_its_length(train_command, recipe_file, tmp_path):
    assert train_command(recipe_file, "--out", "run", "--quiet", "--steps", "10")[0] == 0
    code, out = train_command(recipe_file, "--out", "run", "--quiet", "--resume", "--json")
    assert (code, json.loads(out)["steps"]) == (0, 10), "no --steps: the run's own, not the recipe's"
    code, out = train_command(recipe_file, "--out", "run", "--resume", "--steps", "20")
    assert code == 0, out
    assert "planned over 10 updates and ends at 20 now" in out
    said = json.loads((tmp_path / "run" / "run.json").read_bytes())
    jsonschema.validate(said, schema(said["schema"]))
    assert (said["planned"], said["fields"]["steps"]) == ([[10, 10]], 20)
    card = load_model(tmp_path / "run" / "model").described.spec.card
    assert "20 updates of 8 images" in card.compute
    assert card.compute.endswith("Planned over 10 up to update 10.")
    assert [line["step"] for line in read_journal(tmp_path / "run" / "journal.jsonl")] == list(range(1, 21))


def test_what_is_printed_goes_on_with_a_run_of_another_seed(train_command, recipe_file, tmp_path):
    assert train_command(recipe_file, "--out", "run", "--quiet", "--seed", "9", "--minutes", "0.0001")[0] == 0
    code, out = train_command(recipe_file, "--resume", "--out", "run", "--quiet", "--json")
    assert (code, json.loads(out)["reason"]) == (0, "done"), out
    assert json.loads((tmp_path / "run" / "run.json").read_bytes())["fields"]["seed"] == 9


def test_a_recipe_file_that_fails_is_one_line(train_command, tmp_path):
    for text, said in [
        ("def x(:", "SyntaxError"),
        ("import nowhere_to_be_found", "No module named"),
        ("x = 1", "unknown recipe in"),
    ]:
        (tmp_path / "bad.py").write_text(text)
        code, out = train_command("bad.py", "--quiet")
        assert code == 2
        assert said in out
    (tmp_path / "bad.py").write_text("def bad(): return 3")
    assert "returned int; expected a Recipe" in train_command("bad.py")[1]
    (tmp_path / "bad.py").write_text(f"{RECIPE}\ndef bad(): return replace(toy(), stepps=3)")
    code, out = train_command("bad.py", "--quiet")
    assert (code, out.count("\n")) == (2, 1)
    assert "bad.py: bad() cannot be run: TypeError" in out
    assert "stepps" in out


def test_the_projects_recipes_load():
    assert {"fashion", "products-pixel", "products-latent", "products-prior"} <= set(recipe_names())
    for name in ("fashion", "fashion:dit", "products-pixel", "products-pixel:upsampler", "products-prior:embedder"):
        assert load_recipe(name).steps > 0


def test_a_recipe_says_which_trained_part_it_needs(tmp_path):
    with pytest.raises(UsageError, match="needs a trained part: give --part autoencoder=FOLDER"):
        load_recipe("products-latent")
    with pytest.raises(UsageError, match="takes no part 'codec'; it takes autoencoder"):
        load_recipe("products-latent", {"codec": tmp_path})
    with pytest.raises(InputError, match=r"not a network folder \(no network\.json\)"):
        load_recipe("products-latent", {"autoencoder": tmp_path})


def test_a_journal_survives_a_torn_line_and_is_cut_where_a_run_goes_on(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, 10)
    for step in range(1, 6):
        journal.add(Progress(step, 10, 1.0, 1.0, 1.0, step, 1.0))
    journal.flush()
    path.write_text(path.read_text() + '{"step": 6, "lo')
    Journal(path, 10).cut(3)
    assert [line["step"] for line in read_journal(path)] == [1, 2, 3]
