"""Side-cars: the same solver back to the bit, for its own model alone; other words warn and fall back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from mezzotint.diffusion.solver.learned import backbone
from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.fewstep.parameters import Layout, fixed
from mezzotint.pretrained.folder import describe
from mezzotint.pretrained.learned import Asked, plan_of
from mezzotint.pretrained.sidecar import SideCar, from_dict, home_of, kept, read, to_dict, write
from mezzotint.pretrained.store import find

U = torch.tensor([0.98, 0.7, 0.3, 0.05, 0.003], dtype=torch.float64)


@pytest.fixture
def described(tmp_path, monkeypatch):
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    bare = tmp_path / "bare"  # without the solvers that ship
    bare.mkdir()
    return replace(describe(find("fashion")), folder=bare)


@pytest.fixture
def car(described):
    theta = 0.1 * torch.randn(Layout(4).size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    solver, u = fixed(theta, U)
    return SideCar(
        "fashion", described.weights_sha256, 1.0, (1, 28, 28), "float32", solver, tuple(u.tolist()), {"a": 1}
    )


def test_it_comes_back_to_the_bit_and_is_small(described, car):
    path = write(car)
    assert read(path, described.weights_sha256) == car
    assert torch.equal(read(path, described.weights_sha256).levels.sigma, car.levels.sigma)
    assert path.stat().st_size < 4096 and kept(described) == {(4, 1.0): path}


def test_those_that_ship_are_for_the_weights_that_ship(described):
    described = describe(find("fashion"))
    found = kept(described)
    assert set(found) == {(4, 1.0), (6, 1.0)}
    for (calls, scale), path in found.items():
        one = read(path, described.weights_sha256)
        assert (one.calls, one.scale, path.parent.parent) == (calls, scale, described.folder)


def test_that_of_another_model_is_refused(described, car):
    path = write(car)
    with pytest.raises(ModelError, match=r"made for fashion with weights 0dc919cd5432…, this model's are ffff"):
        read(path, "f" * 64)


def damaged(name):
    def spoil(value):
        for part in name[:-1]:
            value = value[part]
        value[name[-1]] = [0.1, 0.2, 0.3, 0.4, 0.5] if name == ["u"] else "x"

    return spoil


@pytest.mark.parametrize(
    "change",
    [
        damaged(["u"]),
        damaged(["answers"]),
        damaged(["answers", 1]),
        damaged(["states", 1, 0]),
        damaged(["shifts", 0]),
        lambda value: value.pop("shifts"),
        lambda value: value["u"].pop(),
        lambda value: value["shifts"].append(0.0),
        lambda value: value["states"][0].append(0.0),
        lambda value: value["u"].__setitem__(-1, 0.0),
        lambda value: value["u"].__setitem__(0, 1.5),
        lambda value: value["answers"][0].__setitem__(0, 1e300),
        lambda value: value["answers"][0].__setitem__(0, float("nan")),
        lambda value: value.__setitem__("schema", "mezzotint/solver/9"),
        lambda value: value.pop("schema"),
    ],
)
def test_a_damaged_one_is_one_line(car, tmp_path, change):
    value = json.loads(json.dumps(to_dict(car)))
    change(value)
    path = tmp_path / "4-1.json"
    path.write_text(json.dumps(value))
    with pytest.raises(ModelError, match=r"side-car|schema"):
        read(path, car.weights_sha256)


def test_what_is_no_json_and_what_is_not_there(tmp_path):
    path = tmp_path / "4-1.json"
    with pytest.raises(InputError, match="cannot read"):
        read(path, "")
    path.write_text("{")
    with pytest.raises(ModelError, match="is not JSON"):
        read(path, "")


def test_a_receipts_content_makes_it_again(car):
    solver, grid = car.choices
    stage = {"model": "fashion", "weights_sha256": car.weights_sha256, "solver": solver, "grid": grid, "scale": 1.0}
    receipt = {"schema": "mezzotint/receipt/2", "made": {"stages": [{**stage, "batch": [4, 1, 28, 28]}], "main": 0}}
    receipt["made"]["dtype"] = "float32"
    again = from_dict(json.loads(json.dumps(receipt)), "receipt")
    assert replace(again, measured=car.measured) == car
    receipt["made"]["stages"][0]["classifier"] = {"scale": 45.0, "sha256": "0" * 64}
    assert from_dict(receipt, "receipt").classifier_scale == 45, "of a picture that was guided so"


def test_the_plan_of_learned_is_the_side_cars(described, car):
    write(car)
    for asked in (Asked(solver="learned"), Asked(solver="learned", steps=4), Asked(solver="learned", scale=1.0)):
        plan, why = plan_of(described, described.spec, asked)
        assert why == "" and plan.solver == car.solver and plan.calls == (1, 1, 1, 1)
        assert torch.equal(plan.levels.sigma, car.levels.sigma) and plan.solver_choice["name"] == "learned"


def test_the_users_own_hides_what_came_with_the_model(described, car, tmp_path):
    own = tmp_path / "model" / "solvers"
    own.mkdir(parents=True)
    other = replace(car, solver=backbone(4))
    (own / "4-1.json").write_text(json.dumps(to_dict(other)))
    moved = replace(described, folder=own.parent)
    assert plan_of(moved, described.spec, Asked(solver="learned"))[0].solver == backbone(4)
    write(car)
    assert plan_of(moved, described.spec, Asked(solver="learned"))[0].solver == car.solver


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(solver="learned", scale=2.0), "made for scale 1, not 2"),
        (Asked(solver="learned", changed=True), "without what is put on it"),
        (Asked(solver="learned", guided=True), "usual guidance at every level"),
        (Asked(solver="learned", classifier_scale=45.0), "made without classifier guidance"),
        (Asked(solver="learned", negative=True), "without a negative prompt"),
        (Asked(solver="learned", cache=0.1), "with every block of the network run"),
    ],
)
def test_other_words_fall_back_and_say_why(described, car, asked, why):
    write(car)
    plan, remark = plan_of(described, described.spec, asked)
    usual, _ = plan_of(described, described.spec, replace(asked, solver=None))
    assert why in remark and plan.solver == usual.solver and plan.steps == usual.steps


def test_one_that_was_made_at_a_classifier_scale_is_for_that_alone(described, car):
    write(replace(car, classifier_scale=45.0))
    assert plan_of(described, described.spec, Asked(solver="learned", classifier_scale=45.0))[1] == ""
    for other in (0.0, 30.0):
        remark = plan_of(described, described.spec, Asked(solver="learned", classifier_scale=other))[1]
        assert f"made at classifier scale 45, not {other:g}" in remark


def test_no_cache_at_all_is_every_block(described, car):
    write(car)
    assert plan_of(described, described.spec, Asked(solver="learned", cache=0.0))[1] == ""


def test_another_size_falls_back(described, car):
    write(car)
    larger = replace(described.spec, shape=(1, 32, 32))
    assert "made for states of (1, 28, 28)" in plan_of(described, larger, Asked(solver="learned"))[1]


def test_a_file_for_another_scale_falls_back_and_for_another_model_is_refused(described, car, tmp_path):
    path = write(replace(car, scale=3.0))
    said = f"learned:from={path}"
    assert "made for scale 3, not 1" in plan_of(described, described.spec, Asked(solver=said))[1]
    assert plan_of(described, described.spec, Asked(solver=said, scale=3.0))[1] == ""
    with pytest.raises(ModelError, match="make one for it"):
        plan_of(replace(described, weights_sha256="e" * 64), described.spec, Asked(solver=said))


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (Asked(solver="learned", steps=7), r"no learned solver of 7 steps but of 4; .*--calls 7"),
        (Asked(solver="learned", grid="karras"), "has its own grid"),
        (Asked(solver="learned:eta=1"), "expected learned, or learned:from=FILE"),
    ],
)
def test_words_that_cannot_be_are_one_line(described, car, asked, what):
    write(car)
    with pytest.raises(UsageError, match=what):
        plan_of(described, described.spec, asked)


def test_none_at_all_says_how_to_make_one(described):
    with pytest.raises(UsageError, match="has no learned solver; make one with `mezzotint calibrate fashion"):
        plan_of(replace(described, folder=home_of("x")), described.spec, Asked(solver="learned"))
