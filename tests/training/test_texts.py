"""The cache of captions: the same states with and without it, across processes and after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mezzotint.conditioning.text import encoder
from mezzotint.errors import StorageError
from mezzotint.training.texts import CachedTexts

CAPTIONS = ["a red armchair on a beige background", "oak table", "", "a red armchair on a beige background"]


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CachedTexts:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    return CachedTexts("minilm", 12)


def test_states_are_the_encoders(texts: CachedTexts) -> None:
    found = texts(CAPTIONS)
    want = encoder("minilm").states(CAPTIONS, 12, 12)
    assert torch.equal(found["text_mask"], want["text_mask"])
    scale = want["text"].abs().amax(-1, keepdim=True)
    assert ((found["text"] - want["text"]).abs() <= 0.006 * scale + 1e-4).all()
    assert torch.equal(found["text"][0], found["text"][3])


def test_the_second_time_is_equal_to_the_bit(texts: CachedTexts, monkeypatch: pytest.MonkeyPatch) -> None:
    first = texts(CAPTIONS)
    again = CachedTexts("minilm", 12)
    monkeypatch.setattr(type(again._encoder), "states", lambda *_: pytest.fail("not from the cache"))
    second = again(CAPTIONS)
    assert torch.equal(first["text"], second["text"]) and torch.equal(first["text_mask"], second["text_mask"])


def test_long_captions_are_cut(texts: CachedTexts) -> None:
    assert texts(["word " * 40])["text_mask"].sum() == 12


def test_a_damaged_cache_is_named(texts: CachedTexts) -> None:
    texts._path.write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="delete it, it is made again"):
        texts(CAPTIONS)
