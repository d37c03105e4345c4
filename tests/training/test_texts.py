"""The cache of captions: the same states with and without it, across processes and after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mezzotint.conditioning.text import encoder
from mezzotint.errors import StorageError
from mezzotint.nets import DiTConfig, TextConfig, build
from mezzotint.training.conditioning import trimmed
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


def test_columns_that_no_row_uses_are_cut(texts: CachedTexts) -> None:
    whole = texts(CAPTIONS)
    cut = trimmed(whole)
    longest = int(whole["text_mask"].sum(1).max())
    assert longest < 12
    assert torch.equal(cut["text"], whole["text"][:, :longest])
    assert torch.equal(cut["text_mask"], whole["text_mask"][:, :longest])
    assert cut["text_mask"].any(0).all()


def test_cut_columns_do_not_change_an_answer(texts: CachedTexts) -> None:
    torch.manual_seed(0)
    text = TextConfig(dim=384, mode="in_context", length=12)
    net = build(DiTConfig(size=(8, 8), patch=4, width=32, depth=2, heads=1, text=text))
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.2)
    x, c = torch.randn(4, 1, 8, 8), torch.zeros(4)
    whole = texts(CAPTIONS)
    with torch.no_grad():
        assert torch.allclose(net(x, c, trimmed(whole)), net(x, c, whole), atol=1e-4)


def test_where_nothing_is_told_one_column_stays() -> None:
    none = {"text": torch.ones(2, 5, 3), "text_mask": torch.zeros(2, 5, dtype=torch.bool), "label": torch.ones(2)}
    cut = trimmed(none)
    assert (cut["text"].shape, cut["text_mask"].shape) == ((2, 1, 3), (2, 1))
    assert cut["label"] is none["label"]
    assert trimmed({"label": none["label"]}) == {"label": none["label"]}
