"""What a prompt names: the words of captions, and everyday ones that captions never use but that mean one kind."""

from __future__ import annotations

import pytest

from mezzotint.products.asked import asked, kinds
from mezzotint.products.phrases import english_words, words_of
from mezzotint.products.vocabulary import vocabulary

MORE = [(word, kind) for kind, words in vocabulary().asked.items() for word in words]


def kind_of(text: str) -> str | None:
    """The kind that is named."""
    found = asked(text).kind
    return None if found is None else kinds()[found]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a white sink", "kitchen sink"), ("a bathroom sink", "washbasin"), ("two sinks", "kitchen sink"),
        ("a sink cabinet", "cupboard"), ("a glass door", "door"), ("a glass table", "glass table"),
        ("a shower curtain", "curtain"), ("a tv remote control", "remote control"), ("a red fork lift", "forklift"),
        ("a piano bench", "stool"), ("a cell phone", "mobile phone"), ("a red jacuzzi on a wood background", "hot tub"),
    ],
)  # fmt: skip
def test_everyday_words(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a glass door refrigerator", "fridge"), ("basketball shoes", "shoes"), ("a cupcake stand", None),
        ("a sink plunger", None), ("a white board game", None), ("a sedan chair", "chair"),
        ("a wall-mounted basin tap", "tap"), ("a coffee table lamp", "lamp"), ("a desk chair", "chair"),
        ("a cupcake, stand", "cake"), ("a sink red", "kitchen sink"), ("a sink side view", "kitchen sink"),
        ("a sink seen at an angle", "kitchen sink"), ("a lamp on a table", "lamp"), ("lamps tables", "lamp"),
    ],
)  # fmt: skip
def test_a_word_before_the_thing_is_not_the_thing(text: str, kind: str | None) -> None:
    assert kind_of(text) == kind


def test_what_an_emoji_leaves_begins_no_word() -> None:
    assert words_of("\u2764\ufe0fsofa 1\ufe0f\u20e3lamp") == ["sofa", "lamp"]
    assert words_of("\u0938\u094b\u092b\u093c\u093e") == ["\u0938\u094b\u092b\u093c\u093e"]


@pytest.mark.parametrize("text", ["a phone", "a pine", "bamboo", "something short", "milk"])
def test_what_may_be_several_kinds_or_a_material_names_none(text: str) -> None:
    assert kind_of(text) is None


def test_each_means_one_kind_and_is_no_caption_s() -> None:
    said = {word.lower() for words in vocabulary().words.values() for word in words}
    assert len({word for word, _ in MORE}) == len(MORE) > 30
    assert all(word == word.lower() and word not in said and kind_of(f"a {word}") == kind for word, kind in MORE)
    assert all(kind_of(word) == kind for kind, words in vocabulary().words.items() for word in words)
    assert "jacuzzi" not in english_words(), "what models have not read is still said to be new to them"
