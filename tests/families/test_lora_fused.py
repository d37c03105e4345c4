"""LoRA files of transformers whose layers are fused, of every layout, are what diffusers makes of them; refusals."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.loaders import lora_conversion_utils as theirs
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file, save_file
from test_lora_layouts import n, picture
from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt, pieces_of, read_adapter
from mezzotint.pretrained.lora_file import Alphas
from mezzotint.pretrained.system import describe_system
from mezzotint.tensorfile import Header

RANK, ALPHA = 4, 2.0


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def named(folder: Path) -> dict[str, tuple[int, int]]:
    """The original names of a transformer's layers -> (output rows, inputs) of each."""
    part = parts_to_adapt(describe_system(folder))["denoiser"]
    layers = layers_of(part)
    found = {}
    for name, pieces in pieces_of(part).items():
        weights = [layers[path].weight.shape for path, _ in pieces]
        if name not in layers and len(weights[0]) == 2:
            found[name] = (sum(shape[0] for shape in weights), weights[0][1])
    return found


def lora(folder: Path, spell: Callable[[str], str], tails: tuple[str, str], keep: Callable[[str], bool]) -> Any:
    made = {}
    for k, (name, (out, inner)) in enumerate(named(folder).items()):
        if keep(name):
            made[f"{spell(name)}.{tails[0]}"] = drawn(RANK, inner, seed=2 * k)
            made[f"{spell(name)}.{tails[1]}"] = drawn(out, RANK, seed=2 * k + 1)
    return made


def changes(path: Path, folder: Path) -> dict[str, np.ndarray]:
    """What a file adds to each layer of the transformer."""
    layers = layers_of(parts_to_adapt(describe_system(folder))["denoiser"])
    found = read_adapter(path, describe_system(folder))
    assert not found.coverage.unknown
    return {p: n(c.delta(torch.zeros(layers[p].weight.shape))) for p, c in found.parts["denoiser"].items()}


def products(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """The same of a file that diffusers has converted, in float64."""
    heads = [k.removesuffix(".lora_A.weight") for k in tensors if k.endswith(".lora_A.weight")]
    return {
        h.removeprefix("transformer."): n(tensors[f"{h}.lora_B.weight"]) @ n(tensors[f"{h}.lora_A.weight"])
        for h in heads
    }


def same(mine: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert set(mine) == set(other) and len(mine) > 3
    for path, value in mine.items():
        np.testing.assert_allclose(value, other[path], rtol=1e-5, atol=1e-5, err_msg=path)


def is_xlabs(name: str) -> bool:
    return "_lora" in name


@pytest.mark.parametrize("layout", ["kohya", "comfyui", "xlabs"])
def test_flux_is_cut_as_diffusers_cuts_it(layout: str, flux_dev: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Its sizes of single blocks are those of the published model alone: the same function with ours."""
    if layout == "xlabs":
        tails = ("down.weight", "up.weight")
        tensors = lora(flux_dev, lambda s: ".processor.".join(s.rsplit(".", 1)), tails, is_xlabs)
        expected = products(theirs._convert_xlabs_flux_lora_to_diffusers(dict(tensors)))
    else:
        spell = {"kohya": lambda s: "lora_unet_" + s.replace(".", "_"), "comfyui": lambda s: f"diffusion_model.{s}"}
        tails = ("lora_down.weight", "lora_up.weight")
        single = layout == "comfyui"
        tensors = lora(flux_dev, spell[layout], tails, lambda s: not is_xlabs(s) and "linear1" not in s)
        if not single:
            heads = {k.rpartition(".lora_")[0] for k in tensors if "final_layer" not in k}
            tensors |= {f"{head}.alpha": torch.tensor(ALPHA) for head in heads}
            tensors = {k: v for k, v in tensors.items() if "final_layer" not in k}
        expected = products(theirs._convert_kohya_flux_lora_to_diffusers(dict(tensors)))
    expected = {path.removeprefix("transformer."): v for path, v in expected.items()}
    save_file(tensors, tmp_path / "a.safetensors")
    same(changes(tmp_path / "a.safetensors", flux_dev), expected)
    assert (picture(flux_dev, size="32x32", lora=[tmp_path / "a.safetensors"]) != picture(flux_dev, size="32x32")).any()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["flux_dev", "sd3"])
def test_a_fused_layer_is_its_parts_one_below_the_other(family: str, tmp_path: Path, request: Any) -> None:
    """By weights changed by hand, in float64: every original name, bare, with bias and full differences too."""
    folder = request.getfixturevalue(family)
    name = {"flux_dev": "single_blocks.0.linear1", "sd3": "joint_blocks.1.x_block.attn.qkv"}[family]
    head = {"flux_dev": "single_transformer_blocks.0.", "sd3": "transformer_blocks.1."}[family]
    paths = [f"{head}{x}" for x in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")[: 4 if family != "sd3" else 3]]
    out, inner = named(folder)[name]
    a, b, bias = drawn(RANK, inner, seed=1), drawn(out, RANK, seed=2), drawn(out, seed=3)
    magnitude = drawn(out, seed=4).abs() + 0.5
    weights = load_file(folder / "transformer/diffusion_pytorch_model.safetensors")
    base = np.concatenate([n(weights[f"{path}.weight"]) for path in paths])
    moved = base + ALPHA / RANK * n(b) @ n(a)
    scaled = n(magnitude)[:, None] * moved / np.sqrt((moved**2).sum(1, keepdims=True))
    low = {"lora_A.weight": a, "lora_B.weight": b, "alpha": torch.tensor(ALPHA)}
    cases = {
        "low": (low, moved), "full": ({"diff": torch.from_numpy(moved - base).float(), "diff_b": bias}, moved),
        "dora": ({**low, "dora_scale": magnitude[:, None]}, scaled),
    }  # fmt: skip
    for case, (tensors, wanted) in cases.items():
        file, copy = tmp_path / f"{case}.safetensors", tmp_path / case
        prefix = "" if case == "low" else "diffusion_model."
        save_file({f"{prefix}{name}.{k}": v for k, v in tensors.items()}, file)
        shutil.copytree(folder, copy)
        at, new = 0, dict(weights)
        for path in paths:
            end = at + len(weights[f"{path}.weight"])
            new[f"{path}.weight"] = torch.from_numpy(wanted[at:end]).float()
            if case == "full":
                new[f"{path}.bias"] = weights[f"{path}.bias"] + bias[at:end]
            at = end
        save_file(new, copy / "transformer/diffusion_pytorch_model.safetensors")
        got, expected = (picture(f, size="32x32", **w) for f, w in ((folder, {"lora": [file]}), (copy, {})))
        assert np.abs(got - expected).max() <= 1, case
        assert np.abs(got - picture(folder, size="32x32")).max() > 1, case


def test_sd3_has_every_layer_under_its_original_name(sd3: Path) -> None:
    part = parts_to_adapt(describe_system(sd3))["denoiser"]
    linear = {p for p, m in layers_of(part).items() if isinstance(m, torch.nn.Linear)}
    fused = {path for name, pieces in pieces_of(part).items() if name not in linear for path, _ in pieces}
    assert linear - {"context_embedder"} <= fused  # which is called the same


def test_the_last_scale_and_shift_change_places(sd3: Path, flux_dev: Path) -> None:
    for folder in (sd3, flux_dev):
        part = parts_to_adapt(describe_system(folder))["denoiser"]
        pieces = pieces_of(part)
        rows = len(layers_of(part)["norm_out.linear"].weight)
        x = torch.arange(rows)
        ((_, ranges),) = pieces["final_layer.adaLN_modulation.1"]
        assert torch.equal(torch.cat([x[a:b] for a, b in ranges]), theirs.swap_scale_shift(x))
    ((path, ranges),) = pieces_of(parts_to_adapt(describe_system(sd3))["denoiser"])[
        "joint_blocks.1.context_block.adaLN_modulation.1"
    ]
    assert path == "transformer_blocks.1.norm1_context.linear" and len(ranges) == 2


def test_alphas_of_the_header_are_those_that_diffusers_reads(sd1: Path, tmp_path: Path) -> None:
    layer = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"
    tensors = {}
    for k, name in enumerate(("to_q", "to_k")):
        tensors[f"unet.{layer}.{name}.lora_A.weight"] = drawn(RANK, 64, seed=k)
        tensors[f"unet.{layer}.{name}.lora_B.weight"] = drawn(64, RANK, seed=9 + k)
    said = {"unet.r": RANK, "unet.lora_alpha": 12, "unet.alpha_pattern": {f"{layer}.to_k": 2}, "unet.rank_pattern": {},
            "unet.target_modules": ["to_q", "to_k"], "unet.peft_type": "LORA"}  # fmt: skip
    path = tmp_path / "h.safetensors"
    save_file(tensors, path, {"format": "pt", "lora_adapter_metadata": json.dumps(said)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None)
        pipe.load_lora_weights(tmp_path, weight_name=path.name, adapter_name="h")
        scales = {name: pipe.unet.get_submodule(f"{layer}.{name}").scaling["h"] for name in ("to_q", "to_k")}
    found = read_adapter(path, describe_system(sd1))
    mine = {name: found.parts["denoiser"][f"{layer}.{name}"].scale for name in scales}
    assert mine == scales == {"to_q": 3.0, "to_k": 0.5}
    assert "alpha in the file for 0 of 2, in its header for 2" in str(found.coverage)
    folder = tmp_path / "peft"
    folder.mkdir()
    other = {k.replace("unet.", "base_model.model."): v for k, v in tensors.items()}
    save_file(other, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": RANK, "lora_alpha": 8, "use_rslora": True}))
    found = read_adapter(folder / "adapter_model.safetensors", describe_system(sd1))
    assert {c.scale for c in found.parts["denoiser"].values()} == {8 / RANK**0.5}


LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.mark.parametrize(
    "name", ["to_q", "o_q", "^to_q", f"^{LAYER}", r".*attn1\.to_(q|k)", r"attn\d+.to_q", "attn1", "blocks.0..*.to_q"]
)
def test_patterns_of_alphas_are_matched_as_peft_matches_them(name: str, tmp_path: Path) -> None:
    said = {"lora_adapter_metadata": json.dumps({"unet.lora_alpha": 12, "unet.alpha_pattern": {name: 2}})}
    found = Alphas(tmp_path / "h.safetensors", Header({}, said, 0))("denoiser", LAYER, RANK)
    assert found == (2 if get_pattern_key([name], LAYER) == name else 12)


@pytest.mark.parametrize("name", ["(to_q", "(.+)+x", "a" * 300, ".*" * 9, "(a|a)" * 9])
def test_a_pattern_that_is_none_or_never_ends_is_refused(name: str, tmp_path: Path) -> None:
    said = {"lora_adapter_metadata": json.dumps({"unet.lora_alpha": 12, "unet.alpha_pattern": {name: 2}})}
    with pytest.raises(ModelError, match=r"its alpha_pattern has .* no regular expression that is taken") as caught:
        Alphas(tmp_path / "h.safetensors", Header({}, said, 0))("denoiser", LAYER, RANK)
    assert "\n" not in str(caught.value)


def test_differences_of_normalisation_layers(sd1: Path, tmp_path: Path) -> None:
    names = {"LayerNorm": "down_blocks.1.attentions.0.transformer_blocks.0.norm2", "GroupNorm": "conv_norm_out"}
    weights, tensors = load_file(sd1 / "unet/diffusion_pytorch_model.safetensors"), {}
    new = dict(weights)
    for k, path in enumerate(names.values()):
        w, b = (drawn(len(weights[f"{path}.weight"]), seed=k + s) for s in (0, 5))
        tensors |= {f"lora_unet_{path.replace('.', '_')}.{x}_norm": v for x, v in (("w", w), ("b", b))}
        new |= {f"{path}.{x}": weights[f"{path}.{x}"] + 0.7 * v for x, v in (("weight", w), ("bias", b))}
    save_file(tensors, tmp_path / "n.safetensors")
    shutil.copytree(sd1, tmp_path / "changed")
    save_file(new, tmp_path / "changed/unet/diffusion_pytorch_model.safetensors")
    got = picture(sd1, lora=[f"{tmp_path / 'n.safetensors'}:0.7"])
    assert np.abs(got - picture(tmp_path / "changed")).max() <= 1 and np.abs(got - picture(sd1)).max() > 1


def test_a_file_for_another_base_says_which(sd1: Path, sdxl: Path, sd3: Path, flux_dev: Path, tmp_path: Path) -> None:
    attn = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    said: list[tuple[Path, str, dict[str, str], int, str]] = [
        (sd1, f"lora_unet_{attn.replace('.', '_')}", {"ss_base_model_version": "sdxl_base_v1-0"}, 7, "XL"),
        (sdxl, f"unet.{attn}", {"modelspec.architecture": "stable-diffusion-v1/lora"}, 7, "Stable Diffusion 1"),
        (sdxl, f"unet.{attn}", {}, 768, "Stable Diffusion 1"), (sd1, f"unet.{attn}", {}, 2048, "XL"),
        (sdxl, f"unet.{attn}", {}, 1024, "Stable Diffusion 2"),
        (sd1, "lora_unet_double_blocks_0_img_attn_qkv", {}, 7, "FLUX.1"),
        (flux_dev, "lora_unet_joint_blocks_0_x_block_attn_qkv", {}, 7, "Stable Diffusion 3"),
        (sd3, "transformer.single_transformer_blocks.0.attn.to_q", {}, 7, "FLUX.1"),
    ]  # fmt: skip
    for folder, head, metadata, inner, base in said:
        tails = ("lora_A", "lora_B") if "." in head else ("lora_down", "lora_up")
        tensors = {f"{head}.{tails[0]}.weight": torch.ones(2, inner), f"{head}.{tails[1]}.weight": torch.ones(64, 2)}
        save_file(tensors, tmp_path / "x.safetensors", metadata)
        with pytest.raises(ModelError, match=rf", it is for .*{base}") as error:
            read_adapter(tmp_path / "x.safetensors", describe_system(folder))
        assert "\n" not in str(error.value)


def test_what_is_no_lora_says_what_it_is(sd1: Path, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(2, 32)}, tmp_path / "e.safetensors")
    with pytest.raises(ModelError, match="a word that was learned, no LoRA; give it with --embedding"):
        read_adapter(tmp_path / "e.safetensors", describe_system(sd1))
    whole = {f"model.diffusion_model.input_blocks.{k}.weight": torch.ones(2) for k in range(30)}
    save_file(whole, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="no LoRA but whole weights of a model; give it with --model"):
        read_adapter(tmp_path / "w.safetensors", describe_system(sd1))
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.ckpt")
    with pytest.raises(ModelError, match="mezzotint convert"):
        read_adapter(tmp_path / "x.ckpt", describe_system(sd1))


def test_other_writers_prefixes(sd1: Path, flux_dev: Path, tmp_path: Path) -> None:
    """SimpleTuner's, and T5's in files for FLUX, where it is the second encoder."""
    layer = "encoder_block_0_layer_0_SelfAttention_q"
    cases = [
        (sd1, "lycoris_conv_norm_out.w_norm", "denoiser", "conv_norm_out", (32,)),
        (flux_dev, f"lora_te3_{layer}.diff", "text_encoder_2", "encoder.block.0.layer.0.SelfAttention.q", (32, 32)),
        (flux_dev, f"text_encoders.t5xxl.transformer.{layer}.diff", "text_encoder_2", "", (32, 32)),
        (flux_dev, "text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1.diff", "text_encoder", "",
         (64, 32)),
    ]  # fmt: skip
    for folder, key, part, path, shape in cases:
        save_file({key: torch.ones(shape)}, tmp_path / "p.safetensors")
        found = read_adapter(tmp_path / "p.safetensors", describe_system(folder))
        assert found.coverage.matched == {part: 1} and (not path or path in found.parts[part])
