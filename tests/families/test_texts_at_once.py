"""T5's tokens: transformers' own, and the same whatever another thread asks of the same tokenizer meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import checkpoints
import pytest
import torch

from mezzotint.pretrained.components import components
from mezzotint.pretrained.families.t5 import T5Tower, t5_tower
from mezzotint.pretrained.families.tokenizer import tokenizer_of

LENGTH = 24
PROMPTS = ("a red mug on a plain table", "", "a", "a wide oak chair beside a tall lamp " * 8)


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> T5Tower:
    found = components(checkpoints.stable_diffusion_3(tmp_path_factory.mktemp("sd3")))
    return t5_tower(found["tokenizer_3"], found["text_encoder_3"], LENGTH)


def test_tokens_are_those_of_transformers(tower: T5Tower) -> None:
    ids, mask = tower._tokens(PROMPTS)
    theirs = tokenizer_of(tower.tokenizer)(
        list(PROMPTS), padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )
    assert torch.equal(ids, theirs.input_ids)
    assert torch.equal(mask, theirs.attention_mask)


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy")
def test_tokens_hold_while_another_thread_counts(tower: T5Tower) -> None:
    alone, counted = tower._tokens(PROMPTS)[0], [tower.count(prompt) for prompt in PROMPTS]
    with ThreadPoolExecutor(2) as pool:
        asked = [(pool.submit(tower._tokens, PROMPTS), pool.submit(tower.count, PROMPTS[k % 4])) for k in range(400)]
        for k, (read, count) in enumerate(asked):
            assert torch.equal(read.result()[0], alone)
            assert count.result() == counted[k % 4]
