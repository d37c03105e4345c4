"""Long prompts in chunks, emphasis, and prompts of several lengths in one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.pretrained.components import components
from mezzotint.pretrained.families.clip import MAX_CHUNKS, Token, Tower, chunks_of, emphasised, tower

LONG = ", ".join(["red chair"] * 30)


@pytest.fixture(scope="module")
def clip(sd1: Path) -> Tower:
    found = components(sd1)
    return tower(found["tokenizer"], found["text_encoder"])


def test_a_long_prompt_is_its_chunks_one_after_the_other(clip: Tower) -> None:
    first, *others = clip.chunks(LONG)
    assert len(others) >= 1 and len(first) <= 75 and sum(len(c) for c in clip.chunks(LONG)) > 75
    states = clip.states([LONG]).text
    assert states.shape[1] == 77 * (1 + len(others))
    together = clip.states([LONG, "red"])
    assert torch.equal(together.text[:1], states)
    short = clip.states(["red"]).text
    torch.testing.assert_close(together.text[1:, :77], short, rtol=0, atol=1e-6)
    torch.testing.assert_close(together.text[1:, 77:154], clip.states([""]).text, rtol=0, atol=1e-6)
    assert torch.equal(together.pooled[:1], clip.states([LONG]).pooled)


def test_break_begins_a_chunk(clip: Tower) -> None:
    found = clip.states(["red BREAK chair"]).text
    expected = torch.cat([clip.states([word]).text for word in ("red", "chair")], 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_chunks_end_at_commas_near_their_end() -> None:
    comma = 7
    tokens = [Token(comma if i in (10, 60) else 1, 1.0) for i in range(100)]
    assert [len(c) for c in chunks_of(tokens, 75, comma)] == [61, 39]
    assert [len(c) for c in chunks_of([t for t in tokens if t.id == 1], 75, comma)] == [75, 23]
    assert chunks_of([], 75, comma) == [()]


def test_emphasis_makes_states_larger_and_keeps_the_mean(clip: Tower) -> None:
    plain, strong = (clip.states([p]).text for p in ("a red chair", "a (red:1.5) chair"))
    ids = [t.id for t in clip.chunks("a red chair")[0]]
    assert [t.id for t in clip.chunks("a (red:1.5) chair")[0]] == ids, "brackets are no tokens"
    ratio = (strong / plain)[0].median(-1).values
    assert ratio[0] == 1, "states of no mean keep their size"
    k = 1 + next(i for i, t in enumerate(clip.chunks("a (red:1.5) chair")[0]) if t.weight != 1)
    assert ratio[k] / ratio[0] == pytest.approx(1.5, rel=1e-3)
    weights = torch.ones(1, plain.shape[1], 1)
    assert torch.equal(emphasised(plain, weights), plain)
    weights[0, k] = 3.0
    shifted = plain + 0.3
    found = emphasised(shifted, weights)
    assert found.mean().item() == pytest.approx(shifted.mean().item(), rel=1e-4)
    assert (found[0, k] / found[0, 0] / (shifted[0, k] / shifted[0, 0])).median() == pytest.approx(3.0, rel=1e-4)


def test_emphasis_changes_the_picture_and_one_is_none(sd1: Path) -> None:
    def made(prompt: str) -> np.ndarray:
        return mz.generate(prompt, model=sd1, seed=1, steps=2).images[0].pixels

    assert np.array_equal(made("a (red:1.0) chair"), made("a red chair"))
    assert not np.array_equal(made("a (red:1.6) chair"), made("a red chair"))


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_prompts_of_several_lengths_in_one_run_are_those_alone(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    prompts = ["a red chair", LONG, "ch", LONG + ", x"]
    job = mz.prepare(prompts, model=folder, seed=3, steps=2, batch=2, negative_prompt="blue")
    assert [len(b) for b in job.batches] == [1, 1, 1, 1]
    found = [e.pixels for e in mz.stream(job) if isinstance(e, mz.Image)]
    for k, prompt in enumerate(prompts):
        alone = mz.generate(prompt, model=folder, seed=3 + k, steps=2, batch=2, negative_prompt="blue").images[0]
        assert np.array_equal(alone.pixels, found[k])


def test_words_beyond_the_last_chunk_are_named(clip: Tower, sd1: Path) -> None:
    endless = "red " * (75 * MAX_CHUNKS) + "zebra"
    assert len(clip.chunks(endless)) == MAX_CHUNKS and clip.dropped(endless).endswith("zebra")
    (note,) = mz.prepare(endless, model=sd1).notes
    assert note.endswith("zebra")


def test_flow_transformers_read_brackets_as_they_are(sd3: Path) -> None:
    found = components(sd3)
    plain = tower(found["tokenizer"], found["text_encoder"], "penultimate", plain=True)
    assert len(plain.chunks("(red)")[0]) == len(plain.chunks("red")[0]) + 2 and len(plain.chunks(LONG * 9)) == 1


TOO_LONG = "a red chair, " * 100
"""More than eight chunks of 75 tokens of the tiny tokenizer."""


def test_receipts_count_the_tokens(sd1: Path, sd3: Path) -> None:
    job = mz.prepare("red ch", model=sd1, negative_prompt="a", steps=1)
    assert [t.said for t in job.pictures[0].told.tokens] == [
        {"encoder": "text_encoder", "text": "prompt", "used": 3, "dropped": 0, "lost": ""},
        {"encoder": "text_encoder", "text": "negative_prompt", "used": 1, "dropped": 0, "lost": ""},
    ]
    assert job.made(job.pictures[0]).tokens[0]["used"] == 3
    many = mz.prepare(TOO_LONG, model=sd3, size="32x32", steps=1).pictures[0].told.tokens
    assert {t.encoder for t in many} == {"text_encoder", "text_encoder_2", "text_encoder_3"}
    for one in many:
        assert one.used + one.dropped > one.used > 0 and one.lost


def test_strict_makes_a_drop_an_error(sd1: Path) -> None:
    mz.prepare("a red chair", model=sd1, steps=1, strict=True)
    with pytest.raises(UsageError, match=r"strict: text_encoder has no room for \d+ tokens at the end of the prompt"):
        mz.prepare(TOO_LONG, model=sd1, steps=1, strict=True)
    with pytest.raises(UsageError, match="end of the negative prompt"):
        mz.prepare("a", negative_prompt=TOO_LONG, model=sd1, steps=1, strict=True)
