"""LoRA files on families: every layout, the pictures of diffusers with PEFT, and what is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from parity import agree
from safetensors.torch import load_file, save_file
from torch import Tensor

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.adapters.lora import LowRank, adapted, merged
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt, read_adapter, with_adapters
from mezzotint.pretrained.system import describe_system

RANK = 2
Matrices = dict[str, tuple[Tensor, Tensor]]


def chosen(folder: Path, part: str) -> list[str]:
    """Some layers of a network: attention of a denoiser or an encoder."""
    found = layers_of(parts_to_adapt(describe_system(folder))[part])
    return [p for p in found if p.rsplit(".", 1)[-1] in ("to_q", "to_v", "q_proj", "v_proj")]


def matrices(folder: Path, part: str) -> Matrices:
    """Layer -> (A, B) of rank 2, of which B is not zero."""
    g = torch.Generator().manual_seed(5)
    layers = layers_of(parts_to_adapt(describe_system(folder))[part])
    made = {}
    for path in chosen(folder, part):
        out, inner = layers[path].weight.shape
        made[path] = (torch.randn(RANK, inner, generator=g) * 0.3, torch.randn(out, RANK, generator=g) * 0.3)
    return made


def peft(part: str, lows: Matrices) -> Iterator[tuple[str, Tensor]]:
    head = "unet." if part == "denoiser" else f"{part}."
    for path, (a, b) in lows.items():
        yield f"{head}{path}.lora_A.weight", a
        yield f"{head}{path}.lora_B.weight", b


def kohya(part: str, lows: Matrices) -> Iterator[tuple[str, Tensor]]:
    head = "lora_unet_" if part == "denoiser" else "lora_te_text_model_"
    for path, (a, b) in lows.items():
        name = head + path.replace(".", "_")
        yield f"{name}.lora_down.weight", a
        yield f"{name}.lora_up.weight", b * 2
        yield f"{name}.alpha", torch.tensor(RANK / 2)


def older(part: str, lows: Matrices) -> Iterator[tuple[str, Tensor]]:
    for path, (a, b) in lows.items():
        owner, _, last = path.rpartition(".")
        yield f"unet.{owner}.processor.{last}_lora.down.weight", a
        yield f"unet.{owner}.processor.{last}_lora.up.weight", b


def comfy(part: str, lows: Matrices) -> Iterator[tuple[str, Tensor]]:
    for path, (a, b) in lows.items():
        yield f"diffusion_model.{path}.lora_A.weight", a
        yield f"diffusion_model.{path}.lora_B.weight", b * 2
        yield f"diffusion_model.{path}.alpha", torch.tensor(RANK / 2)


LAYOUTS: dict[str, Callable[[str, Matrices], Iterator[tuple[str, Tensor]]]] = {
    "peft": peft, "kohya": kohya, "older": older, "comfy": comfy,
}  # fmt: skip


def written(path: Path, layout: str, folder: Path, *parts: str) -> Path:
    found = {k: v for part in parts for k, v in LAYOUTS[layout](part, matrices(folder, part))}
    save_file({k: v.contiguous().clone() for k, v in found.items()}, path)
    return path


def picture(folder: Path, **words: object) -> np.ndarray:
    return mz.generate("a red chair", model=folder, seed=3, steps=2, **words).images[0].pixels


@pytest.fixture(scope="module")
def file(sd1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("lora") / "bag.safetensors", "peft", sd1, "denoiser", "text_encoder")


def test_the_picture_is_that_of_diffusers_with_peft(sd1: Path, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name="bag")
        pipe.set_adapters(["bag"], [0.7])
        begin = Noise((3,))(0, (1, 4, 16, 16)).float()
        theirs = pipe("a red chair", latents=begin, num_inference_steps=4, output_type="latent").images
    job = mz.prepare(request_of("a red chair", model=sd1, seed=3, steps=4, lora=[f"{file}:0.7"]))
    mine = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]
    assert agree("LoRA", None, mine, theirs)
    plain = mz.prepare(request_of("a red chair", model=sd1, seed=3, steps=4))
    without = [e.state.x for e in mz.stream(plain) if isinstance(e, mz.Progress)][-1]
    assert (mine - without).abs().max() > 0.01


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "peft"])
def test_every_layout_is_the_same_adapter(layout: str, sd1: Path, tmp_path: Path) -> None:
    parts = ("denoiser", "text_encoder") if layout == "kohya" else ("denoiser",)
    expected = picture(sd1, lora=[written(tmp_path / "a.safetensors", "peft", sd1, *parts)])
    other = written(tmp_path / "b.safetensors", layout, sd1, *parts)
    assert np.array_equal(picture(sd1, lora=[other]), expected)
    coverage = read_adapter(other, describe_system(sd1)).coverage
    assert coverage.alphas == (0 if layout == "older" else coverage.layers) and coverage.unknown == ()


@pytest.mark.parametrize("family", ["sdxl", "sd3", "flux_dev"])
def test_other_families_take_them_too(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    lora = written(tmp_path / "a.safetensors", "comfy", folder, "denoiser")
    assert not np.array_equal(picture(folder, size="32x32", lora=[lora]), picture(folder, size="32x32"))
    assert np.array_equal(picture(folder, size="32x32", lora=[f"{lora}:0"]), picture(folder, size="32x32"))


def test_adapters_add_up_and_the_base_stays_its_own(sd1: Path, file: Path) -> None:
    plain = picture(sd1)
    model = mz.load(sd1)
    twice, double = picture(model, lora=[f"{file}:0.5", f"{file}:0.5"]), picture(model, lora=[file])
    assert np.abs(twice.astype(int) - double.astype(int)).max() <= 1 and not np.array_equal(double, plain)
    assert np.array_equal(picture(model), plain) and np.array_equal(picture(sd1), plain)


def test_requests_with_other_adapters_run_beside_each_other(sd1: Path, file: Path) -> None:
    model = mz.load(sd1)
    words = [{"lora": [file]}, {}, {"lora": [f"{file}:-0.5"]}]
    alone = [picture(model, **w) for w in words]
    walks = [mz.stream(mz.prepare(request_of("a red chair", model=model, seed=3, steps=2, **w))) for w in words]
    found = [e.pixels for events in zip(*walks, strict=True) for e in events if isinstance(e, mz.Image)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True))


def test_attached_equals_merged() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3, stride=2, padding=1), torch.nn.Flatten(), torch.nn.Linear(20, 4))
    lows = {
        "0": [(LowRank(torch.randn(2, 3, 3, 3), torch.randn(5, 2, 1, 1), 1.0), 0.7)],
        "2": [
            (LowRank(torch.randn(2, 20), torch.randn(4, 2)), 1.0),
            (LowRank(torch.randn(1, 20), torch.randn(4, 1)), -0.5),
        ],
    }
    x = torch.randn(2, 3, 4, 4)
    before = net(x)
    attached = adapted(net, lows)(x)
    for path, stack in lows.items():
        layer = net.get_submodule(path)
        layer.weight.data = merged(layer.weight.data, stack)
    torch.testing.assert_close(attached, net(x), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(attached, before)


def test_people_are_told_what_fits(sd1: Path, file: Path, tmp_path: Path) -> None:
    more = {**load_file(file), "unet.other.lora_A.weight": torch.zeros(2, 4)}
    save_file(more, tmp_path / "more.safetensors")
    (note,) = mz.prepare(request_of("ch", model=sd1, lora=[tmp_path / "more.safetensors"], allow_partial=True)).notes
    assert note.startswith("more: layers: ") and note.endswith(
        "1 keys without a place, 'unet.other.lora_A.weight' first"
    )
    save_file(
        {"unet.other.lora_A.weight": torch.zeros(2, 4), "unet.other.lora_B.weight": torch.zeros(4, 2)},
        tmp_path / "no.safetensors",
    )
    for partial in (False, True):
        with pytest.raises(ModelError, match=r"does not fit model \(layers: none.*; expected a LoRA for this base"):
            mz.prepare(request_of("ch", model=sd1, lora=[tmp_path / "no.safetensors"], allow_partial=partial))


def test_a_folder_that_peft_or_diffusers_wrote(sd1: Path, file: Path, tmp_path: Path) -> None:
    alone = picture(sd1, lora=[f"{file}:0.5"])
    for name in ("adapter_model.safetensors", "pytorch_lora_weights.safetensors"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_bytes(file.read_bytes())
        assert np.array_equal(picture(sd1, lora=[f"{folder}:0.5"]), alone)


def test_receipts_name_adapters(sd1: Path, file: Path) -> None:
    made = mz.generate("ch", model=sd1, steps=2, lora=[f"{file}:0.5"]).images[0].receipt.made
    (said,) = made.adapters
    assert said["name"] == "bag" and said["weight"] == 0.5 and len(str(said["sha256"])) == 64
    assert mz.generate("ch", model=sd1, steps=2).images[0].receipt.made.asset_id != made.asset_id


def test_one_dropped_key_or_alpha_refuses(sd1: Path, tmp_path: Path) -> None:
    whole = load_file(written(tmp_path / "k.safetensors", "kohya", sd1, "denoiser"))
    for gone in (next(k for k in whole if k.endswith("lora_up.weight")), next(k for k in whole if "lora_down" in k)):
        save_file({k: v for k, v in whole.items() if k != gone}, tmp_path / "less.safetensors")
        with pytest.raises(ModelError, match=r"2 keys without a place.*--allow-partial"):
            picture(sd1, lora=[tmp_path / "less.safetensors"])
        assert picture(sd1, lora=[tmp_path / "less.safetensors"], allow_partial=True).shape == (32, 32, 3)
    gone = next(k for k in whole if k.endswith(".alpha"))
    save_file({k: v for k, v in whole.items() if k != gone}, tmp_path / "no-alpha.safetensors")
    with pytest.raises(ModelError, match=r"1 keys without a place, 'denoiser: .*\.alpha' first"):
        picture(sd1, lora=[tmp_path / "no-alpha.safetensors"])
    save_file({**whole, "lora_unet_nowhere.alpha": torch.ones(())}, tmp_path / "more.safetensors")
    with pytest.raises(ModelError, match=r"1 keys without a place, 'lora_unet_nowhere.alpha' first"):
        picture(sd1, lora=[tmp_path / "more.safetensors"])


def test_what_is_no_adapter_or_of_another_base(sd1: Path, sdxl: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no LoRA but whole weights"):
        picture(sd1, lora=[sd1 / "unet/diffusion_pytorch_model.safetensors"])
    with pytest.raises(ModelError, match=r"for another base than model: its .*to_.*has weights of"):
        picture(sdxl, lora=[written(tmp_path / "x.safetensors", "peft", sd1, "denoiser")], allow_partial=True)
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pt")
    with pytest.raises(ModelError, match="pickle"):
        picture(sd1, lora=[tmp_path / "x.pt"])
    with pytest.raises(UsageError, match="expected -10 to 10"):
        picture(sd1, lora=[f"{file}:99"])
    with pytest.raises(UsageError, match="takes no LoRA files"):
        mz.generate("sneaker", model="fashion", lora=[file])


def test_coverage_says_what_became_of_a_file(sd1: Path, file: Path) -> None:
    (one,) = with_adapters(describe_system(sd1), [str(file)]).adapters
    text = str(one.adapter.coverage)
    n, m = len(chosen(sd1, "denoiser")), len(chosen(sd1, "text_encoder"))
    assert text.startswith("layers: ") and f"{n} of denoiser" in text and f"{m} of text_encoder" in text
    assert text.endswith(f"alpha in the file for 0 of {n + m}, 1 for the others")
