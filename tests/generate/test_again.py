"""A picture that is none is made once more, from its other seed; twice none has failed, and is not called blocked."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import request_of

from mezzotint.cli import run as command
from mezzotint.diffusion.philox import MAX_SEED
from mezzotint.errors import GenerationFailedError, NonFiniteError
from mezzotint.making import run as runs
from mezzotint.making.again import AWAY, other
from mezzotint.making.image import Image
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.released import Withheld

Events = Iterator[Any]
Sampler = Callable[[Job], Events]


@pytest.fixture(scope="module")
def job(tiny: Path) -> Job:
    return prepare(request_of("sneaker", model=tiny, steps=2, n=3, seed=5, batch=2))


def black(seeds: Collection[int], sampled: Sampler, asked: list[int]) -> Sampler:
    """The sampler, with nothing to see in pictures of some seeds."""

    def blackened(job: Job) -> Events:
        for event in sampled(job):
            if isinstance(event, Image):
                asked.append(event.seed)
                event = event.showing(event.pixels * 0) if event.seed in seeds else event
            yield event

    return blackened


def broken(seeds: Collection[int], sampled: Sampler) -> Sampler:
    """The sampler, whose numbers are none in a batch that has one of some seeds."""

    def breaking(job: Job) -> Events:
        for batch in job.batches:
            if any(one.seed in seeds for one in batch):
                raise NonFiniteError("a state to decode is not finite")
            yield from sampled(replace(job, pictures=batch))

    return breaking


def images(job: Job) -> list[Image]:
    return [event for event in runs.stream(job) if isinstance(event, Image)]


@pytest.fixture(scope="module")
def plain(job: Job) -> dict[int, Any]:
    """Pixels by seed, of the job and of its other seeds."""
    also = replace(job, pictures=tuple(map(other, job.pictures)))
    return {one.seed: one.pixels for one in (*images(job), *images(also))}


def same(found: list[Image], plain: dict[int, Any], *seeds: int) -> None:
    assert [one.seed for one in found] == list(seeds) == [one.receipt.made.seed for one in found]
    assert all(np.array_equal(one.pixels, plain[one.seed]) for one in found)


def test_an_empty_picture_is_made_once_more(job: Job, plain: dict[int, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(runs, "sampled", black([6], runs.sampled, asked))
    same(images(job), plain, 5, 6 + AWAY, 7)
    assert asked == [5, 6, 6 + AWAY, 7]


def test_numbers_that_are_none_cost_their_batch_mates_nothing(
    job: Job, plain: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "sampled", broken([6], runs.sampled))
    same(images(job), plain, 5, 6 + AWAY, 7)


def test_twice_none_has_failed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(runs, "sampled", broken([6, 6 + AWAY], runs.sampled))
        with pytest.raises(GenerationFailedError, match=f"with seeds 6 and {6 + AWAY}: a state to decode") as error:
            images(job)
    assert error.value.code == "generation_failed"
    asked: list[int] = []
    monkeypatch.setattr(runs, "sampled", black(range(2 * AWAY), runs.sampled, asked))
    with pytest.raises(GenerationFailedError, match="MZ-O-structure-black"):
        runs.result_of(job)
    assert asked == [5, 5 + AWAY, 6, 6 + AWAY, 7, 7 + AWAY], "once more, not for ever"


def test_what_is_blocked_is_not_made_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def blocking(image: Image) -> Withheld:
        check = {"decision": "block", "findings": [{"code": "MZ-O-sexual-nsfw", "decision": "block"}]}
        return Withheld(image.prompt, image.seed, replace(image.receipt, output_check=check))

    monkeypatch.setattr(runs, "output_gate", lambda: blocking)
    found = [event for event in runs.stream(job) if isinstance(event, Withheld)]
    assert [one.seed for one in found] == [5, 6, 7]


def test_its_other_seed_is_in_range(job: Job) -> None:
    for seed in (0, MAX_SEED - AWAY, MAX_SEED - AWAY + 1, MAX_SEED):
        assert 0 <= other(replace(job.pictures[0], seed=seed)).seed <= MAX_SEED


def test_a_run_that_goes_on_makes_it_no_third_time(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[int] = []
    monkeypatch.setattr(runs, "sampled", black([6], runs.sampled, asked))
    words = ["generate", "sneaker", "--model", str(tiny), "--seed", "5", "-n", "2", "--out", "o", "--json"]
    assert command(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert [one["file"] for one in first["images"]] == ["sneaker-5.png", f"sneaker-{6 + AWAY}.png"]
    assert not (Path("o") / "sneaker-6.png").exists()
    (Path("o") / "run.json").unlink()
    (Path("o") / "sheet.png").unlink()
    asked.clear()
    assert command(words) == 0 and asked == []
    assert json.loads(capsys.readouterr().out)["images"] == first["images"]
