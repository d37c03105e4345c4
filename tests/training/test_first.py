"""Runs that begin with trained weights."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from toy_recipe import RECIPE
from training_case import tiny

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.files import sha256_file
from mezzotint.nets.config import JudgeConfig
from mezzotint.pretrained.folder import WEIGHTS_NAME
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card
from mezzotint.tensorfile import read_tensors
from mezzotint.training.export import export, exported
from mezzotint.training.first import begun_with
from mezzotint.training.loader import load_recipe
from mezzotint.training.recipe import Every
from mezzotint.training.run import fit
from mezzotint.training.state import begin

CARD = Card("toy", "A toy.", "Apache-2.0")


@pytest.fixture
def judge():
    """A recipe of a network that the library can build again."""
    from mezzotint.nets import build

    def of(**changes):
        return tiny(build=build, net=JudgeConfig(kinds=3, views=2, size=(32, 32), widths=(8, 8)), **changes)

    return of


@pytest.fixture
def trained(judge, tmp_path):
    """The folder of a trained network, in bfloat16 as those are that ship."""
    from mezzotint.nets import config_to_dict

    net = begin(judge(seed=3)).net
    save_network(tmp_path / "trained", net.state_dict(), config_to_dict(judge().net), CARD, torch.bfloat16)
    return tmp_path / "trained"


def test_a_run_begins_with_the_weights_of_the_file(judge, trained):
    training = begin(judge())
    begun_with(training, trained)
    said = read_tensors(trained / WEIGHTS_NAME)
    assert all(torch.equal(w, said[k].float()) for k, w in training.net.state_dict().items())
    assert all(w.dtype == torch.float32 for w in training.net.state_dict().values())
    assert training.first == sha256_file(trained / WEIGHTS_NAME)


def test_weights_of_another_network_are_refused_by_the_first_tensor(trained):
    with pytest.raises(ModelError, match="for another network"):
        begun_with(begin(tiny()), trained)


def test_changed_weights_are_refused(judge, trained):
    data = bytearray((trained / WEIGHTS_NAME).read_bytes())
    data[-1] ^= 1
    (trained / WEIGHTS_NAME).write_bytes(data)
    with pytest.raises(ModelError, match="not the file"):
        begun_with(begin(judge()), trained)


def test_a_folder_without_a_model_is_refused(judge, tmp_path):
    with pytest.raises(InputError, match="no model to begin with"):
        begun_with(begin(judge()), tmp_path)


@pytest.fixture
def toy(tmp_path):
    """A recipe that exports a model, of three steps."""
    (tmp_path / "toy.py").write_text(RECIPE)
    return replace(load_recipe(str(tmp_path / "toy.py")), steps=3, every=Every(0, 1))


def test_another_run_begins_where_a_finished_one_ended(toy, tmp_path):
    data = toy.data(None)
    outcome = fit(toy, tmp_path / "one", data)
    model = export(outcome, exported(toy, data.train.classes))
    fit(toy, tmp_path / "two", data, first=model)
    said = json.loads((tmp_path / "two" / "run.json").read_bytes())
    assert said["first"] == sha256_file(model / WEIGHTS_NAME)
    again = fit(toy, tmp_path / "two", data, start="resume", first=model)
    assert again.training.first == said["first"]
    with pytest.raises(UsageError, match="did not begin with"):
        fit(toy, tmp_path / "one", data, start="resume", first=model)
