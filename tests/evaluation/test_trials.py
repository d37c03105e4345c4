"""The trial of a data folder: a model is asked for what each held-out picture shows, whatever folders are called."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mezzotint.errors import UsageError
from mezzotint.making.trials import trial_for
from mezzotint.pretrained.system import describe_system

GREYS = {"T-shirt/top": 40, "Sneaker": 120, "Ankle boot": 200}
"""Of the pictures of each class of the tiny model, in its order."""


def folders(place, named, n=6):
    """Pictures in class folders, as a grey says which.   named: folder -> class."""
    for part in ("train", "validation"):
        for name, label in named.items():
            (place / part / name).mkdir(parents=True)
            for k in range(n):
                Image.new("L", (8, 8), GREYS[label]).save(place / part / name / f"{k}.png")
    return place


@pytest.mark.parametrize(
    "named",
    [
        {"ankle-boot": "Ankle boot", "Sneaker": "Sneaker", "t-shirt": "T-shirt/top"},
        {"sneakers": "Sneaker", "An ankle boot": "Ankle boot", "tee": "T-shirt/top"},
    ],
)
def test_class_folders_are_found_by_their_names(tiny, tmp_path, named):
    found = trial_for(describe_system(tiny), folders(tmp_path, named), 6 * len(named))
    shown = [GREYS[prompt] for prompt in found.prompts]
    assert found.reference.float().mean((1, 2, 3)).tolist() == shown and set(shown) == {
        GREYS[c] for c in named.values()
    }


@pytest.mark.parametrize(
    ("folder", "what"),
    [("k00", "class folder 'k00': unknown label 'k00'; this model knows T-shirt/top"), ("--", "'--' names no class")],
)
def test_a_folder_that_is_no_class_of_the_model_is_named(tiny, tmp_path, folder, what):
    data = folders(tmp_path, {"Sneaker": "Sneaker", folder: "Ankle boot"})
    with pytest.raises(UsageError, match=what):
        trial_for(describe_system(tiny), data, 4)


@pytest.mark.parametrize("label", [3, -1])
def test_a_class_number_that_the_model_has_not_is_one_line(tiny, tmp_path, label):
    for part in ("train", "validation"):
        (tmp_path / part).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / part / "a.png")
        (tmp_path / part / "metadata.jsonl").write_text(f'{{"file_name": "a.png", "label": {label}}}\n')
    with pytest.raises(UsageError, match=rf"a.png is of class number {label}, and tiny.* has 0 to 2; sort") as said:
        trial_for(describe_system(tiny), tmp_path, 1)
    assert "\n" not in str(said.value)


def test_as_many_pictures_as_are_asked_for_or_none(tiny, tmp_path):
    data = folders(tmp_path, {"Sneaker": "Sneaker", "ankle boot": "Ankle boot"})
    for name in ("Sneaker", "ankle boot"):
        (data / "validation" / name / "0.png").write_bytes(b"damaged")
    assert len(trial_for(describe_system(tiny), data, 10).reference) == 10, "damaged ones are passed over"
    with pytest.raises(UsageError, match="has 10 held-out pictures that can be read; expected at most so many with -n"):
        trial_for(describe_system(tiny), data, 11)


def test_the_order_of_a_trial_is_not_that_of_the_folder(tiny, tmp_path):
    data = folders(tmp_path, {"Sneaker": "Sneaker", "ankle boot": "Ankle boot"}, 30)
    assert 5 < np.sum([p == "Sneaker" for p in trial_for(describe_system(tiny), data, 30).prompts]) < 25
