"""``mezzotint.tune``: one photograph, several subjects, every method, models in diffusers' layout."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from tuning_case import photographs

import mezzotint as mz
from mezzotint.errors import PromptBlockedError, UsageError
from mezzotint.making.tuned.words import _steps
from mezzotint.pretrained.adapters import read_adapter
from mezzotint.pretrained.system import describe_system
from mezzotint.training.run import Watch
from mezzotint.tuning.settings import Settings

SHORT = {"steps": 2, "batch": 2, "moments": 1, "n": 2, "prior_pictures": 0, "rank": 2, "dtype": "float32"}


def tuned(photos: Path, model: Path, out: Path, **more: object) -> mz.Tuned:
    return mz.tune(photos, name="acme mug", model=model, out=out, **{**SHORT, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["sd3", pytest.param("sd1", marks=pytest.mark.slow)])
def test_models_in_diffusers_layout_of_one_photograph(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    model, said = request.getfixturevalue(name), []
    made = tuned(photographs(tmp_path / "one", 1), model, tmp_path / "o", watch=Watch(say=said.append))
    assert made.adapter is not None and made.found is not None
    assert any("one photograph: the model will learn its view" in line for line in said)
    assert made.found.seen.startswith("the photographs that were learnt from: give four or more")
    assert read_adapter(made.adapter, describe_system(model)).parts["denoiser"]
    (image,) = mz.generate("an acme mug", model=model, lora=(made.adapter,), steps=1, dtype="float32").images
    (plain,) = mz.generate("an acme mug", model=model, steps=1, dtype="float32").images
    assert image.pixels.shape == plain.pixels.shape and not np.array_equal(image.pixels, plain.pixels)


@pytest.mark.parametrize(
    "method",
    ["dora", "lokr", "oft", *(pytest.param(m, marks=pytest.mark.slow) for m in ("pissa", "loha", "full", "rslora"))],
)
def test_every_method_writes_a_file_that_fits(cascade: Path, mugs: Path, tmp_path: Path, method: str) -> None:
    made = tuned(mugs, cascade, tmp_path / "o", method=method)
    assert made.adapter is not None and read_adapter(made.adapter, describe_system(cascade)).parts["denoiser"]


def test_what_no_file_has_a_form_for_is_refused_before_it_is_learnt(sd3: Path, mugs: Path, tmp_path: Path) -> None:
    seen: list[object] = []
    with pytest.raises(UsageError, match=r"no form for rotations .*choose another --method"):
        tuned(mugs, sd3, tmp_path / "o", method="oft", prior_pictures=2, pictured=lambda *told: seen.append(told))
    assert not seen and not (tmp_path / "o").exists()


def test_a_run_that_is_gone_on_with_keeps_its_own_steps(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text('{"fields": {"steps": 320}}')
    assert _steps(None, tmp_path, resume=True) == 320 and _steps(400, tmp_path, resume=True) == 400
    assert _steps(None, tmp_path, resume=False) == _steps(None, tmp_path / "none", resume=True) == Settings.steps


def test_a_folder_that_was_there_stays(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    for out in (tmp_path / "o", tmp_path / "new"):
        with pytest.raises(UsageError, match="are in no layer's name"):
            tuned(mugs, cascade, out, targets="nothing")
    assert (tmp_path / "o").is_dir() and not (tmp_path / "new").exists()


def test_captions_go_through_the_prompt_gate(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    photos = photographs(tmp_path / "captioned", 2)
    (photos / "0.txt").write_text("an acme mug")
    (photos / "1.txt").write_text("a mug with a naked child on it")
    with pytest.raises(PromptBlockedError, match=r"^1\.txt: the text is blocked: .*caption\)"):
        tuned(photos, cascade, tmp_path / "o")
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_several_subjects_are_held_apart(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    red = photographs(tmp_path / "red", 4, hue=(200, 40, 30))
    made = tuned(mugs, cascade, tmp_path / "o", also=(f"{red}=zorb cup:cup",))
    assert made.found is not None and made.found.subjects == ("acme mug", "zorb cup")
    assert made.found.about["photographs"] == {"acme mug": 4, "zorb cup": 3}
    assert made.found.seen.startswith("2 photographs that were not learnt from")
    apart, step = made.found.separation, made.found.choice.step
    assert apart is not None and apart.names == ("acme mug", "zorb cup")
    own = [of[step].gain for of in made.found.each.values()]  # of each word, held against its own photographs
    assert [apart.gains[k][k].value for k in (0, 1)] == [pytest.approx(one.value) for one in own if one is not None]
    across = [apart.gains[0][1].value, apart.gains[1][0].value]
    # A word's pictures moved otherwise towards another's photographs, and another word's otherwise towards its own.
    assert min(abs(one.value - other) for one in own if one is not None for other in across) > 1e-6


def test_it_stops_between_pictures_and_goes_on(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    made = tuned(mugs, cascade, tmp_path / "o", prior_pictures=2, watch=Watch(stop=lambda: True))
    assert made.adapter is None and made.found is None
    assert not (tmp_path / "o/run").exists()  # the prior's pictures come before the first update
    assert tuned(mugs, cascade, tmp_path / "o", prior_pictures=2, resume=True).adapter is not None


def test_judges_that_are_learnt_from_are_named(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    said: list[str] = []
    stop = Watch(stop=lambda: True, say=said.append)
    tuned(mugs, cascade, tmp_path / "o", judge_by=mugs, prior_pictures=2, watch=stop)
    wanted = "5 of the photographs to judge by are learnt from, 0.png first: none is left, so it is judged by what it"
    assert f"{wanted} learnt from; give others" in said


def test_captions_without_the_name_are_named(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    (mugs / "1.txt").write_text("a blue thing")
    (mugs / "2.txt").write_text("an Acme Mug on a shelf")
    said: list[str] = []
    tuned(mugs, cascade, tmp_path / "o", prior_pictures=2, watch=Watch(stop=lambda: True, say=said.append))
    wanted = "one caption does not say 'acme mug', 1.png's first: prompts of that name will not call what is shown"
    assert wanted in said


def test_words_are_checked(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown method 'lorra'"):
        tuned(mugs, cascade, tmp_path / "o", method="lorra")


@pytest.mark.slow
def test_names_are_pasted_and_shown_as_they_are(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    name = 'mug $(touch x) "best" `touch y`; <b>咖啡 l\'eau'
    made = mz.tune(mugs, name=name, model=cascade, out=tmp_path / "o p", **SHORT)  # type: ignore[arg-type]
    assert made.found is not None
    line = shlex.split(made.found.use)
    assert line[:2] == ["mezzotint", "generate"] and line[2].endswith(f"{name} on a blue background")
    assert line[-1] == str(tmp_path / "o p/adapter.safetensors")
    assert "<b>" not in (tmp_path / "o p/report.html").read_text()
