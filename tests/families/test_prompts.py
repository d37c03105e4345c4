"""Long prompts in chunks, emphasis, and prompts of several lengths in one run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from checkpoints import stable_diffusion_xl_refiner

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import start
from mezzotint.errors import UsageError
from mezzotint.governance.receipt import write_receipt
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
    states = clip.states([LONG], torch.float32).text
    assert states.shape[1] == 77 * (1 + len(others))
    together = clip.states([LONG, "red"], torch.float32)
    assert torch.equal(together.text[:1], states)
    short = clip.states(["red"], torch.float32).text
    torch.testing.assert_close(together.text[1:, :77], short, rtol=0, atol=1e-6)
    torch.testing.assert_close(together.text[1:, 77:154], clip.states([""], torch.float32).text, rtol=0, atol=1e-6)
    assert torch.equal(together.pooled[:1], clip.states([LONG], torch.float32).pooled)


def test_break_begins_a_chunk(clip: Tower) -> None:
    found = clip.states(["red BREAK chair"], torch.float32).text
    expected = torch.cat([clip.states([word], torch.float32).text for word in ("red", "chair")], 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_chunks_end_at_commas_near_their_end() -> None:
    comma = 7
    tokens = [Token(comma if i in (10, 60) else 1, 1.0) for i in range(100)]
    assert [len(c) for c in chunks_of(tokens, 75, comma)] == [61, 39]
    assert [len(c) for c in chunks_of([t for t in tokens if t.id == 1], 75, comma)] == [75, 23]
    assert chunks_of([], 75, comma) == [()]


def test_emphasis_makes_states_larger_and_keeps_the_mean(clip: Tower) -> None:
    plain, strong = (clip.states([p], torch.float32).text for p in ("a red chair", "a (red:1.5) chair"))
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


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_prompts_of_several_lengths_in_one_run_are_those_alone(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    prompts = ["a red chair", LONG, "ch", LONG + ", x"]
    job = mz.prepare(request_of(prompts, model=folder, seed=3, steps=2, batch=2, negative_prompt="blue"))
    assert [len(b) for b in job.batches] == [1, 1, 1, 1]
    found = [e.pixels for e in mz.stream(job) if isinstance(e, mz.Image)]
    for k, prompt in enumerate(prompts):
        alone = mz.generate(prompt, model=folder, seed=3 + k, steps=2, batch=2, negative_prompt="blue").images[0]
        assert np.array_equal(alone.pixels, found[k])


def test_words_beyond_the_last_chunk_are_named(clip: Tower, sd1: Path) -> None:
    endless = "red " * (75 * MAX_CHUNKS) + "zebra"
    assert len(clip.chunks(endless)) == MAX_CHUNKS and clip.dropped(endless).endswith("zebra")
    (note,) = mz.prepare(request_of(endless, model=sd1)).notes
    assert note.endswith("zebra")


def test_flow_transformers_read_brackets_as_they_are(sd3: Path) -> None:
    found = components(sd3)
    plain = tower(found["tokenizer"], found["text_encoder"], "penultimate", plain=True)
    assert len(plain.chunks("(red)")[0]) == len(plain.chunks("red")[0]) + 2 and len(plain.chunks(LONG * 9)) == 1


TOO_LONG = "a red chair, " * 100
"""More than eight chunks of 75 tokens of the tiny tokenizer."""


def test_receipts_count_the_tokens(sd1: Path, sd3: Path) -> None:
    job = mz.prepare(request_of("red ch", model=sd1, negative_prompt="a", steps=1))
    assert [t.said for t in job.pictures[0].told.tokens] == [
        {"encoder": "text_encoder", "text": "prompt", "used": 3, "dropped": 0, "lost": ""},
        {"encoder": "text_encoder", "text": "negative_prompt", "used": 1, "dropped": 0, "lost": ""},
    ]
    assert job.made(job.pictures[0]).tokens[0]["used"] == 3
    many = mz.prepare(request_of(TOO_LONG, model=sd3, size="32x32", steps=1)).pictures[0].told.tokens
    assert {t.encoder for t in many} == {"text_encoder", "text_encoder_2", "text_encoder_3"}
    for one in many:
        assert one.used + one.dropped > one.used > 0 and one.lost


def test_strict_makes_a_drop_an_error(sd1: Path) -> None:
    mz.prepare(request_of("a red chair", model=sd1, steps=1, strict=True))
    with pytest.raises(UsageError, match=r"strict: text_encoder has no room for \d+ tokens at the end of the prompt"):
        mz.prepare(request_of(TOO_LONG, model=sd1, steps=1, strict=True))
    with pytest.raises(UsageError, match="end of the negative prompt"):
        mz.prepare(request_of("a", negative_prompt=TOO_LONG, model=sd1, steps=1, strict=True))


EACH = {"prompt_2": "a blue vase", "negative_prompt_2": "ch ch", "prompt_3": "red red red", "negative_prompt_3": "x, y"}


@pytest.mark.parametrize("family", ["sdxl", "sd3", "flux_dev"])
def test_each_encoder_reads_its_own_text_as_in_diffusers(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    mine = EACH if family == "sd3" else {k: v for k, v in EACH.items() if k.endswith("_2")}
    mine = {k: v for k, v in mine.items() if family != "flux_dev" or k == "prompt_2"}
    away = {} if family == "flux_dev" else {"negative_prompt": "blue"}
    words: dict[str, Any] = {"model": folder, "seed": 3, "steps": 3, "scale": 4.0, "size": "32x32", **away}
    job = mz.prepare(request_of("a red chair", **words, **mine))
    begin = start(Noise((3,)), (4, 16, 16), job.stages[0].plan.levels)
    begin = Noise((3,))(0, (1, 4, 16, 16)).float() if family == "sdxl" else begin
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder)
        pipe.set_progress_bar_config(disable=True)
        packs = family == "flux_dev"
        theirs = pipe(
            "a red chair", **mine, **away, num_inference_steps=3, guidance_scale=4.0, height=32, width=32,
            latents=pipe._pack_latents(begin, 1, 4, 16, 16) if packs else begin, output_type="latent",
        ).images  # fmt: skip
        theirs = pipe._unpack_latents(theirs, 32, 32, pipe.vae_scale_factor) if packs else theirs
    found = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]
    assert (found - theirs).abs().max() < 1e-4 * max(1.0, float(theirs.abs().max()))
    for name in mine:
        less = mz.prepare(request_of("a red chair", **words, **{k: v for k, v in mine.items() if k != name}))
        other = [e.state.x for e in mz.stream(less) if isinstance(e, mz.Progress)][-1]
        assert (other - found).abs().max() > 1e-4, name


def test_a_text_for_one_encoder_is_in_receipt_and_command(sd3: Path, tmp_path: Path) -> None:
    image = mz.generate("a red chair", model=sd3, size="32x32", steps=1, negative_prompt="blue", **EACH).images[0]
    made = image.receipt.made
    assert made.apart == EACH and (made.prompt, made.negative_prompt) == ("a red chair", "blue")
    used = {(one["encoder"], one["text"]): one["used"] for one in made.tokens}
    assert used["text_encoder_3", "prompt"] != used["text_encoder", "prompt"]
    files = write_receipt(tmp_path, image.receipt), image.save(tmp_path / "a.png", embed_prompt=True)
    for file in files:
        assert {f"--{k.replace('_', '-')}={v}" for k, v in EACH.items()} <= set(mz.read(file).arguments)


def test_a_text_for_an_encoder_that_is_not_there(sd1: Path, sdxl: Path, sd3_without_t5: Path, tmp_path: Path) -> None:
    refiner = stable_diffusion_xl_refiner(tmp_path)
    faults: list[tuple[str | Path, str, str]] = [
        (sd1, "prompt_2", "--prompt-2 is for text encoder 2 and the model has one text encoder; leave it out"),
        (sdxl, "prompt_3", "--prompt-3 is for text encoder 3 and the model has 2 of them"),
        (sdxl, "negative_prompt_3", "--negative-prompt-3 is for"), (sd3_without_t5, "prompt_3", "has 2 of them"),
        (refiner, "prompt_2", "--refiner to a base"), ("fashion", "prompt_2", "has one text encoder"),
    ]  # fmt: skip
    for model, name, said in faults:
        with pytest.raises(UsageError, match=said):
            mz.prepare(request_of("sneaker", model=model, **{name: "red"}))
    plain, told = (
        mz.generate("a red chair", model=sdxl, refiner=refiner, steps=4, **more).images[0].pixels
        for more in ({}, {"prompt_2": "blue"})
    )
    assert not np.array_equal(plain, told)
