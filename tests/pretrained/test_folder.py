"""The model folder: what is saved comes back; what is wrong is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from mezzotint.errors import InputError, MezzotintError, ModelError, UsageError
from mezzotint.nets.build import build, config_from_dict
from mezzotint.pretrained.folder import CARD_NAME, JSON_NAME, describe, load_model, save_model
from mezzotint.pretrained.model import load
from mezzotint.pretrained.plan import plan, preset
from mezzotint.pretrained.spec import Card, Label, from_dict, to_dict
from mezzotint.pretrained.stage_model import parametrisation_of, schedule_of
from mezzotint.pretrained.store import find, models


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "copy")


def test_round_trip(tiny: Path, tmp_path: Path) -> None:
    spec = describe(tiny).spec
    net = build(config_from_dict(dict(spec.net)))
    save_model(tmp_path / "m", net.state_dict(), spec)
    loaded = load_model(tmp_path / "m")
    assert loaded.described.spec == spec
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value), name
    assert not loaded.network.training and not any(p.requires_grad for p in loaded.network.parameters())


def test_saving_twice_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    loaded = load_model(tiny)
    for name in ("a", "b"):
        save_model(tmp_path / name, loaded.network.state_dict(), loaded.described.spec, torch.bfloat16)
    for path in (tmp_path / "a").iterdir():
        if path.name != CARD_NAME:
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_the_spec_is_json_and_back(tiny: Path) -> None:
    spec = describe(tiny).spec
    assert from_dict(json.loads(json.dumps(to_dict(spec)))) == spec


def test_the_card_is_readable(tiny: Path) -> None:
    text = (tiny / CARD_NAME).read_text()
    assert text.startswith("# Tiny\n") and "Licence: CC0-1.0" in text
    assert "mezzotint generate PROMPT --model tiny" in text


def edit(folder: Path, **changes: object) -> None:
    path = folder / JSON_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": "mezzotint/model/9"}, "has schema 'mezzotint/model/9'"),
        ({"spare": 1}, "unknown key 'spare'"),
        ({"weights": {}}, "weights must have sha256 and bytes"),
        ({"sampling": {"draft": {}}}, "'standard'"),
        ({"sampling": {"standard": {"solver": "ddim", "grid": "karras", "steps": 4}}}, "sampling.standard.grid"),
        ({"sampling": {"standard": {"solver": "ddim", "grid": {"name": "karras"}}}}, "steps"),
        ({"card": {"title": "x"}}, "summary"),
        ({"codec": 3}, "codec"),
        ({"shape": [1, 8.5, 8]}, "shape: expected 1 to 5 sizes"),
        ({"shape": [16000, 16000, 16000]}, "has more than"),
        ({"net": {"kind": "dit", "width": 10**9}}, "width is 1000000000"),
        ({"labels": [{"name": 3}]}, "must be texts"),
        ({"labels": [{"name": "a"}, {"nam": "b"}]}, "unknown key 'nam'"),
    ],
)
def test_a_wrong_model_json_is_named(copy: Path, changes: dict[str, object], said: str) -> None:
    edit(copy, **changes)
    with pytest.raises(ModelError, match=said) as fault:
        describe(copy)
    assert "\n" not in str(fault.value) and str(copy) in str(fault.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parametrisation": {"name": "epss"}}, "unknown parametrisation 'epss'"),
        ({"parametrisation": {"name": "v", "sigma_data": 1}}, "v has no options"),
        ({"parametrisation": {"name": "edm", "sigma": 1}}, "sigma"),
        ({"schedule": {"name": "cosin"}}, "did you mean cosine"),
        ({"schedule": {"name": "flow", "shfit": 2}}, "shfit"),
        ({"net": {"kind": "mlp"}}, "kind must be one of"),
        ({"net": {"kind": "dit", "width": "wide"}}, "cannot be built"),
    ],
)
def test_a_choice_that_is_not_one(copy: Path, changes: dict[str, object], said: str) -> None:
    edit(copy, **changes)
    with pytest.raises(MezzotintError, match=said):
        spec = load_model(copy).described.spec
        schedule_of(spec)
        parametrisation_of(spec)


def test_a_folder_that_is_none(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(InputError, match="not a model folder"):
        describe(tmp_path)
    (copy / JSON_NAME).write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        describe(copy)


def test_a_table_model_is_fed_its_index(tiny: Path) -> None:
    from dataclasses import replace

    table = replace(describe(tiny).spec, parametrisation={"name": "eps"}, schedule={"name": "scaled_linear"})
    made = plan(table, solver="ddim", steps=10)
    told = parametrisation_of(table)(made.levels[:-1]).noise
    assert torch.equal(told, made.levels.index[:-1]) and told[0] == 999


def test_presets(tiny: Path) -> None:
    spec = describe(tiny).spec
    assert preset(spec, "draft").steps == 2 and preset(spec, "standard").steps == 4
    assert preset(spec, "best").steps == 8, "twice the standard where the model says nothing"
    with pytest.raises(UsageError, match="unknown quality"):
        preset(spec, "good")


def test_a_solver_brings_its_own_grid_only_where_it_has_one(tiny: Path) -> None:
    spec = describe(tiny).spec
    assert plan(spec, solver="euler").grid_choice == {"name": "uniform"}
    made = plan(spec, solver="DPM++ 2M Exponential:sigma_min=0.02,sigma_max=0.9")
    assert made.grid_choice == {"name": "exponential", "sigma_min": 0.02, "sigma_max": 0.9}
    assert made.solver_choice["name"] == "dpmpp-2m"
    with pytest.raises(UsageError, match="above 1, where a rectified flow is pure noise"):
        plan(spec, solver="DPM++ 2M Exponential:sigma_min=0.02,sigma_max=40")


def test_changed_weights_are_refused(copy: Path) -> None:
    path = copy / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="the weights were changed or damaged"):
        load_model(copy)


def test_store(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    shutil.copytree(tiny, tmp_path / "models" / "mine")
    names = {m.name: m for m in models()}
    assert names["mine"].origin == "home" and names["mine"].system is not None
    assert find("mine") == tmp_path / "models" / "mine" == find(str(tmp_path / "models" / "mine"))
    assert load("mine").name == "mine"
    with pytest.raises(UsageError, match="did you mean mine"):
        find("mime")
    with pytest.raises(InputError, match="no model at"):
        find("./mine")


def test_shared_words_are_refused() -> None:
    from mezzotint.pretrained.spec import labels_of

    with pytest.raises(ModelError, match="share the word"):
        labels_of((Label("a"), Label("b", ("a",))))


def test_cards_need_a_licence() -> None:
    with pytest.raises(TypeError):
        Card("title", "summary")  # type: ignore[call-arg]
