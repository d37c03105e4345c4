"""IP-Adapter: the pictures of diffusers' pipelines for both kinds, several at once, and what is refused."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import parity
import pytest
import torch
from asking import request_of
from checkpoints import controlnet
from PIL import Image
from pipelines import made_by
from safetensors.torch import load_file, save_file
from thinned import thinned
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import MezzotintError
from mezzotint.pretrained.families.clip_vision import looked_at
from mezzotint.pretrained.families.pictured import cross_attentions

STEPS, SEED, PROMPT, AWAY = 4, 9, "a red chair", "blue"
DDIM = "DDIMScheduler:steps_offset=1,set_alpha_to_one=False"
EULER = "EulerDiscreteScheduler:timestep_spacing=leading,steps_offset=1"
DPM = "DPMSolverMultistepScheduler:timestep_spacing=leading,steps_offset=1"
SIDE, SEES, STATES, HIDDEN = 28, 24, 32, 40


def drawn(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Random:
    def __init__(self, seed: int) -> None:
        self.g = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.g) * 0.3


def plain(width: int, r: Random) -> Iterator[tuple[str, Tensor]]:
    yield from {"proj.weight": r(4 * width, SEES), "proj.bias": r(4 * width), "norm.weight": r(width) + 1,
                "norm.bias": r(width)}.items()  # fmt: skip


def plus(width: int, r: Random) -> Iterator[tuple[str, Tensor]]:
    yield from {"latents": r(1, 6, HIDDEN), "proj_in.weight": r(HIDDEN, STATES), "proj_in.bias": r(HIDDEN),
                "proj_out.weight": r(width, HIDDEN), "proj_out.bias": r(width), "norm_out.weight": r(width) + 1,
                "norm_out.bias": r(width)}.items()  # fmt: skip
    for i in range(4):
        yield from {
            f"layers.{i}.0.norm1.weight": r(HIDDEN) + 1, f"layers.{i}.0.norm1.bias": r(HIDDEN),
            f"layers.{i}.0.norm2.weight": r(HIDDEN) + 1, f"layers.{i}.0.norm2.bias": r(HIDDEN),
            f"layers.{i}.0.to_q.weight": r(128, HIDDEN), f"layers.{i}.0.to_kv.weight": r(256, HIDDEN),
            f"layers.{i}.0.to_out.weight": r(HIDDEN, 128), f"layers.{i}.1.0.weight": r(HIDDEN) + 1,
            f"layers.{i}.1.0.bias": r(HIDDEN), f"layers.{i}.1.1.weight": r(4 * HIDDEN, HIDDEN),
            f"layers.{i}.1.3.weight": r(HIDDEN, 4 * HIDDEN),
        }.items()  # fmt: skip


def adapter(path: Path, base: Path, kind: str, seed: int = 0) -> Path:
    """The layout of the published files, for the U-Net of a checkpoint."""
    net, r = diffusers.UNet2DConditionModel.from_pretrained(base / "unet"), Random(seed)
    width = net.config.cross_attention_dim
    made = {f"image_proj.{k}": v for k, v in {"plain": plain, "plus": plus}[kind](width, r)}
    for k, layer in enumerate(cross_attentions(net).values()):
        for name in ("to_k", "to_v"):
            made[f"ip_adapter.{2 * k + 1}.{name}_ip.weight"] = r(*layer.to_k.weight.shape)
    save_file(made, path)
    return path


def encoder(folder: Path) -> Path:
    """CLIP's picture encoder, tiny."""
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=STATES, intermediate_size=37, num_attention_heads=4, num_hidden_layers=3, image_size=SIDE,
        patch_size=7, projection_dim=SEES,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def files(sd1: Path, sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ip")
    encoder(folder / "image_encoder")
    for base, folder_of in (("sd1", sd1), ("sdxl", sdxl)):
        for kind in ("plain", "plus"):
            adapter(folder / f"{base}-{kind}.safetensors", folder_of, kind)
    adapter(folder / "other.safetensors", sd1, "plain", seed=1)
    Image.fromarray(drawn(60, 40)).save(folder / "a.png")
    Image.fromarray(drawn(33, 50, 1)).save(folder / "b.png")
    return folder


def mine(folder: Any, **words: Any) -> tuple[Tensor, np.ndarray]:
    said = {"model": folder, "seed": SEED, "steps": STEPS, "scale": 5.0, "negative_prompt": AWAY, **words}
    events = list(mz.stream(mz.prepare(request_of(PROMPT, **said))))
    last = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    return last, next(e.pixels for e in events if isinstance(e, mz.Image))


def theirs(
    folder: Path, files: Sequence[Path], weights: Sequence[float], pictures: Sequence[Path],
    solver: str | None = None, control: Path | None = None,
) -> tuple[Tensor, np.ndarray]:  # fmt: skip
    xl = "XL" in (folder / "model_index.json").read_text()
    lacks = {} if xl else {"safety_checker": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: Any = diffusers.DiffusionPipeline
        if control is not None:
            made = diffusers.StableDiffusionControlNetPipeline
            lacks["controlnet"] = diffusers.ControlNetModel.from_pretrained(control)
        pipe = made.from_pretrained(folder, **lacks)
        pipe.set_progress_bar_config(disable=True)
        pipe.load_ip_adapter(
            str(files[0].parent), subfolder="", weight_name=[f.name for f in files],
            image_encoder_folder="image_encoder",
        )  # fmt: skip
        pipe.set_ip_adapter_scale(list(weights))
        if solver is not None:
            config = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_")}
            name = solver.partition(":")[0]
            extra = {"set_alpha_to_one": False, "clip_sample": False} if "DDIM" in name else {}
            pipe.scheduler = getattr(diffusers, name)(**config, timestep_spacing="leading", steps_offset=1, **extra)
        begin = Noise((SEED,))(0, (1, 4, 16, 16)).float()
        said = {"negative_prompt": AWAY, "latents": begin, "num_inference_steps": STEPS, "guidance_scale": 5.0}
        if control is not None:
            said |= {"image": Image.open(pictures[0]).resize((32, 32)), "width": 32, "height": 32}
        said["ip_adapter_image"] = [Image.open(p) for p in pictures]
        return made_by(pipe, PROMPT, **said)


def agree(a: tuple[Tensor, np.ndarray], b: tuple[Tensor, np.ndarray], solver: str | None = None) -> bool:
    return parity.agree("IP-Adapter", solver, a[0], b[0], a[1], b[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "kind", "solver"), thinned(["sd1", "sdxl"], ["plain", "plus"], [None, DDIM, EULER, DPM])
)
def test_the_picture_is_that_of_the_pipeline(
    family: str, kind: str, solver: str | None, files: Path, request: pytest.FixtureRequest
) -> None:
    folder, file = request.getfixturevalue(family), files / f"{family}-{kind}.safetensors"
    found = mine(folder, solver=solver, ip_adapter=[f"{file}:0.6"], ip_image=[files / "a.png"])
    expected = theirs(folder, [file], [0.6], [files / "a.png"], solver)
    assert agree(found, expected, solver)
    assert not agree(mine(folder, solver=solver), expected)


def test_several_add_up(sd1: Path, files: Path) -> None:
    both = [files / "sd1-plus.safetensors", files / "other.safetensors"]
    pictures = [files / "a.png", files / "b.png"]
    found = mine(sd1, ip_adapter=[f"{both[0]}:0.6", f"{both[1]}:0.3"], ip_image=pictures)
    assert agree(found, theirs(sd1, both, [0.6, 0.3], pictures))


def test_with_a_control_beside_it(sd1: Path, files: Path, tmp_path: Path) -> None:
    net, file = controlnet(tmp_path / "edges", sd1), files / "sd1-plain.safetensors"
    Image.open(files / "a.png").resize((32, 32)).save(tmp_path / "small.png")
    words = {"control": [net], "control_image": [tmp_path / "small.png"], "ip_adapter": [file]}
    found = mine(sd1, **words, ip_image=[files / "a.png"])
    assert agree(found, theirs(sd1, [file], [1.0], [files / "a.png"], control=net))


def test_no_weight_is_no_picture(sd1: Path, files: Path) -> None:
    file = f"{files / 'sd1-plain.safetensors'}:0"
    assert agree(mine(sd1, ip_adapter=[file], ip_image=[files / "a.png"]), mine(sd1))


@pytest.mark.parametrize("size", [(60, 40), (33, 50), (28, 28), (20, 9), (301, 300)])
def test_pictures_are_looked_at_as_clips_processor_does(size: tuple[int, int]) -> None:
    pixels = drawn(*size)
    expected = CLIPImageProcessor(size=SIDE, crop_size=SIDE)(Image.fromarray(pixels), return_tensors="pt").pixel_values
    torch.testing.assert_close(looked_at(pixels, SIDE), expected, rtol=1e-5, atol=1e-5)


def test_requests_with_other_pictures_run_beside_each_other(sd1: Path, files: Path) -> None:
    model = mz.load(sd1)
    file, other = files / "sd1-plain.safetensors", files / "sd1-plus.safetensors"
    words: list[dict[str, Any]] = [
        {"ip_adapter": [file], "ip_image": [files / "a.png"]},
        {},
        {"ip_adapter": [file], "ip_image": [files / "b.png"]},
        {"ip_adapter": [f"{other}:0.5"], "ip_image": [files / "b.png"]},
    ]
    alone = [mine(model, **w)[1] for w in words]
    assert len({a.tobytes() for a in alone}) == len(words)
    said = {"model": model, "seed": SEED, "steps": STEPS, "scale": 5.0, "negative_prompt": AWAY}
    walks = [mz.stream(mz.prepare(request_of(PROMPT, **said, **w))) for w in words]
    found = [e.pixels for events in zip(*walks, strict=True) for e in events if isinstance(e, mz.Image)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True))


def test_with_a_lora_and_several_prompts(sd1: Path, files: Path, tmp_path: Path) -> None:
    net = diffusers.UNet2DConditionModel.from_pretrained(sd1 / "unet")
    r = Random(5)
    lora = {}
    for path, layer in cross_attentions(net).items():
        lora |= {f"unet.{path}.to_k.lora_A.weight": r(2, layer.to_k.in_features),
                 f"unet.{path}.to_k.lora_B.weight": r(layer.to_k.out_features, 2)}  # fmt: skip
    save_file(lora, tmp_path / "l.safetensors")
    words = {"ip_adapter": [files / "sd1-plain.safetensors"], "ip_image": [files / "a.png"], "model": sd1, "steps": 2}
    found = mz.generate(["red", "chair"], lora=[tmp_path / "l.safetensors"], **words).images
    assert len({i.pixels.tobytes() for i in found}) == 2
    assert not np.array_equal(found[0].pixels, mz.generate("red", **words).images[0].pixels)


def test_receipts_name_adapter_encoder_and_picture(sd1: Path, files: Path) -> None:
    def made(file: str, picture: str) -> Any:
        words = {"ip_adapter": [f"{files}/{file}"], "ip_image": [files / picture]}
        return mz.generate("ch", model=sd1, steps=2, **words).images[0].receipt.made

    one = made("sd1-plain.safetensors:0.5", "a.png")
    (said,) = one.attached
    assert (said["kind"], said["name"], said["weight"]) == ("ip-adapter", "sd1-plain", 0.5)
    assert {len(str(said[k])) for k in ("sha256", "picture", "encoder_sha256", "config_sha256")} == {64}
    others = [made("sd1-plain.safetensors", "a.png"), made("sd1-plain.safetensors:0.5", "b.png"),
              made("other.safetensors:0.5", "a.png")]  # fmt: skip
    assert len({one.asset_id, *(o.asset_id for o in others)}) == 4


def test_what_does_not_fit(sd1: Path, sdxl: Path, flux_dev: Path, files: Path, tmp_path: Path) -> None:
    file = files / "sd1-plain.safetensors"

    def refused(said: str, model: str | Path = sd1, adapter: Path = file, **words: Any) -> None:
        given = {"ip_adapter": [adapter], "ip_image": [files / "a.png"], "ip_encoder": files / "image_encoder", **words}
        with pytest.raises(MezzotintError, match=said) as error:
            mz.prepare(request_of("ch", model=model, **given))
        assert "\n" not in str(error.value)

    def changed(name: str, **changes: Tensor | None) -> Path:
        found = {**load_file(files / f"{name}.safetensors"), **{k.replace("__", "."): v for k, v in changes.items()}}
        save_file({k: v for k, v in found.items() if v is not None}, tmp_path / "x.safetensors")
        return tmp_path / "x.safetensors"

    refused("is for another base than model", sdxl)
    refused("is for another base than model", adapter=files / "sdxl-plus.safetensors")
    refused("takes no picture prompts", flux_dev)
    refused("takes no picture prompts", "fashion")
    refused("is no IP-Adapter", adapter=sd1 / "unet/diffusion_pytorch_model.safetensors")
    refused(r"no config\.json", ip_encoder=tmp_path)
    refused("no file", ip_image=["nowhere.png"])
    refused("1 IP-Adapters and 2 pictures", ip_image=[files / "a.png", files / "b.png"])
    refused("an IP-Adapter's weight is 11", adapter=Path(f"{file}:11"))
    refused("of another kind", adapter=changed("sd1-plain", image_proj__proj__weight=None))
    refused("'image_embeds.bias' first", adapter=changed("sd1-plain", image_proj__proj__bias=None))
    refused("unknown tensors, 'more' first", adapter=changed("sd1-plain", image_proj__more=torch.zeros(1)))
    refused("its resampler is not whole", adapter=changed("sd1-plus", image_proj__proj_out__weight=None))
    refused(
        "'layers.2.attn.to_k.weight' first", adapter=changed("sd1-plus", image_proj__layers__2__0__to_kv__weight=None)
    )
    refused(
        "is for another encoder: it takes 25",
        adapter=changed("sd1-plain", image_proj__proj__weight=torch.zeros(128, 25)),
    )
    refused("not finite", adapter=changed("sd1-plain", image_proj__proj__bias=torch.full((128,), float("nan"))))
    key = "ip_adapter.1.to_k_ip.weight"
    nothing = torch.full_like(load_file(file)[key], float("inf"))
    refused("to_k_ip.weight' holds", adapter=changed("sd1-plain", **{key.replace(".", "__"): nothing}))
    torch.save({}, tmp_path / "ip.bin")
    refused("is a pickle", adapter=tmp_path / "ip.bin")
    shutil.copytree(files / "image_encoder", tmp_path / "other")
    config = (tmp_path / "other/config.json").read_text()
    (tmp_path / "other/config.json").write_text(config.replace('"CLIPVisionModelWithProjection"', '"CLIPVisionModel"'))
    refused("is a .*CLIPVisionModel.*; expected", ip_encoder=tmp_path / "other")
    with pytest.raises(MezzotintError, match="--ip-encoder is for an IP-Adapter"):
        mz.prepare(request_of("ch", model=sd1, ip_encoder=files / "image_encoder"))


def test_the_command_behind_it(sd1: Path, files: Path, made_again: Callable[..., list[list[str]]]) -> None:
    """Two pictures in the prompt, each of its weight."""
    there = {"PICTURE-1": files / "a.png", "PICTURE-2": files / "b.png", sd1.name: sd1}
    there |= {name: files / f"{name}.safetensors" for name in ("sd1-plus", "sd1-plain")}
    words = [f"--{kind}={value}" for kind, value in (
        ("ip-adapter", "sd1-plus:0.6"), ("ip-image", "PICTURE-1"), ("ip-adapter", "sd1-plain:0.25"),
        ("ip-image", "PICTURE-2"), ("steps", "4"), ("model", sd1.name),
    )]  # fmt: skip
    there["IP-ENCODER"] = files / "image_encoder"
    (said,) = made_again(["generate", *words, "--", PROMPT], there)
    assert {"--ip-adapter=sd1-plus:0.6", "--ip-adapter=sd1-plain:0.25", "--ip-image=PICTURE-2"} <= set(said)


def test_an_encoder_that_lies_elsewhere(
    sd1: Path, files: Path, made_again: Callable[..., list[list[str]]], tmp_path: Path
) -> None:
    """One for all is said; of several each lies beside its file, and none is."""
    there = {"PICTURE-1": files / "a.png", sd1.name: sd1, "IP-ENCODER": files / "image_encoder"}
    there["alone"] = Path(shutil.copy(files / "sd1-plain.safetensors", tmp_path / "alone.safetensors"))
    words = [f"--model={sd1.name}", "--steps=4", "--ip-adapter=alone", "--ip-image=PICTURE-1"]
    (said,) = made_again(["generate", *words, "--ip-encoder=IP-ENCODER", "--", PROMPT], there)
    assert "--ip-encoder=IP-ENCODER" in said
    shutil.copytree(files / "image_encoder", tmp_path / "image_encoder")
    tensors = load_file(tmp_path / "image_encoder/model.safetensors")
    save_file({k: w + 0.1 for k, w in tensors.items()}, tmp_path / "image_encoder/model.safetensors", {"format": "pt"})
    there |= {"PICTURE-2": files / "b.png", "sd1-plus": files / "sd1-plus.safetensors"}
    words += ["--ip-adapter=sd1-plus", "--ip-image=PICTURE-2"]
    (said,) = made_again(["generate", *words, "--", PROMPT], there)
    assert not any(word.startswith("--ip-encoder") for word in said)
