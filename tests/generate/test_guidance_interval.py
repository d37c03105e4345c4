"""Guidance in an interval of noise: the laws of it, what it saves, what the receipt says, what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.errors import UsageError
from mezzotint.governance.receipt import from_dict, to_dict
from mezzotint.making.calls import calls
from mezzotint.schemas import schema

STEPS, SCALE = 6, 3.0


@pytest.fixture(scope="module")
def model(tiny: Path) -> mz.Model:
    return mz.load(tiny)


@contextmanager
def rows_of(model: mz.Model) -> Iterator[list[int]]:
    """How many rows each call of the network computes: two for a picture where it is guided, one where not."""
    seen: list[int] = []
    net = model.stages[0].denoiser("cpu", torch.float32).network
    hook = net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    try:
        yield seen
    finally:
        hook.remove()


def made(model: mz.Model, interval: str | None, scale: float = SCALE, solver: str = "ddim") -> mz.Image:
    words = {"model": model, "steps": STEPS, "scale": scale, "seed": 4, "solver": solver}
    return mz.generate("sneaker", **words, guidance_interval=interval).images[0]


def ratios(model: mz.Model) -> list[float]:
    """Sigma/alpha of the levels at which the network is asked, the noisiest first."""
    levels = mz.prepare(request_of("sneaker", model=model, steps=STEPS, solver="ddim")).main.plan.levels[:-1]
    return (levels.sigma / levels.alpha).tolist()


@pytest.mark.parametrize("solver", ["ddim", "dpmpp-2m", "euler-ancestral"])
@pytest.mark.parametrize("whole", ["0,inf", "1e-30,inf"])
def test_the_whole_interval_is_none_at_all(whole: str, solver: str, model: mz.Model) -> None:
    assert np.array_equal(made(model, whole, solver=solver).pixels, made(model, None, solver=solver).pixels)


def test_an_interval_without_levels_is_scale_one_and_asks_for_nothing_unconditional(model: mz.Model) -> None:
    for empty in ("1e-31,1e-30", f"{ratios(model)[1] * 1.01},{ratios(model)[1] * 1.02}"):
        with rows_of(model) as seen:
            image = made(model, empty)
        assert seen == [1] * STEPS
        assert np.array_equal(image.pixels, made(model, None, scale=1.0).pixels)


@pytest.mark.parametrize(("first", "last"), [(0, 2), (1, 3), (4, STEPS - 1), (0, STEPS - 1)])
def test_unconditional_rows_are_those_of_the_levels_inside(first: int, last: int, model: mz.Model) -> None:
    found = ratios(model)
    high = math.inf if first == 0 else found[first] * 1.001
    with rows_of(model) as seen:
        image = made(model, f"{found[last] * 0.999},{high}")
    assert seen == [2 if first <= i <= last else 1 for i in range(STEPS)]
    whole = (first, last) == (0, STEPS - 1)
    assert np.array_equal(image.pixels, made(model, None).pixels) == whole


@pytest.mark.parametrize("solver", ["ddim", "heun:coordinate=rectified", "dpmpp-2m", "euler-ancestral"])
@pytest.mark.parametrize("bounds", [(0.2, 3.0), (0.0, 1.0), (1.0, math.inf), (100.0, 200.0)])
def test_planned_calls_are_those_of_the_network(bounds: tuple[float, float], solver: str, model: mz.Model) -> None:
    low, high = bounds
    words = {"model": model, "steps": STEPS, "scale": SCALE, "solver": solver, "guidance_interval": f"{low},{high}"}
    job = mz.prepare(request_of("sneaker", **words))
    with rows_of(model) as rows:
        list(mz.stream(job))
    assert calls(job) == sum(rows)


def test_a_level_at_an_end_is_counted_as_it_is_asked(model: mz.Model) -> None:
    low, high = ratios(model)[4], ratios(model)[1]
    words = {"model": model, "steps": STEPS, "scale": SCALE, "solver": "ddim"}
    job = mz.prepare(request_of("sneaker", **words, guidance_interval=f"{low!r},{high!r}"))
    with rows_of(model) as rows:
        list(mz.stream(job))
    assert calls(job) == sum(rows) == STEPS + 3


def test_the_receipt_determines_the_picture(model: mz.Model) -> None:
    plain, one, open_above = (made(model, said).receipt for said in (None, "0.28,2.9", "0.28,inf"))
    assert one.made.stage.guidance_interval == (0.28, 2.9)
    assert open_above.made.stage.guidance_interval == (0.28, None)
    assert made(model, "0,inf").receipt.made.asset_id == plain.made.asset_id
    assert len({r.made.asset_id for r in (plain, one, open_above)}) == 3
    for receipt in (plain, one, open_above):
        table = json.loads(json.dumps(to_dict(receipt)))
        jsonschema.validate(table, schema("mezzotint/receipt/2"))
        assert from_dict(table, "it").made == receipt.made
        assert ("guidance_interval" in table["made"]["stages"][0]) == (receipt is not plain)


@pytest.mark.parametrize("said", ["", "1", "1,2,3", "a,b", "2,1", "1,1", "-1,2", "nan,2", "inf,inf"])
def test_other_words_are_refused(said: str, tiny: Path) -> None:
    with pytest.raises(UsageError, match="is not LOW,HIGH; expected 0 <= LOW < HIGH") as error:
        mz.prepare(request_of("sneaker", model=tiny, guidance_interval=said))
    assert "\n" not in str(error.value)


def test_guidance_that_is_off_is_refused(model: mz.Model, plain_tiny: Path) -> None:
    """Distilled guidance too: ``tests/families``."""
    for words in ({"prompt": "sneaker", "model": model, "scale": 1.0}, {"prompt": "", "model": plain_tiny}):
        with pytest.raises(UsageError, match="no effect at scale 1, guidance off") as error:
            mz.prepare(request_of(**words, guidance_interval="0.28,2.9"))
        assert "\n" not in str(error.value)


def test_typed(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "sneaker", "--model", str(tiny), "--steps", "3", "--scale", "2", "--threads", "1", "--quiet"]
    place = tmp_path / "out"
    assert run([*words, "--guidance-interval", "0.28,2.9", "--json", "--out", str(place)]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("mezzotint/run/2"))
    assert document["stages"][0]["guidance_interval"] == [0.28, 2.9]
    (receipt,) = (place / "receipts").iterdir()
    assert json.loads(receipt.read_text())["made"]["stages"][0]["guidance_interval"] == [0.28, 2.9]
    assert run([*words, "--scale", "1", "--guidance-interval", "0.28,2.9"]) == 2
