"""One file in the original layout gives the pictures of the same model as a folder, and diffusers reads it alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import diffusers
import numpy as np
import pytest
import singles
import torch
from safetensors.torch import load_file, save_file

import mezzotint as mz
from mezzotint.errors import MezzotintError, ModelError
from mezzotint.pretrained.clip_tokenizer import merges, vocabulary
from mezzotint.pretrained.keymaps.tensors import backward, forward
from mezzotint.pretrained.original import original
from mezzotint.pretrained.original_unet import UNET, VAE

Made = Callable[[str], tuple[Path, Path]]
"""Kind -> (folder, file)."""

KINDS: dict[str, Callable[[Path], tuple[Path, Path]]] = {
    "sd1": singles.stable_diffusion_1, "sd2": singles.stable_diffusion_2, "sdxl": singles.stable_diffusion_xl,
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Each once, never written to."""
    return cache(lambda kind: KINDS[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture(scope="module", params=list(KINDS))
def both(request: pytest.FixtureRequest, made: Made) -> tuple[Path, Path]:
    return made(request.param)


@pytest.fixture(scope="module")
def one(made: Made) -> Path:
    return made("sd1")[1]


def picture(model: Path) -> np.ndarray:
    return mz.generate("A red armchair, naïve – 3 legs", model=model, seed=3, steps=2, size="32x32").images[0].pixels


@pytest.mark.slow
def test_the_pictures_are_those_of_the_folder(both: tuple[Path, Path]) -> None:
    """To a grey level: the same weights lie elsewhere in a file, and where numbers lie in memory decides how some
    processors' matrix products round."""
    folder, file = both
    assert np.abs(picture(folder).astype(int) - picture(file)).max() <= 1
    assert np.array_equal(picture(file), picture(file))
    assert mz.load(file).name == file.stem


def test_there_and_back(both: tuple[Path, Path]) -> None:
    tensors = load_file(both[1])
    for part in original(both[1]).parts.values():
        if part.inside is None or part.name == "scheduler":
            continue
        own = {k.removeprefix(part.inside.prefix): w for k, w in tensors.items() if k.startswith(part.inside.prefix)}
        own = {k: w for k, w in own.items() if not k.endswith(("position_ids", "logit_scale"))}
        config = {**part.config}
        if part.inside.kind == "openclip" and part.class_name == "CLIPTextModel":
            config["num_hidden_layers"] += 1  # the block that is left out of the network has its names too
        back = backward(part.inside.kind, config, forward(part.inside.kind, config, own))
        assert back.keys() == own.keys()
        assert all(torch.equal(back[k], own[k]) for k in own)


def test_diffusers_reads_the_same_file_alike(both: tuple[Path, Path]) -> None:
    """Its own conversion of the file, with the folder as its configuration: the same weights as ours."""
    folder, file = both
    made = getattr(diffusers, singles.index(folder)["_class_name"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = made.from_single_file(str(file), config=str(folder), local_files_only=True)
    from mezzotint.pretrained.component_network import network_of

    found = original(file)
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if name in found:
            theirs, ours = getattr(pipe, name).state_dict(), network_of(found[name], "cpu", torch.float32).state_dict()
            assert theirs.keys() == ours.keys()
            assert all(torch.equal(theirs[k], ours[k]) for k in ours), name


def test_the_tokenizer_is_openais() -> None:
    words = vocabulary(merges())
    assert len(words) == 49408
    assert (words["!"], words["a</w>"], words["<|startoftext|>"], words["<|endoftext|>"]) == (0, 320, 49406, 49407)
    reader = singles.reader("end")
    assert reader("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert (reader.pad_token_id, singles.reader("!").pad_token_id) == (49407, 0)


def test_half_precision_files_run(one: Path, tmp_path: Path) -> None:
    save_file(
        {k: w.half() if w.is_floating_point() else w for k, w in load_file(one).items()}, tmp_path / "h.safetensors"
    )
    assert np.abs(picture(one).astype(int) - picture(tmp_path / "h.safetensors").astype(int)).max() <= 8


def test_what_the_network_predicts_is_read_from_the_metadata(made: Made, tmp_path: Path) -> None:
    _, file = made("sd2")
    assert original(file)["scheduler"].config["prediction_type"] == "v_prediction"
    save_file(load_file(file), tmp_path / "eps.safetensors", {"modelspec.prediction_type": "epsilon"})
    assert original(tmp_path / "eps.safetensors")["scheduler"].config["prediction_type"] == "epsilon"


def without(prefix: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda w: {k: v for k, v in w.items() if not k.startswith(prefix)}


FAULTS: dict[str, tuple[Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], str]] = {
    "no autoencoder": (without(VAE), "holds no autoencoder"),
    "no text encoder": (without("cond_stage_model."), "holds no text encoder"),
    "a tensor is missing": (without(UNET + "middle_block.2.in_layers.0.bias"), "'mid_block.resnets.1.norm1.bias'"),
    "a tensor too many": (
        lambda w: {**w, UNET + "middle_block.7.weight": torch.ones(1)},
        "spoiled.safetensors, below 'model.diffusion_model.': the tensor 'middle_block.7.weight' has no place",
    ),
    "a LoRA": (lambda w: {"lora_unet_x.lora_down.weight": torch.ones(1, 2)}, "is a LoRA, not a model: give it with"),
    "something else": (lambda w: {"a.weight": torch.ones(1)}, "is no checkpoint of a kind that is known"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_faults_are_named_in_one_line(fault: str, one: Path, tmp_path: Path) -> None:
    spoil, said = FAULTS[fault]
    save_file(spoil(load_file(one)), tmp_path / "spoiled.safetensors")
    with pytest.raises(ModelError, match=said) as caught:
        picture(tmp_path / "spoiled.safetensors")
    assert "\n" not in str(caught.value)


def test_a_file_cut_short_and_a_model_given_as_lora(one: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(one.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="not a sound safetensors file"):
        picture(tmp_path / "cut.safetensors")
    with pytest.raises(MezzotintError, match="is no LoRA but whole weights"):
        mz.generate("a", model=one, lora=[one], steps=1, size="32x32")
