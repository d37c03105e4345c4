"""Text encoders run in the number format of the run: half the bytes, what the library makes in it, kept apart."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from asking import request_of
from cascades import kandinsky_combined, kandinsky_decoder, kandinsky_prior
from checkpoints import pixart
from transformers import CLIPTextModelWithProjection, T5EncoderModel

import mezzotint as mz
from mezzotint.nets.packed import PackedConv, PackedLinear
from mezzotint.pretrained import component_network, foreign
from mezzotint.pretrained.components import components
from mezzotint.pretrained.families.clip import tower
from mezzotint.pretrained.families.t5 import t5_tower
from mezzotint.pretrained.shelf import MANY, SHELF
from mezzotint.tensorfile import read_tensors

PROMPT = "a red chair"
BOTH = (torch.float32, torch.bfloat16)
Ran = dict[str, tuple[torch.dtype, int]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ran]:
    """Which parts were asked for: their format, and the bytes of their weights."""
    found, real, packed = Ran(), component_network.network_of, component_network.packed_network_of
    SHELF._make_room(0)  # what tests before kept would not be asked for

    def watched(part: Any, device: str, dtype: torch.dtype) -> Any:
        network = real(part, device, dtype)
        distinct = {w.data_ptr(): w.numel() * w.element_size() for w in network.state_dict().values()}
        found[part.name] = (dtype, sum(distinct.values()))
        return network

    def watched_packed(part: Any, device: str, dtype: torch.dtype) -> Any:
        network = packed(part, device, dtype)
        maps = [m.packed.to_dense() for m in network.modules() if isinstance(m, PackedLinear)]
        blocks = [*maps, *(m.kernel.dense() for m in network.modules() if isinstance(m, PackedConv))]
        held = [*network.parameters(), *network.buffers(), *blocks]
        if blocks:  # else it is the plain one, and was watched
            found[part.name] = (dtype, sum(w.numel() * w.element_size() for w in held))
        return network

    for module in (component_network, foreign):
        monkeypatch.setattr(module, "network_of", watched)
    monkeypatch.setattr(foreign, "packed_network_of", watched_packed)
    yield found
    SHELF.resize(MANY)
    gc.collect()


def pixels(folder: Path, dtype: torch.dtype, **words: Any) -> np.ndarray:
    name = str(dtype).removeprefix("torch.")
    words = {"seed": 3, "steps": 2, "size": "32x32", **words}
    return mz.generate(PROMPT, model=folder, dtype=name, **words).images[0].pixels


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux_dev", "pixart"])
@pytest.mark.parametrize("dtype", BOTH)
def test_every_part_holds_the_bytes_that_the_estimate_says(
    family: str, dtype: torch.dtype, home: Path, ran: Ran, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = pixart(tmp_path) if family == "pixart" else request.getfixturevalue(family)
    memory = mz.prepare(request_of(PROMPT, model=folder, dtype=str(dtype).removeprefix("torch."), size="32x32")).memory
    pixels(folder, dtype)
    assert "text_encoder" in ran and ran == {name: (dtype, size) for name, size in memory.weights.items()}


@pytest.mark.parametrize("dtype", BOTH)
def test_states_are_those_of_the_library_in_that_format(dtype: torch.dtype, sd3: Path) -> None:
    found = components(sd3)
    t5 = t5_tower(found["tokenizer_3"], found["text_encoder_3"], 20)
    ids, _ = t5._tokens([PROMPT])
    with torch.inference_mode():
        theirs = T5EncoderModel.from_pretrained(sd3 / "text_encoder_3", dtype=dtype)(ids).last_hidden_state.float()
    assert torch.equal(t5.states([PROMPT], dtype), theirs)

    clip = tower(found["tokenizer"], found["text_encoder"], "penultimate", plain=True)
    whole, ours = (clip.states([PROMPT], each) for each in (torch.float32, dtype))
    tokens = [191, *(t.id for t in clip.chunks(PROMPT)[0]), 192]
    ids = torch.tensor([tokens + [192] * (77 - len(tokens))])
    with torch.inference_mode():
        peer = CLIPTextModelWithProjection.from_pretrained(sd3 / "text_encoder", dtype=dtype)
        said = peer(ids, output_hidden_states=True)
    assert ours.text.dtype == ours.pooled.dtype == torch.float32
    for mine, other, exact in (
        (ours.text, said.hidden_states[-2], whole.text),
        (ours.pooled, said.text_embeds, whole.pooled),
    ):
        size = float(exact.abs().max())
        assert float((mine - other.float()).abs().max()) < (1e-5 if dtype == torch.float32 else 0.02) * size
        assert torch.equal(mine, exact) == (dtype == torch.float32)


@pytest.mark.parametrize("family", ["sdxl", "sd3"])
def test_each_format_is_kept_and_read_apart(family: str, home: Path, ran: Ran, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    first = {dtype: pixels(folder, dtype) for dtype in BOTH}
    (entry,) = (home / "encoded").iterdir()
    kept = read_tensors(entry)
    assert {name.partition("/")[0] for name in kept} == {"torch.float32", "torch.bfloat16"}
    exact, rounded = (kept[f"{dtype}/cond/text"] for dtype in BOTH)
    assert 0 < float((exact - rounded).abs().max()) < 0.05 * float(exact.abs().max())
    ran.clear()
    assert all(np.array_equal(pixels(folder, dtype), first[dtype]) for dtype in BOTH)
    assert not any(name.startswith("text_encoder") for name in ran), "kept states were made again"


def test_what_reads_pictures_stays_in_float32(tmp_path: Path, home: Path, ran: Ran) -> None:
    folder = kandinsky_combined(kandinsky_prior(tmp_path / "p"), kandinsky_decoder(tmp_path / "d"), tmp_path / "both")
    whole, half = (mz.prepare(request_of(PROMPT, model=folder, dtype=name)).memory for name in ("float32", "bfloat16"))
    pixels(folder, torch.bfloat16, size=None)
    text, eye = "prior_text_encoder", "prior_image_encoder"
    assert half.weights[eye] == whole.weights[eye] == ran[eye][1] and ran[eye][0] == torch.float32
    assert 2 * half.weights[text] == whole.weights[text] and ran[text] == (torch.bfloat16, half.weights[text])
