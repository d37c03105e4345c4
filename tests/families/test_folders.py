"""What can be wrong with a folder in diffusers' layout, each said in one line; and what may vary."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of
from safetensors.torch import load_file, save_file

import mezzotint as mz
from mezzotint.errors import InputError, MezzotintError, ModelError, PromptBlockedError, UsageError
from mezzotint.pretrained.components import known_sha256
from mezzotint.pretrained.store import models
from mezzotint.pretrained.system import describe_system, verify_system

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def copy(sd1: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sd1, tmp_path / "copy")


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def picture(folder: Path, **words: object) -> np.ndarray:
    return mz.generate("a red chair", model=folder, seed=3, steps=2, **words).images[0].pixels


def without(folder: Path, key: str) -> None:
    weights = load_file(folder / UNET)
    save_file({k: v for k, v in weights.items() if k != key}, folder / UNET)


def with_extra(folder: Path) -> None:
    save_file({**load_file(folder / UNET), "conv_in.lora": torch.zeros(2)}, folder / UNET)


def misshapen(folder: Path) -> None:
    save_file({**load_file(folder / UNET), "conv_in.bias": torch.zeros(3)}, folder / UNET)


def pickled(folder: Path) -> None:
    (folder / UNET).unlink()
    torch.save({"a": torch.zeros(1)}, folder / "unet/diffusion_pytorch_model.bin")


def two_variants(folder: Path) -> None:
    for name in ("fp16", "bf16"):
        shutil.copy(folder / UNET, folder / f"unet/diffusion_pytorch_model.{name}.safetensors")
    (folder / UNET).unlink()


def lying(folder: Path) -> None:
    data = bytearray((folder / UNET).read_bytes())
    data[:8] = (1 << 60).to_bytes(8, "little")
    (folder / UNET).write_bytes(data)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a tensor is missing": (lambda f: without(f, "conv_in.bias"), r"1 tensors are missing, 'conv_in.bias' first"),
    "a tensor too many": (with_extra, r"1 unknown tensors, 'conv_in.lora' first"),
    "a tensor of another shape": (misshapen, r"'conv_in.bias' is \(3,\), expected \(32,\)"),
    "a pickle": (pickled, r"is a pickle .*`mezzotint convert"),
    "two variants": (two_variants, r"several variants .* no plain one; keep one"),
    "a lying header": (lying, r"not a sound safetensors file"),
    "no weights": (lambda f: (f / UNET).unlink(), r"holds no weights"),
    "no part": (lambda f: shutil.rmtree(f / "vae"), r"vae has no config.json"),
    "no index": (
        lambda f: (f / "model_index.json").unlink(),
        r"holds parts in diffusers' layout \(unet, text_encoder, vae\) but no model_index.json",
    ),
    "not listed": (
        lambda f: edit(f / "model_index.json", vae=[None, None]),
        r"has no vae; a StableDiffusionPipeline needs",
    ),
    "another class": (
        lambda f: edit(f / "model_index.json", unet=["diffusers", "UNet1DModel"]),
        r"diffusers's UNet1DModel; expected UNet2DConditionModel",
    ),
    "another pipeline": (
        lambda f: edit(f / "model_index.json", _class_name="StableDifusionPipeline"),
        r"unknown pipeline 'StableDifusionPipeline'; did you mean StableDiffusionPipeline",
    ),
    "another autoencoder": (lambda f: edit(f / "vae/config.json", latent_channels=16), r"has 16 latent channels"),
    "another scheduler": (
        lambda f: (
            edit(f / "model_index.json", scheduler=["diffusers", "Pndm"])
            or edit(f / "scheduler/scheduler_config.json", _class_name="Pndm")
        ),
        r"unknown scheduler 'Pndm'",
    ),
    "another prediction": (
        lambda f: edit(f / "scheduler/scheduler_config.json", prediction_type="noise"),
        r"unknown prediction_type 'noise'",
    ),
    "a broken configuration": (
        lambda f: edit(f / "unet/config.json", down_block_types=["NoBlock", "NoBlock"]),
        r"its configuration cannot be built",
    ),
    "no table": (lambda f: (f / "model_index.json").write_text("[]"), r"is not a table"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_in_one_line(fault: str, copy: Path) -> None:
    spoil, said = FAULTS[fault]
    spoil(copy)
    with pytest.raises(MezzotintError, match=said) as error:
        picture(copy)
    assert "\n" not in str(error.value)


def test_one_part_is_no_model(copy: Path) -> None:
    with pytest.raises(InputError, match=r"unet is one part of a model; expected the folder around it"):
        picture(copy / "unet")


def test_shards_variants_and_old_names_are_the_same_model(sd1: Path, copy: Path) -> None:
    whole = picture(sd1)
    weights = load_file(copy / UNET)
    names = sorted(weights)
    shards = {"a-00001-of-00002": names[:40], "b-00002-of-00002": names[40:]}
    index: dict[str, str] = {}
    for stem, part in shards.items():
        file = f"diffusion_pytorch_model-{stem}.safetensors"
        save_file({k: weights[k] for k in part}, copy / "unet" / file)
        index |= dict.fromkeys(part, file)
    (copy / UNET).unlink()
    listed = copy / "unet/diffusion_pytorch_model.safetensors.index.json"
    listed.write_text(json.dumps({"metadata": {}, "weight_map": index}))
    text = load_file(copy / "text_encoder/model.safetensors")
    old = {f"text_model.{k}": v for k, v in text.items()} | {"text_model.embeddings.position_ids": torch.arange(77)}
    save_file(old, copy / "text_encoder/model.safetensors")
    vae = load_file(copy / "vae/diffusion_pytorch_model.safetensors")
    parts = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    for new, before in parts.items():
        vae = {k.replace(new, before): v for k, v in vae.items()}
    assert any(".query." in k for k in vae)
    save_file(vae, copy / "vae/diffusion_pytorch_model.fp16.safetensors")
    (copy / "vae/diffusion_pytorch_model.safetensors").unlink()
    assert np.array_equal(picture(copy), whole)
    (copy / "unet" / file).unlink()
    with pytest.raises(ModelError, match="is missing, though"):
        describe_system(copy)


def test_a_receipt_has_the_hashes_of_all_weights(sd1: Path) -> None:
    made = mz.generate("a red chair", model=sd1, steps=2, negative_prompt="blue").images[0].receipt.made
    assert made.stage.weights_sha256 == known_sha256(sd1 / UNET)
    assert made.stage.codec_sha256 == known_sha256(sd1 / "vae/diffusion_pytorch_model.safetensors")
    assert len(made.encoder_sha256) == 64 and made.read == ("a red chair", "blue")
    assert made.stage.scale == 7.5 and made.stage.solver["name"] == "pndm"


def test_a_changed_file_has_another_hash_and_a_known_one_is_not_read_again(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = verify_system(describe_system(copy)).weights_sha256
    monkeypatch.setattr("mezzotint.pretrained.components.sha256_file", lambda path: pytest.fail(f"{path} was read"))
    assert verify_system(describe_system(copy)).weights_sha256 == first
    monkeypatch.undo()
    save_file({k: v + 1 for k, v in load_file(copy / UNET).items()}, copy / UNET)
    assert verify_system(describe_system(copy)).weights_sha256 != first


def test_sizes(sd1: Path) -> None:
    assert picture(sd1, size="48x32").shape == (32, 48, 3) and picture(sd1).shape == (32, 32, 3)
    for size in ("30x32", "4104x64"):
        with pytest.raises(UsageError, match="divisible by 8 and at most 4096"):
            picture(sd1, size=size)


def test_a_size_beyond_the_table_of_positions(sd3: Path) -> None:
    """24 tokens along a side, of 2 x 2 latents of 2 x 2 pixels."""
    with pytest.raises(UsageError, match="size 104x32 cannot be made; expected both divisible by 8 and at most 96"):
        mz.prepare(request_of("a chair", model=sd3, size="104x32"))
    assert mz.generate("a chair", model=sd3, size="96x32", steps=1).images[0].pixels.shape == (32, 96, 3)


def test_long_prompts_say_what_was_dropped(sd1: Path) -> None:
    (note,) = mz.prepare(request_of("red " * 700 + "zebra", model=sd1)).notes
    assert note.startswith("the prompt is too long; dropped from its end: red") and note.endswith("zebra")
    assert mz.prepare(request_of("red", model=sd1)).notes == () and mz.prepare(request_of("", model=sd1)).notes == ()
    with pytest.raises(PromptBlockedError, match="structure-bytes"):
        mz.prepare(request_of("a" * 100_001, model=sd1))


def test_bfloat16_is_near(sd1: Path) -> None:
    a, b = picture(sd1), picture(sd1, dtype="bfloat16")
    assert not np.array_equal(a, b) and np.abs(a.astype(int) - b.astype(int)).mean() < 6


def test_requests_interleaved_are_those_alone(sd1: Path) -> None:
    model = mz.load(sd1)
    words = [{"prompt": "a red chair", "seed": 1, "steps": 3}, {"prompt": "ch", "seed": 2, "steps": 3, "scale": 2.0}]
    alone = [mz.generate(model=model, **w).images[0].pixels for w in words]
    walks = [mz.stream(mz.prepare(request_of(model=model, **w))) for w in words]
    found: list[np.ndarray] = []
    for events in zip(*walks, strict=False):
        found += [e.pixels for e in events if isinstance(e, mz.Image)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True))


def test_models_are_listed_and_inspected(sd1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    shutil.copytree(sd1, tmp_path / "models/mine")
    found = {m.name: m for m in models()}["mine"]
    assert found.system is not None and found.system.size == (32, 32) and found.system.weights_bytes > 100_000
    seen = mz.inspect(sd1)
    assert seen.kind == "diffusers" and seen.facts["pipeline"] == "StableDiffusionPipeline"
    assert seen.facts["parts"]["unet"]["class"] == "UNet2DConditionModel"
    jsonable = json.loads(json.dumps(seen.facts))
    assert jsonable["parts"]["unet"]["sha256"] == known_sha256(sd1 / UNET)


def test_compiled_goes_without_what_changes_the_blocks(sd1: Path) -> None:
    with pytest.raises(UsageError, match="does not go with controls"):
        mz.prepare(request_of("red", model=sd1, compiled=True, control=["x"], control_image=["y"]))
    with pytest.raises(UsageError, match="--offload puts it away"):
        mz.prepare(request_of("red", model=sd1, compiled=True, offload=True))
