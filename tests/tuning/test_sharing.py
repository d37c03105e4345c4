"""Adapters on a model of ours: one copy of the base serves all, several requests run beside each other, and taking one
off leaves the base as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.making.run import stream
from mezzotint.nets.adapters.begun import LoRA
from mezzotint.nets.adapters.contents import contents_of
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.model import Model, load
from mezzotint.pretrained.tunable import paths

WORDS = {"n": 2, "seed": 3, "steps": 3, "threads": 1}


@pytest.fixture(scope="module")
def model(cascade: Path) -> Model:
    return load(cascade)


@pytest.fixture(scope="module")
def files(model: Model, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two adapters of random weights."""
    folder, made = tmp_path_factory.mktemp("adapters"), []
    for seed in (1, 2):
        net = model.main.networks["denoiser"]
        tuned = trained(net, dict.fromkeys(paths(net), LoRA(2)), seed)
        torch.manual_seed(seed)
        values = {name: p + 0.3 * torch.randn_like(p) for name, p in tuned.named_parameters()}
        out = folder / f"{seed}.safetensors"
        write_adapter(out, contents_of(learnt(tuned, values)), model.system, "kohya")
        made.append(out)
    return made


def pictures(model: Model, *lora: Path) -> np.ndarray:
    made = mz.generate("a red mug", model=model, lora=lora, **WORDS).images
    return np.stack([image.pixels for image in made])


def test_the_base_is_not_copied(model: Model, files: list[Path]) -> None:
    plain = mz.prepare(request_of("a red mug", model=model, **WORDS)).main.model
    worn = mz.prepare(request_of("a red mug", model=model, lora=files, **WORDS)).main.model
    assert worn is not plain
    base, dressed = (one.denoiser("cpu", torch.float32).network for one in (plain, worn))
    own = {p.data_ptr() for p in base.parameters()}
    assert {p.data_ptr() for p in dressed.parameters()} == own and len(own) > 8


def test_each_adapter_does_something_and_taken_off_nothing_is_left(model: Model, files: list[Path]) -> None:
    before = pictures(model)
    one, two, both = pictures(model, files[0]), pictures(model, files[1]), pictures(model, *files)
    kinds = [before, one, two, both]
    assert all((a != b).any() for i, a in enumerate(kinds) for b in kinds[:i])
    assert np.array_equal(pictures(model), before)


def test_requests_with_other_adapters_run_beside_each_other(model: Model, files: list[Path]) -> None:
    alone = [pictures(model, *lora) for lora in ((), (files[0],), (files[1],))]
    jobs = [
        mz.prepare(request_of("a red mug", model=model, lora=lora, **WORDS)) for lora in ((), (files[0],), (files[1],))
    ]
    made: list[list[np.ndarray]] = [[], [], []]
    walks: list[Iterator[object]] = [stream(job) for job in jobs]
    going = set(range(3))
    while going:
        for k in sorted(going):
            event = next(walks[k], None)
            if event is None:
                going.discard(k)
            elif isinstance(event, mz.Image):
                made[k].append(event.pixels)
    assert all(np.array_equal(np.stack(mine), one) for mine, one in zip(made, alone, strict=True))


def test_the_files_are_those_of_the_receipts(model: Model, files: list[Path]) -> None:
    (image,) = mz.generate("a red mug", model=model, lora=[f"{files[0]}:0.5"], **{**WORDS, "n": 1}).images
    (said,) = image.receipt.made.adapters
    assert said["name"] == "1" and said["weight"] == 0.5
    assert replace(image.receipt.made, adapters=()).asset_id != image.receipt.made.asset_id
