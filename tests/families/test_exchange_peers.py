"""Adapters written here, loaded by diffusers and PEFT themselves: the outputs of a base changed by hand in float64."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from exchanging import METHODS, contents, merged, varied
from thinned import thinned
from torch import Tensor, nn

from mezzotint.nets.adapters.contents import Contents
from mezzotint.pretrained.adapter_files import PEFT_CONFIG
from mezzotint.pretrained.adapters import parts_to_adapt
from mezzotint.pretrained.exchange.names import Layout
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.system import System, describe_system

peft = pytest.importorskip("peft")
NEAR = 1e-5
PEFT_S = [name for name in METHODS if name not in ("full", "oft")]
"""Methods that PEFT's files have a form for."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Their warnings are theirs; those about keys without a place are errors, seen by what is logged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def unet_words(config: Any) -> dict[str, Any]:
    added = {"text_embeds": drawn(2, 24), "time_ids": drawn(2, 6).abs() * 9} if config.addition_embed_type else None
    return {"sample": drawn(2, 4, 16, 16), "timestep": 37, "added_cond_kwargs": added,
            "encoder_hidden_states": drawn(2, 7, config.cross_attention_dim)}  # fmt: skip


def sd3_words(config: Any) -> dict[str, Any]:
    return {"hidden_states": drawn(2, 4, 16, 16), "encoder_hidden_states": drawn(2, 7, 64),
            "pooled_projections": drawn(2, 48), "timestep": torch.tensor([37.0, 37.0])}  # fmt: skip


def flux_words(config: Any) -> dict[str, Any]:
    return {"hidden_states": drawn(2, 9, 16), "encoder_hidden_states": drawn(2, 7, 32), "img_ids": torch.zeros(9, 3),
            "pooled_projections": drawn(2, 32), "timestep": torch.full((2,), 0.3), "txt_ids": torch.zeros(7, 3),
            "guidance": torch.full((2,), 3.5) if config.guidance_embeds else None}  # fmt: skip


def pixart_words(config: Any) -> dict[str, Any]:
    return {"hidden_states": drawn(2, 4, 16, 16), "encoder_hidden_states": drawn(2, 7, config.caption_channels),
            "timestep": torch.tensor([37, 37]),
            "added_cond_kwargs": {"resolution": None, "aspect_ratio": None}}  # fmt: skip


WORDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "UNet2DConditionModel": unet_words, "SD3Transformer2DModel": sd3_words, "FluxTransformer2DModel": flux_words,
    "PixArtTransformer2DModel": pixart_words,
}  # fmt: skip


def answer(net: nn.Module) -> Tensor:
    """What one of their networks says."""
    name = type(net.get_base_model() if isinstance(net, peft.PeftModel) else net).__name__
    if name in WORDS:
        return net(**WORDS[name](net.config)).sample
    return net(input_ids=torch.tensor([[3, 1, 4, 1, 5, 9, 2]])).last_hidden_state


def gap(one: Tensor, other: Tensor) -> float:
    """Largest, where values are above 1 as a share of the largest."""
    return float((one - other).abs().max() / other.abs().max().clamp_min(1.0))


def loaded(folder: Path, file: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """The pipeline with an adapter; every key has its place."""
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder, safety_checker=None)
    diffusers.utils.logging.enable_propagation()
    with caplog.at_level(logging.WARNING):
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name="a")
    said = [r.getMessage() for r in caplog.records if r.name.startswith("diffusers.loaders") or "peft" in r.name]
    theirs = [text for text in said if "CLIPTextModel" not in text]  # transformers lists the base's own weights
    assert not theirs, theirs
    return pipe


def check(pipe: Any, system: System, made: Contents) -> None:
    for part, layers in made.items():
        name = system.components.denoising.name if part == "denoiser" and system.components else part
        expected, plain = answer(merged(system, part, layers)), answer(merged(system, part, {}))
        assert gap(answer(getattr(pipe, name).eval()), expected) < NEAR, part
        assert gap(plain, expected) > 1e-3, part


CASES = [
    ("sd1", "diffusers", "lora"), ("sd1", "diffusers", "dora"), ("sd1", "kohya", "lora"),
    ("sdxl", "diffusers", "lora"), ("sdxl", "diffusers", "dora"), ("sdxl", "kohya", "lora"),
    ("sd3", "diffusers", "lora"), ("sd3", "diffusers", "dora"),
    ("flux_dev", "diffusers", "lora"), ("flux_dev", "diffusers", "dora"),
]  # fmt: skip
TEXTS = {"sd1": ("text_encoder",), "sdxl": ("text_encoder", "text_encoder_2"), "flux_dev": ("text_encoder",),
         "sd3": ("text_encoder", "text_encoder_2")}  # fmt: skip
"""Those that diffusers puts adapters on."""


@pytest.mark.slow
@pytest.mark.parametrize(("base", "layout", "method"), CASES)
def test_diffusers_loads_it(
    base: str,
    layout: Layout,
    method: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With other ranks and alphas in some layers, and layers that others' names end alike.

    DoRA on the denoiser alone: transformers 5 has no place for the norms in its text encoders' adapters; nor has it for
    their attention as diffusers reads it of kohya's names.
    """
    folder = request.getfixturevalue(base)
    system = describe_system(folder)
    made = contents(system, method, "denoiser", *(TEXTS[base] if method == "lora" else ()))
    made = varied(made) if method == "lora" else made
    if layout == "kohya":
        made = {part: {k: v for k, v in layers.items() if "self_attn" not in k} for part, layers in made.items()}
    (file,) = write_adapter(tmp_path / "a.safetensors", made, system, layout)
    check(loaded(folder, file.path, caplog), system, made)


def test_diffusers_cuts_kohyas_flux_as_it_was(flux_dev: Path, tmp_path: Path) -> None:
    """q, k and v of matrices of their own, side by side in one layer.  Its sizes of single blocks are those of the
    published model alone."""
    system = describe_system(flux_dev)
    chosen = contents(system, "lora", "denoiser")["denoiser"]
    layers = {k: v for k, v in chosen.items() if k.startswith("transformer") and "add_q" not in k}
    (file,) = write_adapter(tmp_path / "a.safetensors", {"denoiser": layers}, system, "kohya")
    found = diffusers.FluxPipeline.lora_state_dict(tmp_path, weight_name=file.path.name)
    heads = {k.removesuffix(".lora_A.weight") for k in found if k.endswith(".lora_A.weight")}
    assert {head.removeprefix("transformer.") for head in heads} == set(layers) and len(layers) > 4
    for head in heads:
        held = layers[head.removeprefix("transformer.")]
        assert found[f"{head}.lora_A.weight"].shape == held.tensors["down"].shape
        change = held.change
        assert change is not None
        theirs = found[f"{head}.lora_B.weight"] @ found[f"{head}.lora_A.weight"]
        assert gap(theirs, change.delta(theirs)) < NEAR


@pytest.mark.parametrize(("base", "method"), thinned(["flux_dev", "sd1", "sdxl", "sd3"], PEFT_S))
def test_peft_loads_it(base: str, method: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    system = describe_system(request.getfixturevalue(base))
    made = contents(system, method, "denoiser", "text_encoder")
    made = varied(made) if method == "lora" else made
    write_adapter(tmp_path / "a", made, system, "peft")
    for part, layers in made.items():
        name = system.components.denoising.name if part == "denoiser" and system.components else part
        theirs = peft.PeftModel.from_pretrained(merged(system, part, {}), tmp_path / "a" / name)
        placed = {k.removeprefix("base_model.model.") for k, m in theirs.named_modules() if _is_tuned(m)}
        assert placed == set(layers), part
        expected = answer(merged(system, part, layers))
        assert gap(answer(theirs.eval()), expected) < NEAR, part
        assert gap(answer(merged(system, part, {})), expected) > 1e-3, part


def _is_tuned(layer: nn.Module) -> bool:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return isinstance(layer, BaseTunerLayer)


@pytest.mark.parametrize("method", PEFT_S)
def test_peft_loads_it_on_a_network_of_ours(method: str, tiny: Path, tmp_path: Path) -> None:
    system = describe_system(tiny)
    made = contents(system, method)
    write_adapter(tmp_path / "a", made, system, "peft")
    assert (tmp_path / "a" / PEFT_CONFIG).is_file() and set(parts_to_adapt(system)) == {"denoiser"}
    theirs = peft.PeftModel.from_pretrained(merged(system, "denoiser", {}), tmp_path / "a").eval()
    words = (drawn(2, 1, 8, 8), torch.full((2,), 0.4), {"label": torch.tensor([0, 2])})
    expected = merged(system, "denoiser", made["denoiser"])(*words)
    assert gap(theirs(*words), expected) < NEAR and gap(merged(system, "denoiser", {})(*words), expected) > 1e-3
