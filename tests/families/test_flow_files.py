"""Flow transformers in one file give the pictures of the same model as a folder, and diffusers reads them alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import diffusers
import flow_singles
import numpy as np
import pytest
import torch
from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers
from PIL import Image
from safetensors.torch import load_file, save_file
from test_single_files import without

import mezzotint as mz
from mezzotint.errors import MezzotintError, ModelError
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.keymaps.tensors import backward, forward
from mezzotint.pretrained.original import original
from mezzotint.pretrained.original_flow import CLIP_L, T5
from mezzotint.pretrained.original_unet import UNET

Made = Callable[[str], tuple[Path, Path, Path]]
"""Kind -> (folder, file, tokenizer)."""

KINDS: dict[str, Callable[[Path], tuple[Path, Path, Path]]] = {
    "dev": partial(flow_singles.flux, distilled=True), "schnell": partial(flow_singles.flux, distilled=False),
    "sd3": partial(flow_singles.sd3, with_t5=False), "sd35": partial(flow_singles.sd3, with_t5=True),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Each once, never written to."""
    return cache(lambda kind: KINDS[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture(scope="module", params=list(KINDS))
def three(request: pytest.FixtureRequest, made: Made) -> tuple[Path, Path, Path]:
    return made(request.param)


@pytest.fixture(scope="module")
def dev(made: Made) -> tuple[Path, Path, Path]:
    return made("dev")


def picture(model: Path, parts: Sequence[Path] = ()) -> np.ndarray:
    return mz.generate("a red chair", model=model, parts=parts, seed=3, steps=2, size="32x32").images[0].pixels


def parts_for(three: tuple[Path, Path, Path]) -> list[Path]:
    return [three[2]] if three[2].is_dir() else []


@pytest.mark.slow
def test_the_pictures_are_those_of_the_folder(three: tuple[Path, Path, Path]) -> None:
    made = picture(three[1], parts_for(three))
    assert np.array_equal(picture(three[0]), made) and made.std() > 5


def test_there_and_back(three: tuple[Path, Path, Path]) -> None:
    tensors = load_file(three[1])
    for part in original(three[1], parts_for(three)).parts.values():
        if part.inside is None or part.name == "scheduler":
            continue
        own = {k.removeprefix(part.inside.prefix): w for k, w in tensors.items() if k.startswith(part.inside.prefix)}
        own = {k: w for k, w in own.items() if not k.endswith("logit_scale")}
        here = forward(part.inside.kind, part.config, own)
        back = backward(part.inside.kind, part.config, here)
        assert back.keys() == own.keys() and all(torch.equal(back[k], own[k]) for k in own)
        assert not here.keys() & own.keys() or part.inside.kind != "flux"


@pytest.mark.parametrize("kind", ["sd3", "sd35"])
def test_diffusers_reads_the_same_file_alike(kind: str, made: Made) -> None:
    """Its own conversion of the file, with the folder as its configuration: the same weights as ours."""
    folder, file, reader = made(kind)
    lacks = {} if reader.is_dir() else {"text_encoder_3": None, "tokenizer_3": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusion3Pipeline.from_single_file(
            str(file), config=str(folder), local_files_only=True, **lacks
        )
    same(pipe, file, [reader] if reader.is_dir() else [])


def same(pipe: diffusers.DiffusionPipeline, file: Path, parts: Sequence[Path] = ()) -> None:
    found = original(file, parts)
    for name in ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"):
        if name in found:
            theirs, ours = getattr(pipe, name).state_dict(), network_of(found[name], "cpu", torch.float32).state_dict()
            assert theirs.keys() == ours.keys()
            assert all(torch.equal(theirs[k], ours[k]) for k in ours), name


def test_the_map_of_flux_is_diffusers_own(dev: tuple[Path, Path, Path]) -> None:
    """diffusers' function knows the published width alone: rows as many as published, one column."""
    wide, many = 3072, {"qkv": 9216, "linear1": 21504, "lin": 18432, "1": 6144}
    own = {}
    for k, (key, w) in enumerate(sorted(load_file(dev[1]).items())):
        if key.startswith(UNET):
            rows = many.get(key.split(".")[-2], wide)
            own[key.removeprefix(UNET)] = (
                torch.arange(rows).float()[:, None] + k if w.ndim == 2 else torch.arange(rows) + k
            )
    config = {"num_layers": 2, "num_single_layers": 2, "num_attention_heads": 24, "attention_head_dim": 128}
    ours, theirs = forward("flux", config, own), convert_flux_transformer_checkpoint_to_diffusers(dict(own))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.slow
def test_the_refiner(tmp_path: Path) -> None:
    folder, file = flow_singles.refiner(tmp_path)
    Image.fromarray((np.arange(3072) % 251).astype(np.uint8).reshape(32, 32, 3)).save(tmp_path / "in.png")
    made = [
        mz.generate("red", model=m, image=tmp_path / "in.png", strength=0.5, steps=4, seed=1).images[0].pixels
        for m in (folder, file)
    ]
    assert np.array_equal(*made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionXLImg2ImgPipeline.from_single_file(
            str(file), config=str(folder), local_files_only=True
        )
    same(pipe, file)


@pytest.mark.slow
def test_a_transformer_alone_takes_its_parts_from_a_folder_or_from_comfyui(
    dev: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file, reader = dev
    tensors, whole = load_file(file), picture(folder)
    root = comfyui(tmp_path, tensors)
    alone = tmp_path / "alone.safetensors"
    save_file({k.removeprefix(UNET): w for k, w in tensors.items() if k.startswith(UNET)}, alone)
    with pytest.raises(
        ModelError, match=r"holds no text encoder .CLIP of width 64., no text encoder .T5 of width 32., no"
    ):
        picture(alone)
    assert np.array_equal(picture(alone, [folder]), whole)
    assert np.array_equal(picture(alone, [root, reader]), whole)
    assert np.array_equal(picture(alone, [*root.glob("*/*.safetensors"), reader]), whole)
    with pytest.raises(ModelError, match="needs T5's tokenizer, which no weights file holds; give a folder"):
        picture(alone, [root])
    placed = root / "diffusion_models/net.safetensors"
    placed.parent.mkdir()
    alone.rename(placed)
    assert np.array_equal(picture(placed, [reader]), whole)
    save_file(load_file(root / "vae/ae.safetensors"), root / "vae/other.safetensors")
    with pytest.raises(
        MezzotintError, match=r"several that could be the autoencoder of 4 channels: .*ae.*other.*--parts"
    ):
        picture(placed, [reader])
    assert np.array_equal(picture(placed, [root / "vae/ae.safetensors", reader]), whole)
    (root / "text_encoders/t5_tokenizer").symlink_to(reader)
    monkeypatch.setenv("MEZZOTINT_MODEL_PATH", str(root))
    assert np.array_equal(picture(placed, [root / "vae/ae.safetensors"]), whole)


def comfyui(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """A folder of models as ComfyUI keeps them, with FLUX' parts each in a file."""
    for prefix, name in ((CLIP_L, "text_encoders/clip_l"), (T5, "text_encoders/t5xxl"), ("vae.", "vae/ae")):
        place = folder / "models" / f"{name}.safetensors"
        place.parent.mkdir(parents=True, exist_ok=True)
        save_file({k.removeprefix(prefix): w for k, w in tensors.items() if k.startswith(prefix)}, place)
    return folder / "models"


def test_a_u_net_alone(tmp_path: Path) -> None:
    import singles

    _, file = singles.stable_diffusion_xl(tmp_path)
    save_file({k: w for k, w in load_file(file).items() if k.startswith(UNET)}, tmp_path / "net.safetensors")
    with pytest.raises(ModelError, match=r"holds no text encoder .CLIP of width 768., .* no autoencoder of 4 channels"):
        picture(tmp_path / "net.safetensors")


def test_stable_diffusion_3_takes_t5_from_what_is_given_alone(made: Made, tmp_path: Path) -> None:
    folder, file, _ = made("sd35")
    save_file(without(T5)(load_file(file)), tmp_path / "short.safetensors")
    assert "text_encoder_3" not in original(tmp_path / "short.safetensors")
    assert np.array_equal(picture(tmp_path / "short.safetensors", [folder]), picture(folder))


FAULTS: dict[str, tuple[Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], str]] = {
    "no autoencoder": (without("vae."), "holds no autoencoder of 4 channels; give them with --parts"),
    "an autoencoder of another model": (
        lambda w: {**w, "vae.decoder.conv_in.weight": torch.ones(64, 8, 3, 3)}, "no autoencoder of 4 channels"),
    "a tensor is missing": (
        without(UNET + "single_blocks.1.linear2.bias"), "'single_transformer_blocks.1.proj_out.bias'"),
    "a tensor too many": (lambda w: {**w, UNET + "more.weight": torch.ones(1)}, "'more.weight' has no place"),
    "a layer without end": (lambda w: {**w, UNET + "double_blocks.999999999.x": torch.ones(1)}, "number 999999999 of"),
    "queries alone": (
        lambda w: {**w, UNET + "single_blocks.0.linear1.weight": torch.ones(9, 128)}, r"linear1.weight' is \(9, 128\)"),
    "odd halves": (
        lambda w: {**w, UNET + "final_layer.adaLN_modulation.1.bias": torch.ones(3)}, "expected two halves"),
    "sizes that do not go together": (lambda w: {**w, UNET + "img_in.weight": torch.ones(100, 16)}, "100 and 128"),
    "a tensor of no size": (lambda w: {**w, UNET + "txt_in.weight": torch.ones(2**40, 0)}, "no tensor 'txt_in.weight'"),
    "a T5 alone": (lambda w: {k.removeprefix(T5): v for k, v in w.items() if k.startswith(T5)}, "a text encoder alone"),
    "a ControlNet": (lambda w: {"control_model.x.weight": torch.ones(2)}, "is a ControlNet in one file"),
    "an embedding": (lambda w: {"emb_params": torch.ones(2, 768)}, "textual inversion, not a model: give it with"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_faults_are_named_in_one_line(fault: str, dev: tuple[Path, Path, Path], tmp_path: Path) -> None:
    spoil, said = FAULTS[fault]
    save_file({k: w.contiguous() for k, w in spoil(load_file(dev[1])).items()}, tmp_path / "spoiled.safetensors")
    with pytest.raises(ModelError, match=said) as caught:
        picture(tmp_path / "spoiled.safetensors", [dev[2]])
    assert "\n" not in str(caught.value)
