"""PixArt-Σ: the pipeline's pictures, and a text whose padding is not read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from asking import request_of
from checkpoints import pixart as made_pixart
from parity import agree
from pipelines import Made, from_words, opened
from safetensors.torch import load_file, save_file

import mezzotint as mz
from mezzotint.errors import MezzotintError
from mezzotint.nets.remembered import KEPT, Remembered
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.components import components
from mezzotint.pretrained.families.transformer_network import PixArtCalled
from mezzotint.pretrained.memory import remembered

SEED, STEPS, PROMPT, AWAY = 5, 6, "A red CHAIR ", "blue"
OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {"steps_offset": 1, "set_alpha_to_one": False},
    "EulerDiscreteScheduler": {"timestep_spacing": "leading", "steps_offset": 1},
    "UniPCMultistepScheduler": {},
}


@pytest.fixture(scope="module")
def pixart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_pixart(tmp_path_factory.mktemp("pixart"))
    weights = folder / "transformer/diffusion_pytorch_model.safetensors"
    # what the last layer begins with is so small that the text would not show
    save_file({k: v * 6 if "proj_out" in k or "attn2" in k else v for k, v in load_file(weights).items()}, weights)
    return folder


def theirs(folder: Path, job: mz.Job, scheduler: str | None) -> Made:
    pipe = opened(folder)
    if scheduler:
        base = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_")}
        clips = {"clip_sample": False} if scheduler == "DDIMScheduler" else {}
        pipe.scheduler = getattr(diffusers, scheduler)(**base, **OTHERS[scheduler], **clips)
    return from_words(pipe, job)


@pytest.mark.parametrize("scheduler", [None, *OTHERS])
def test_the_pipeline_s_pictures(scheduler: str | None, pixart: Path) -> None:
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    solver = f"{scheduler}:{flags}".rstrip(":") if scheduler else None
    job = mz.prepare(
        request_of(
            PROMPT, model=pixart, seed=SEED, steps=STEPS, scale=4.0, negative_prompt=AWAY, solver=solver, size="32x32"
        )
    )
    latents, pixels = theirs(pixart, job, scheduler)
    events = list(mz.stream(job))
    mine = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    picture = next(e.pixels for e in events if isinstance(e, mz.Image))
    assert agree("PixArt-Σ", scheduler, mine, latents, picture, pixels) and pixels.std() > 5


def test_what_is_read_and_how(pixart: Path) -> None:
    job = mz.prepare(request_of(PROMPT, model=pixart))
    assert (job.main.plan.steps, job.main.plan.scale) == (20, 4.5)
    assert job.pictures[0].told.read == ("a red chair", "")
    cond, _ = job.pictures[0].told.conds(torch.float32)
    assert cond["text"].shape == (1, 300, 32) and 2 < cond["text_mask"].sum() < 20
    one, other = (mz.generate(p, model=pixart, steps=2, seed=1).images[0].pixels for p in ("red", "chair"))
    assert (one != other).any()


def test_keys_and_values_of_a_text_are_made_once(pixart: Path) -> None:
    """Not in every step."""
    network, asked = network_of(components(pixart)["transformer"], "cpu", torch.float32), Counter[str]()
    layers = {
        name: m for name, m in network.named_modules() if name.endswith(("attn2.to_k", "attn2.to_v", "attn1.to_k"))
    }
    hooks = [m.register_forward_hook(lambda *_, name=name: asked.update([name])) for name, m in layers.items()]
    mz.generate(["keys once", "and values"], model=pixart, steps=STEPS, seed=SEED, scale=4.0, batch=1)
    for hook in hooks:
        hook.remove()
    assert asked == {name: 2 * STEPS if "attn1" in name else 2 for name in layers} and len(layers) == 6


def test_what_is_remembered_is_each_text_s_own_to_the_bit_and_counted(pixart: Path) -> None:
    part = components(pixart)["transformer"]
    network = network_of(part, "cpu", torch.float32)
    called, index = PixArtCalled(network), torch.tensor([500.0, 300.0])
    for prompt in ("keys once", "and values", "keys once"):
        cond, null = mz.prepare(request_of(prompt, model=pixart)).pictures[0].told.conds(torch.float32)
        told = {name: torch.cat([cond[name], null[name]]) for name in cond}
        for x in torch.randn(2, 2, 4, 16, 16):
            with torch.inference_mode():
                plain = network(
                    x, told["text"], timestep=index, added_cond_kwargs={"resolution": None, "aspect_ratio": None},
                    encoder_attention_mask=told["text_mask"].float(), return_dict=False,
                )[0]  # fmt: skip
                assert torch.equal(called(x, index, told), plain[:, :4])
    kept = [made for m in called.modules() if isinstance(m, Remembered) for _, made in m._kept]
    assert len(kept) == 5 * KEPT and sum(made.numel() for made in kept) == 2 * 300 * remembered(part)


def test_bounds_that_a_scheduler_lacks_are_in_receipts(pixart: Path) -> None:
    """Published configurations say "lambda_min_clipped": -Infinity, which JSON does not know."""
    made = mz.generate("red", model=pixart, steps=2).images[0].receipt.made
    configuration = (pixart / "scheduler" / "scheduler_config.json").read_text()
    assert "-Infinity" in configuration  # or this would show nothing
    assert len(made.asset_id) == 32 and json.dumps(dict(made.stage.grid), allow_nan=False)


def test_sizes_are_whole_squares(tmp_path: Path) -> None:
    folder = made_pixart(tmp_path)
    config = folder / "vae/config.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps(said | {"block_out_channels": [16, 32, 32, 32]}))
    with pytest.raises(MezzotintError, match="size 64x72 cannot be made; expected both divisible by 16"):
        mz.prepare(request_of("red", model=folder, size="64x72"))


def test_another_transformer_is_named(pixart: Path, tmp_path: Path) -> None:
    folder = made_pixart(tmp_path)
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace("PixArtTransformer2DModel", "DiTTransformer2DModel"))
    with pytest.raises(MezzotintError, match="expected PixArtTransformer2DModel"):
        mz.prepare(request_of("red", model=folder))
