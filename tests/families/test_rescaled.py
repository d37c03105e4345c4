"""``--guidance rescaled:PHI``: the pipelines' ``guidance_rescale``, whatever the network predicts; ``apg:ETA,NORM``.
Receipts say both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from asking import request_of
from pipelines import from_words, opened

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.making.recalled.ours import words_of_made

PROMPT, AWAY = "a red chair", "blue"
WORDS = {"seed": 7, "negative_prompt": AWAY, "steps": 4, "scale": 9.0, "dtype": "float32"}


@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_it_is_the_pipelines(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    job = mz.prepare(request_of(PROMPT, model=folder, guidance="rescaled:0.7", **WORDS))
    usual = mz.prepare(request_of(PROMPT, model=folder, **WORDS))
    made, plain = (next(e.pixels for e in mz.stream(j) if isinstance(e, mz.Image)) for j in (job, usual))
    _, theirs = from_words(opened(folder), job)
    near, far = (np.abs(made.astype(int) - other.astype(int)).max() for other in (theirs, plain))
    assert near <= 1 < far, "as the pipeline's, and not without effect"


def test_receipts_say_it_and_make_another_asset(sd1: Path) -> None:
    jobs = [mz.prepare(request_of(PROMPT, model=sd1, guidance=g, **WORDS)) for g in (None, "rescaled", "rescaled:0.5")]
    stages = [job.made(job.pictures[0]).stage.guidance for job in jobs]
    assert stages == [None, {"name": "rescaled", "phi": 0.7}, {"name": "rescaled", "phi": 0.5}]
    assert len({job.made(job.pictures[0]).asset_id for job in jobs}) == 3
    assert "rescaled:0.5" in str(words_of_made(jobs[2].made(jobs[2].pictures[0])))


APART = ["apg:1", "apg", "apg:0.25", "apg:0.25,7.5", "apg:0,0.00001"]
SAID = [(1.0, None), (0.0, None), (0.25, None), (0.25, 7.5), (0.0, 1e-05)]


def test_receipts_say_what_is_only_across_and_the_words_of_it(sd1: Path) -> None:
    jobs = [mz.prepare(request_of(PROMPT, model=sd1, guidance=g, **WORDS)) for g in APART]
    made = [job.made(job.pictures[0]) for job in jobs]
    assert [m.stage.guidance for m in made] == [{"name": "apg", "eta": eta, "norm": norm} for eta, norm in SAID]
    assert len({m.asset_id for m in made}) == len(APART)
    for m, job in zip(made, jobs, strict=True):
        again = request_of(PROMPT, model=sd1, guidance=dict(words_of_made(m).more)["--guidance"], **WORDS)
        assert mz.prepare(again).main.plan.guidance == job.main.plan.guidance


def test_across_alone_is_another_picture_and_all_of_it_is_the_usual(sd1: Path) -> None:
    def pixels(guidance: str | None) -> np.ndarray:
        job = mz.prepare(request_of(PROMPT, model=sd1, guidance=guidance, **WORDS))
        return next(e.pixels for e in mz.stream(job) if isinstance(e, mz.Image)).astype(int)

    usual, whole, across, short = map(pixels, (None, "apg:1", "apg", "apg:0,0.001"))
    along, across_too = np.abs(usual - whole), np.abs(usual - across)
    assert along.max() <= 1 < np.abs(across - short).max()
    assert np.count_nonzero(along) < np.count_nonzero(across_too)  # of weights that are drawn little goes along


BAD = ["rescaled:0", "rescaled:1.5", "rescaled:x", "rescaled:nan", "rescaled:0.5,1", "rescale", "apgs", "apg:-0.1"]
BAD += ["apg:2", "apg:x", "apg:nan", "apg:0,0", "apg:0,nan", "apg:0,1,2", "apg:0,"]


@pytest.mark.parametrize("words", BAD)
def test_other_words_are_one_line(words: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        mz.prepare(request_of("ankle boot", model="fashion", scale=2.0, guidance=words))
