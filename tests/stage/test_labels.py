"""Prompts of class-conditional models."""

import pytest

from mezzotint.conditioning.labels import Labels
from mezzotint.errors import ModelError, UsageError

FASHION = Labels(
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    {"T-shirt/top": ("tee",), "Trouser": ("trousers", "pants"), "Sneaker": ("trainer", "running shoe")},
)


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("t-shirt", "T-shirt/top"),
        ("tshirt", "T-shirt/top"),
        ("T Shirt", "T-shirt/top"),
        ("top", "T-shirt/top"),
        ("t-shirt/top", "T-shirt/top"),
        ("tees", "T-shirt/top"),
        ("shirt", "Shirt"),
        ("SNEAKERS", "Sneaker"),
        ("  a sneaker ", "Sneaker"),
        ("the running shoes", "Sneaker"),
        ("an ankle-boot", "Ankle boot"),
        ("dress", "Dress"),
        ("dresses", "Dress"),
        ("pants", "Trouser"),
        ("trouser", "Trouser"),
    ],
)
def test_words_of_a_class(prompt: str, name: str) -> None:
    assert FASHION.names[FASHION.index(prompt)] == name


def test_nothing_is_null() -> None:
    assert FASHION.index("") == FASHION.null == 10
    assert FASHION.null_cond(3)["label"].tolist() == [10, 10, 10]
    assert FASHION.cond(["bag", ""])["label"].tolist() == [8, 10]


@pytest.mark.parametrize(("prompt", "near"), [("sneeker", "Sneaker"), ("boot", "Ankle boot"), ("red dres", "Dress")])
def test_unknown_names_the_nearest(prompt: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"unknown label '{prompt}'; did you mean .*{near}"):
        FASHION.index(prompt)


def test_unknown_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match="this model knows T-shirt/top, Trouser"):
        FASHION.index("qqqq")


def test_a_shared_word_is_the_models_fault() -> None:
    with pytest.raises(ModelError, match="share the word"):
        Labels(("shoe", "boot"), {"boot": ("shoe",)})
