"""Adapter files of every layout give the picture of a base whose weights were changed by hand, in float64."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import ModelError
from mezzotint.nets.adapters.changes import Full
from mezzotint.nets.adapters.lora import changed
from mezzotint.pretrained.adapters import layers_of, names_of, read_adapter
from mezzotint.pretrained.components import components
from mezzotint.pretrained.system import describe_system

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
LINEAR = "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2"
CONVOLUTION = "down_blocks.0.resnets.0.conv1"
STRENGTH = 0.7


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape))) * 0.4


def kron(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """By its definition, entry by entry."""
    out = np.zeros((a.shape[0] * b.shape[0], a.shape[1] * b.shape[1], *b.shape[2:]))
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[i * b.shape[0] : (i + 1) * b.shape[0], j * b.shape[1] : (j + 1) * b.shape[1]] = a[i, j] * b
    return out


def core(t: Tensor, a: Tensor, b: Tensor) -> np.ndarray:
    """A core (r, s, kh, kw) between (r, out) and (s, in)."""
    tt, aa, bb = (x.double().numpy() for x in (t, a, b))
    return np.einsum("rskl,ro,si->oikl", tt, aa, bb)


Case = tuple[dict[str, Tensor], Callable[[np.ndarray], np.ndarray]]
"""(tensors of one layer, weight -> what is added to it at strength 1)."""


def n(x: Tensor) -> np.ndarray:
    return x.double().numpy()


def loha(shape: tuple[int, ...]) -> Case:
    a1, b1, a2, b2 = (
        drawn(shape[0], 2),
        drawn(2, shape[1], seed=1),
        drawn(shape[0], 2, seed=2),
        drawn(2, shape[1], seed=3),
    )
    tensors = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "alpha": torch.tensor(4.0)}
    return tensors, lambda w: 2.0 * (n(a1) @ n(b1)) * (n(a2) @ n(b2))


def loha_tucker(shape: tuple[int, ...]) -> Case:
    a1, b1, a2, b2 = (
        drawn(2, shape[0]),
        drawn(2, shape[1], seed=1),
        drawn(2, shape[0], seed=2),
        drawn(2, shape[1], seed=3),
    )
    t1, t2 = drawn(2, 2, *shape[2:]), drawn(2, 2, *shape[2:], seed=4)
    tensors = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "hada_t1": t1, "hada_t2": t2,
               "alpha": torch.tensor(2.0)}  # fmt: skip
    return tensors, lambda w: core(t1, a1, b1) * core(t2, a2, b2)


def lokr(shape: tuple[int, ...]) -> Case:
    left, a, b = drawn(4, 4), drawn(shape[0] // 4, 2), drawn(2, shape[1] // 4, seed=1)
    tensors = {"lokr_w1": left, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(1.0)}
    return tensors, lambda w: 0.5 * kron(n(left), n(a) @ n(b))


def lokr_whole(shape: tuple[int, ...]) -> Case:
    """Neither side in two: alpha means nothing."""
    left, right = drawn(4, 4), drawn(shape[0] // 4, shape[1] // 4, *shape[2:])
    return {"lokr_w1": left, "lokr_w2": right, "alpha": torch.tensor(64.0)}, lambda w: kron(n(left), n(right))


def lokr_tucker(shape: tuple[int, ...]) -> Case:
    left, t, a, b = drawn(4, 4), drawn(2, 2, *shape[2:]), drawn(2, shape[0] // 4), drawn(2, shape[1] // 4, seed=1)
    tensors = {"lokr_w1": left, "lokr_t2": t, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(1.0)}
    return tensors, lambda w: 0.5 * kron(n(left), core(t, a, b))


def full(shape: tuple[int, ...]) -> Case:
    whole = drawn(*shape)
    return {"diff": whole}, lambda w: n(whole)


def locon(shape: tuple[int, ...]) -> Case:
    """A convolution's low rank with a core between."""
    down, mid, up = drawn(2, shape[1], 1, 1), drawn(2, 2, *shape[2:]), drawn(shape[0], 2, 1, 1)
    tensors = {"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up, "alpha": torch.tensor(1.0)}
    return tensors, lambda w: 0.5 * np.einsum("or,rskl,si->oikl", n(up)[..., 0, 0], n(mid), n(down)[..., 0, 0])


def dora_by(axis: int) -> Callable[[tuple[int, ...]], Case]:
    def case(shape: tuple[int, ...]) -> Case:
        a, b, m = drawn(2, shape[1]), drawn(shape[0], 2), drawn(shape[axis], seed=9).abs() + 0.5
        tensors = {"lora_down.weight": a, "lora_up.weight": b, "alpha": torch.tensor(2.0),
                   "dora_scale": m[:, None] if axis == 0 else m[None]}  # fmt: skip

        def added(w: np.ndarray) -> np.ndarray:
            moved = w + n(b) @ n(a)
            return n(tensors["dora_scale"]) * moved / np.sqrt((moved**2).sum(1 - axis, keepdims=True)) - w

        return tensors, added

    return case


CASES: dict[str, tuple[str, Callable[[tuple[int, ...]], Case]]] = {
    "loha": (LINEAR, loha), "loha tucker": (CONVOLUTION, loha_tucker), "lokr": (LINEAR, lokr),
    "lokr whole": (CONVOLUTION, lokr_whole), "lokr tucker": (CONVOLUTION, lokr_tucker), "full": (CONVOLUTION, full),
    "locon": (CONVOLUTION, locon), "dora by rows": (LINEAR, dora_by(0)), "dora by columns": (LINEAR, dora_by(1)),
}  # fmt: skip


def picture(folder: Path, **words: object) -> np.ndarray:
    return mz.generate("a red chair", model=folder, seed=3, steps=2, **words).images[0].pixels.astype(int)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_the_picture_is_that_of_changed_weights(case: str, sd1: Path, tmp_path: Path) -> None:
    layer, made = CASES[case]
    weights = load_file(sd1 / WEIGHTS)
    base = weights[f"{layer}.weight"]
    tensors, added = made(tuple(base.shape))
    save_file(
        {f"lora_unet_{layer.replace('.', '_')}.{k}": v.contiguous() for k, v in tensors.items()},
        tmp_path / "a.safetensors",
    )
    shutil.copytree(sd1, tmp_path / "changed")
    change = torch.from_numpy(STRENGTH * added(n(base)).reshape(base.shape)).float()
    save_file({**weights, f"{layer}.weight": base + change}, tmp_path / "changed" / WEIGHTS)
    plain, wanted = picture(sd1), picture(tmp_path / "changed")
    assert np.abs(plain - wanted).max() > 3, "the change does not show"
    got = picture(sd1, lora=[f"{tmp_path / 'a.safetensors'}:{STRENGTH}"])
    assert np.abs(got - wanted).max() <= 1
    assert np.array_equal(picture(sd1), plain), "the base was changed"


def test_a_layer_that_is_changed_stays_as_it_is() -> None:
    layer, added = torch.nn.Linear(3, 2), drawn(2, 3)
    before = layer.weight.detach().clone()
    made = changed(layer, [(Full(added), 0.5)])
    assert torch.equal(layer.weight, before)
    assert torch.allclose(made.get_parameter("weight"), before + 0.5 * added)


def test_a_bias_is_added(sd1: Path, tmp_path: Path) -> None:
    weights = load_file(sd1 / WEIGHTS)
    base, bias = weights[f"{CONVOLUTION}.weight"], drawn(32)
    name = f"lora_unet_{CONVOLUTION.replace('.', '_')}"
    save_file({f"{name}.diff": torch.zeros_like(base), f"{name}.diff_b": bias}, tmp_path / "b.safetensors")
    shutil.copytree(sd1, tmp_path / "changed")
    save_file({**weights, f"{CONVOLUTION}.bias": weights[f"{CONVOLUTION}.bias"] + bias}, tmp_path / "changed" / WEIGHTS)
    assert np.abs(picture(sd1, lora=[tmp_path / "b.safetensors"]) - picture(tmp_path / "changed")).max() <= 1


def test_the_original_names_of_sdxl_mean_the_same_layers(sdxl: Path, tmp_path: Path) -> None:
    """kohya's own names for SDXL: ``input_blocks_4_1_…``; every layer has one, and diffusers reads them alike."""
    part = components(sdxl)["unet"]
    names = {path: name for name, path in names_of(part).items() if name != path}
    assert set(names) == set(layers_of(part))
    chosen = [p for p in names if p.endswith(("attn1.to_q", "attn2.to_v", "ff.net.0.proj"))]
    old, new = {}, {}
    for k, path in enumerate(chosen):
        out, inner = layers_of(part)[path].weight.shape
        a, b = drawn(2, inner, seed=k), drawn(out, 2, seed=k)
        for head, made in ((f"lora_unet_{names[path].replace('.', '_')}", old), (f"unet.{path}", new)):
            kohya = made is old
            made[f"{head}.{'lora_down' if kohya else 'lora_A'}.weight"] = a
            made[f"{head}.{'lora_up' if kohya else 'lora_B'}.weight"] = b
            if kohya:
                made[f"{head}.alpha"] = torch.tensor(2.0)
    save_file(old, tmp_path / "old.safetensors")
    save_file(new, tmp_path / "new.safetensors")
    assert any("input_blocks_" in k for k in old) and any("output_blocks_" in k for k in old)
    found = read_adapter(tmp_path / "old.safetensors", describe_system(sdxl))
    assert not found.coverage.unknown and found.coverage.layers == len(chosen)
    assert np.array_equal(
        picture(sdxl, lora=[tmp_path / "old.safetensors"]), picture(sdxl, lora=[tmp_path / "new.safetensors"])
    )


def test_dora_is_that_of_peft(sd1: Path, tmp_path: Path) -> None:
    """PEFT's own magnitude vector, put on by diffusers."""
    pytest.importorskip("peft")
    weights = load_file(sd1 / WEIGHTS)
    out, inner = weights[f"{LINEAR}.weight"].shape
    tensors = {
        f"unet.{LINEAR}.lora_A.weight": drawn(2, inner), f"unet.{LINEAR}.lora_B.weight": drawn(out, 2),
        f"unet.{LINEAR}.lora_magnitude_vector": drawn(out, seed=9).abs() + 0.5,
    }  # fmt: skip
    save_file(tensors, tmp_path / "d.safetensors", {"format": "pt"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        pipe.load_lora_weights(tmp_path, weight_name="d.safetensors", adapter_name="d")
        begin = Noise((3,))(0, (1, 4, 16, 16)).float()
        theirs = pipe("a red chair", latents=begin, num_inference_steps=2, output_type="np").images[0]
    got = picture(sd1, lora=[tmp_path / "d.safetensors"])
    assert np.abs(got - np.round(theirs * 255)).max() <= 1


def test_half_of_a_change_has_no_place(sd1: Path, tmp_path: Path) -> None:
    layer = f"lora_unet_{LINEAR.replace('.', '_')}"
    save_file({f"{layer}.hada_w1_a": drawn(64, 2), f"{layer}.hada_w1_b": drawn(2, 64)}, tmp_path / "h.safetensors")
    with pytest.raises(ModelError, match="does not fit"):
        picture(sd1, lora=[tmp_path / "h.safetensors"])
    save_file({f"{layer}.diff": drawn(3, 3)}, tmp_path / "d.safetensors")
    with pytest.raises(ModelError, match="is for another base than"):
        picture(sd1, lora=[tmp_path / "d.safetensors"])


LAYER = f"lora_unet_{LINEAR.replace('.', '_')}"
THIN = {f"{LAYER}.lora_down.weight": drawn(2, 256), f"{LAYER}.lora_up.weight": drawn(64, 2)}
MALFORMED = {
    "lora_up.weight": (64,), "alpha": (2,), "hada_w1_a": (64,), "oft_blocks": (8,), "boft_R": (8,), "dora_scale": (),
    "lokr_w1": (), "lora_mid.weight": (2, 2), "diff": (0, 4), "oft_R.weight": (8,),
}  # fmt: skip


@pytest.mark.parametrize("tail", MALFORMED)
def test_a_tensor_of_no_shape_for_its_key_is_named(tail: str, sd1: Path, tmp_path: Path) -> None:
    given = {**THIN, f"{LAYER}.{tail}": torch.zeros(MALFORMED[tail])}
    save_file(given, tmp_path / "m.safetensors", {"lora_adapter_metadata": '{"use_cayley_neumann": true}'})
    with pytest.raises(ModelError, match=rf"{LAYER}.{tail} has ") as caught:
        read_adapter(tmp_path / "m.safetensors", describe_system(sd1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "line"),
    [
        ({**THIN, f"{LAYER}.diff_b": drawn(5)}, r"has a bias of \(64,\); the change has one for \(5,\)"),
        ({**THIN, f"{LAYER}.lora_mid.weight": drawn(2, 3, 1, 1)}, "and its kind do not go together"),
        ({f"{LAYER}.boft_R": drawn(2, 256, 1, 1)}, "the change is for others"),
    ],
)
def test_tensors_that_do_not_go_together_are_one_line(
    tensors: dict[str, Tensor], line: str, sd1: Path, tmp_path: Path
) -> None:
    save_file(tensors, tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match=line) as caught:
        read_adapter(tmp_path / "m.safetensors", describe_system(sd1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {f"unet.{LINEAR}.lora_A.weight": drawn(2, 256), f"unet.{LINEAR}.lora_B.weight": drawn(64, 2)},
        {f"{LAYER}.diff": drawn(64, 256)},
        {f"{LAYER}.rescale": drawn(64, 1)},
    ],
    ids=["two prefixes", "a difference", "a rescale"],
)
def test_a_second_change_of_a_layer_has_no_place(more: dict[str, Tensor], sd1: Path, tmp_path: Path) -> None:
    save_file({**THIN, **more}, tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match=r"2 keys without a place|1 keys without a place"):
        read_adapter(tmp_path / "m.safetensors", describe_system(sd1))
    assert read_adapter(tmp_path / "m.safetensors", describe_system(sd1), partial=True).coverage.layers == 1
