"""Adapters from every layout into every other: the same tensors to the bit, the same function; what has no form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoints import pixart
from exchanging import METHODS, contents, differences, latents, varied
from safetensors.torch import load_file, save_file
from thinned import some

from mezzotint.errors import UsageError
from mezzotint.pretrained.adapters import read_adapter
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.exchange.names import LAYOUTS, Layout
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.exchange.save import layout_for, write_adapter
from mezzotint.pretrained.system import describe_system

BASES = ["sd1", "sdxl", "sd3", "flux_dev", "tiny"]
DOTTED: tuple[Layout, ...] = ("kohya", "comfyui")


def named(folder: Path, layout: Layout, name: str = "a") -> Path:
    return folder / (f"{name}-{layout}" if layout == "peft" else f"{name}-{layout}.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("base", some(BASES, "sd3", "tiny"))
def test_every_layout_to_every_other_is_the_same_to_the_bit(
    base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """LoRA on all networks, with other ranks and alphas in some layers, and every method that both layouts have."""
    system = describe_system(request.getfixturevalue(base))
    for method in METHODS:
        made = contents(system, method)
        made = varied(made) if method == "lora" and base in ("sd1", "sdxl", "tiny") else made
        written = []
        for layout in LAYOUTS:
            try:
                write_adapter(named(tmp_path, layout, method), made, system, layout)
            except UsageError:
                continue
            written.append(layout)
        assert written == FORMS[method, base in ("sd3", "flux_dev")]
        for one in written:
            for other in written:
                out = named(tmp_path, other, f"{method}-{one}")
                convert_adapter(named(tmp_path, one, method), system, other, out)
                found, opened = read_contents(out, system)
                assert differences(found, made) == [] and opened.adapter.coverage.unknown == ()


ALL = list(LAYOUTS)
FORMS: dict[tuple[str, bool], list[Layout]] = {
    ("lora", False): ALL, ("dora", False): ALL, ("full", False): list(DOTTED), ("oft", False): list(DOTTED),
    ("oft", True): [], ("loha", False): ["peft", *DOTTED],
    ("lokr", False): ["peft", *DOTTED], ("lora", True): ALL, ("dora", True): ["peft", "diffusers"],
    ("full", True): list(DOTTED), ("loha", True): ["peft"], ("lokr", True): ["peft"],
}  # fmt: skip
"""(method, whether the original code has q, k and v in one layer) -> the layouts that have a form for it."""


@pytest.mark.parametrize("base", some(BASES, "sd1", "flux_dev", "tiny"))
def test_the_function_is_the_same(base: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(base)
    system = describe_system(folder)
    made, plain = contents(system, "lora"), latents(folder)
    found = []
    for layout in LAYOUTS:
        write_adapter(named(tmp_path, layout), made, system, layout)
        found.append(latents(folder, named(tmp_path, layout)))
    assert all((x - found[0]).abs().max() < 1e-5 for x in found)
    assert (found[0] - plain).abs().max() > 1e-3


@pytest.mark.parametrize("base", ["sd3", "flux_dev"])
def test_what_is_shared_stays_shared(base: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """kohya trains q, k and v in one matrix: one A for all; cut and put together it is the same file."""
    system = describe_system(request.getfixturevalue(base))
    made = dict(contents(system, "lora", "denoiser")["denoiser"])
    for path, one in list(made.items()):
        if path.endswith(("to_k", "to_v")):
            q = made[path[:-1] + "q"].tensors["down"]
            made[path] = replace(one, tensors={**one.tensors, "down": q})
    (first,) = write_adapter(named(tmp_path, "kohya"), {"denoiser": made}, system, "kohya")
    (there,) = convert_adapter(first.path, system, "diffusers")
    (back,) = convert_adapter(there.path, system, "kohya")
    assert back.sha256 == first.sha256
    joint = "joint_blocks_0_x_block_attn_qkv" if base == "sd3" else "double_blocks_0_img_attn_qkv"
    assert load_file(back.path)[f"lora_unet_{joint}.lora_down.weight"].shape[0] == 3


def test_some_of_q_k_and_v(sd3: Path, tmp_path: Path) -> None:
    """Of ranks of their own, and one of them left as it is."""
    system = describe_system(sd3)
    made = dict(contents(system, "lora", "denoiser")["denoiser"])
    for path, one in list(made.items()):
        if path.endswith("attn.to_k"):
            del made[path]
        if path.endswith("attn.to_v"):
            low = {"down": one.tensors["down"][:1], "up": one.tensors["up"][:, :1]}
            made[path] = replace(one, tensors=low, alpha=one.alpha / 3)  # type: ignore[operator]
    (file,) = write_adapter(named(tmp_path, "comfyui"), {"denoiser": made}, system, "comfyui")
    found, _ = read_contents(file.path, system)
    assert set(found["denoiser"]) == set(made)
    for path, one in made.items():
        other = found["denoiser"][path]
        assert all(torch.equal(t, other.tensors[k]) for k, t in one.tensors.items())
        assert other.alpha == pytest.approx(one.alpha, rel=1e-6)


def test_lokr_of_several_layers_at_once_stays_what_it_is(flux_dev: Path, tmp_path: Path) -> None:
    """As LyCORIS trains it on kohya's FLUX: no one of q, k and v can be told it alone."""
    system, name = describe_system(flux_dev), "double_blocks.0.img_attn.qkv"
    g = torch.Generator().manual_seed(0)
    tensors = {"lokr_w1": torch.randn(4, 4, generator=g), "lokr_w2": torch.randn(24, 8, generator=g),
               "alpha": torch.tensor(1.0)}  # fmt: skip
    source = tmp_path / "k.safetensors"
    save_file({f"lora_unet_{name.replace('.', '_')}.{k}": v for k, v in tensors.items()}, source)
    (there,) = convert_adapter(source, system, "comfyui")
    assert set(load_file(there.path)) == {f"diffusion_model.{name}.{k}" for k in tensors}
    (back,) = convert_adapter(there.path, system, "kohya")
    assert all(torch.equal(v, load_file(source)[k]) for k, v in load_file(back.path).items())
    for layout in ("peft", "diffusers"):
        with pytest.raises(UsageError, match=rf"{layout} files have no name for {name}"):
            convert_adapter(source, system, layout)


@pytest.mark.parametrize("layout", DOTTED)
def test_what_bounds_a_rotation_goes_along(sd1: Path, tmp_path: Path, layout: Layout) -> None:
    """An alpha of OFT is no strength, but how far it may turn."""
    system, path = describe_system(sd1), "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    blocks = torch.randn(16, 4, 4, generator=torch.Generator().manual_seed(0))
    key = f"lora_unet_{path.replace('.', '_')}"
    save_file({f"{key}.oft_blocks": blocks, f"{key}.alpha": torch.tensor(1e-3)}, tmp_path / "o.safetensors")
    (there,) = convert_adapter(tmp_path / "o.safetensors", system, layout)
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    before, after = (
        read_adapter(one, system).parts["denoiser"][path] for one in (tmp_path / "o.safetensors", there.path)
    )
    assert torch.equal(after.delta(weight), before.delta(weight))
    assert before.delta(weight).norm() < 0.2 * weight.norm()


def test_a_folder_of_no_name_of_its_own(sd1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, folder = describe_system(sd1), tmp_path / "bag"
    write_adapter(folder, contents(system, "lora", "denoiser"), system, "peft")
    monkeypatch.chdir(folder)
    assert [one.path for one in convert_adapter(Path(), system, "kohya")] == [tmp_path / "bag-kohya.safetensors"]


def test_names_that_nobody_knows(tmp_path: Path) -> None:
    system = describe_system(pixart(tmp_path))
    made = contents(system, "lora", "denoiser")
    with pytest.raises(UsageError, match="what ComfyUI calls the layers of model is not known here"):
        write_adapter(tmp_path / "n.safetensors", made, system, "comfyui")
    (file,) = write_adapter(tmp_path / "n.safetensors", made, system, "kohya")
    assert differences(read_contents(file.path, system)[0], made) == []


def test_what_has_no_form_is_named_in_a_line(sd1: Path, sd3: Path, tmp_path: Path) -> None:
    one, two = describe_system(sd1), describe_system(sd3)
    cases = [
        (one, "loha", "diffusers", "diffusers files have no form for LoHa (.*); choose --to kohya or comfyui"),
        (one, "full", "peft", "peft files have no form for full differences"),
        (one, "oft", "peft", "peft files have no form for rotations"),
        (one, "oft", "diffusers", "diffusers files have no form for rotations"),
        (two, "lokr", "kohya", "to_q, .* in one layer, joint_blocks.0.x_block.attn.qkv: .*; choose --to peft"),
    ]
    for system, method, layout, line in cases:
        with pytest.raises(UsageError, match=line) as error:
            write_adapter(tmp_path / "n.safetensors", contents(system, method, "denoiser"), system, layout)  # type: ignore[arg-type]
        assert "\n" not in str(error.value) and not (tmp_path / "n.safetensors").exists()
    made = contents(one, "lora", "denoiser")
    half = {"denoiser": {**made["denoiser"], **dict(list(contents(one, "dora", "denoiser")["denoiser"].items())[:1])}}
    with pytest.raises(UsageError, match="no form for dora and lora in one network"):
        write_adapter(tmp_path / "n.safetensors", half, one, "diffusers")
    assert layout_for(half, one) == "kohya" and layout_for(made, one) == "diffusers"
    assert layout_for(contents(two, "lokr", "denoiser"), two) == "peft"
    write_adapter(tmp_path / "n.safetensors", made, one, "diffusers")
    with pytest.raises(UsageError, match="is there already"):
        write_adapter(tmp_path / "n.safetensors", made, one, "diffusers")
