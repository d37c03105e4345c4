"""OFT and BOFT files turn a layer's weights as their authors' code does: PEFT's by its networks' answers, kohya's and
LyCORIS' by their published formula on whole matrices."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from asking import request_of
from peft.tuners.boft import layer as boft_layer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import mezzotint as mz
from mezzotint.errors import ModelError
from mezzotint.nets.adapters.changes import Cut, part_of
from mezzotint.nets.adapters.layouts import placed
from mezzotint.nets.adapters.lora import adapted
from mezzotint.nets.adapters.rotations import Inputs, Outputs
from mezzotint.pretrained.adapters import read_adapter
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.lora_file import with_rotations
from mezzotint.pretrained.system import describe_system
from mezzotint.tensorfile import read_header

LAYERS = ("to_q", "spread", "point")


class Small(nn.Module):
    """A matrix, a convolution and one of single pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.to_q, self.spread, self.point = nn.Linear(16, 12), nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(2, 16, 4, 4) -> what each makes of it."""
        return self.to_q(x.flatten(2).mT), self.spread(x[:, :4]), self.point(x)


def written(folder: Path, config: Any) -> tuple[nn.Module, nn.Module, Path]:
    """(the base, PEFT's network, the folder that PEFT wrote)."""
    base = Small().requires_grad_(False)
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.get_peft_model(copy.deepcopy(base), config)
    for value in (p for name, p in theirs.named_parameters() if "oft_" in name):
        value.data = value.data + 0.2 * torch.randn_like(value)
    theirs.save_pretrained(folder)
    return base, theirs, folder


def ours(base: nn.Module, folder: Path) -> nn.Module:
    path = folder / "adapter_model.safetensors"
    tensors = with_rotations(load_file(path), path, read_header(path))
    made, coverage = placed(tensors, {"denoiser": {name: ((name, ()),) for name in LAYERS}})
    assert coverage.unknown == () and coverage.matched == {"denoiser": len(LAYERS)}
    return adapted(base, {path: [(change, 1.0)] for path, change in made["denoiser"].items()})


def same_answers(base: nn.Module, theirs: Any, mine: nn.Module) -> None:
    """PEFT's OFT layer of a convolution adds up overlapping places, so that even without a rotation it is another
    layer: there the weights that it merges are compared."""
    x = torch.randn(2, 16, 4, 4)
    with torch.no_grad():
        plain, asked, found = base(x), theirs(x), mine(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            merged = theirs.merge_and_unload()(x)
    for k, name in enumerate(LAYERS):
        torch.testing.assert_close(found[k], merged[k], rtol=1e-4, atol=1e-5)
        if name != "spread":
            torch.testing.assert_close(found[k], asked[k], rtol=1e-4, atol=1e-5)
        assert float((found[k] - plain[k]).abs().max()) > 0.01


OFTS: dict[str, dict[str, Any]] = {
    "blocks": {"r": 0, "oft_block_size": 4},
    "exact": {"r": 0, "oft_block_size": 4, "use_cayley_neumann": False},
    "three terms": {"r": 0, "oft_block_size": 4, "num_cayley_neumann_terms": 3},
    "two terms": {"r": 0, "oft_block_size": 4, "num_cayley_neumann_terms": 2},
    "seven terms": {"r": 2, "oft_block_size": 0, "num_cayley_neumann_terms": 7},
    "shared": {"r": 4, "oft_block_size": 0, "block_share": True},
    "whole": {"r": 1, "oft_block_size": 0},
}


@pytest.mark.parametrize("kind", OFTS)
def test_oft_of_peft(kind: str, tmp_path: Path) -> None:
    base, theirs, folder = written(tmp_path, peft.OFTConfig(target_modules=list(LAYERS), **OFTS[kind]))
    same_answers(base, theirs, ours(base, folder))


class Blocks:
    """What PEFT's extension for accelerators computes: blocks (N, d, n, n) on diagonals."""

    @staticmethod
    def apply(blocks: Tensor) -> Tensor:
        return torch.stack([torch.block_diag(*each) for each in blocks])


@pytest.mark.parametrize(("size", "factors"), [(2, 1), (4, 1), (2, 2), (4, 2), (2, 3)])
def test_boft_of_peft(size: int, factors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several factors only where its extension is, whose one function is given here."""
    targets = list(LAYERS) if factors == 1 else ["to_q", "point"]
    monkeypatch.setattr(boft_layer, "get_fbd_cuda", lambda: object())
    monkeypatch.setattr(boft_layer, "FastBlockDiag", Blocks)
    config = peft.BOFTConfig(target_modules=targets, boft_block_size=size, boft_n_butterfly_factor=factors)
    base, theirs, folder = written(tmp_path, config)
    said = load_file(folder / "adapter_model.safetensors")
    assert {value.shape[0] for name, value in said.items() if name.endswith("boft_R")} == {factors}
    made, _ = placed(said, {"denoiser": {name: ((name, ()),) for name in LAYERS}})
    mine = adapted(base, {path: [(change, 1.0)] for path, change in made["denoiser"].items()})
    x = torch.randn(2, 16, 4, 4)
    with torch.no_grad():
        plain, found, asked = base(x), mine(x), theirs(x)
    for k in (LAYERS.index(name) for name in targets):
        torch.testing.assert_close(found[k], asked[k], rtol=1e-4, atol=1e-5)
        assert float((found[k] - plain[k]).abs().max()) > 0.01


def skewed(blocks: Tensor, most: float) -> Tensor:
    """Q of blocks, its length at most ``most`` where that is above 0."""
    q = blocks - blocks.transpose(-1, -2)
    return q * most / q.norm() if 0 < most < float(q.norm()) else q


def rotation(q: Tensor) -> Tensor:
    eye = torch.eye(q.shape[-1])
    return (eye + q) @ torch.linalg.inv(eye - q)


def exchanged(n: int, half: int) -> Tensor:
    """The permutation matrix of (c, 2, half) read as (c, half, 2)."""
    made = torch.zeros(n, n)
    for c in range(n // (2 * half)):
        for g in range(2):
            for k in range(half):
                made[c * 2 * half + 2 * k + g, c * 2 * half + g * half + k] = 1
    return made


def published(blocks: Tensor, alpha: float, out: int) -> Tensor:
    """R (out, out) of the published formula."""
    r = rotation(skewed(blocks, alpha * out))
    if blocks.ndim == 3:
        return torch.block_diag(*r.transpose(-1, -2))
    whole = torch.eye(out)
    for i, factor in enumerate(r):
        p = exchanged(out, 2**i * (blocks.shape[-1] // 2))
        whole = p.T @ torch.block_diag(*factor) @ p @ whole
    return whole


@pytest.mark.parametrize("shape", [(4, 4, 4), (2, 8, 8), (4, 8, 2, 2), (3, 4, 4, 4), (1, 2, 8, 8)])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("rescaled", [False, True])
@pytest.mark.parametrize("weight", [(16, 7), (16, 5, 3, 3)])
def test_the_formula_of_kohya_and_lycoris(
    shape: tuple[int, ...], alpha: float, rescaled: bool, weight: tuple[int, ...]
) -> None:
    torch.manual_seed(3)
    blocks, w = 0.3 * torch.randn(shape), torch.randn(weight)
    s = 1 + 0.2 * torch.randn(16, *(1,) * (len(weight) - 1)) if rescaled else None
    tensors = {"oft_unet_to_q.oft_blocks": blocks, "oft_unet_to_q.alpha": torch.tensor(alpha)}
    tensors |= {} if s is None else {"oft_unet_to_q.rescale": s}
    made, coverage = placed(tensors, {"denoiser": {"to_q": (("to_q", ()),)}})
    assert coverage.unknown == () and coverage.layers == 1
    turned = (published(blocks, alpha, 16) @ w.flatten(1)).reshape(weight) * (1.0 if s is None else s)
    torch.testing.assert_close(w + made["denoiser"]["to_q"].delta(w), turned, rtol=1e-4, atol=1e-5)
    if not rescaled:  # a rotation keeps lengths
        torch.testing.assert_close(turned.flatten(1).norm(dim=0), w.flatten(1).norm(dim=0))


PATH = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


def file_of(folder: Path, name: str = "oft", prefix: str = "lora_unet_", **more: Tensor) -> Path:
    tensors = {f"{prefix}{PATH.replace('.', '_')}.oft_blocks": torch.randn(8, 8, 8), **more}
    save_file(tensors, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["lora_unet_", "oft_unet_", "lycoris_"])
def test_put_on_and_taken_off(prefix: str, sd1: Path, tmp_path: Path) -> None:
    """The base is read as ever beside it: its tensors are the ones before, byte for byte."""
    torch.manual_seed(5)
    file, words = file_of(tmp_path, prefix=prefix), {"model": sd1, "steps": 2, "seed": 1}
    unet = network_of(describe_system(sd1).components["unet"], "cpu", torch.float32)
    before = {name: (value.data_ptr(), value.numpy().tobytes()) for name, value in unet.state_dict().items()}
    plain, turned = (mz.generate("ch", **words, lora=lora).images[0].pixels for lora in ([], [file]))
    assert (plain != turned).any()
    assert np.array_equal(mz.generate("ch", **words, lora=[f"{file}:0"]).images[0].pixels, plain)
    assert np.array_equal(mz.generate("ch", **words).images[0].pixels, plain)
    after = {name: (value.data_ptr(), value.numpy().tobytes()) for name, value in unet.state_dict().items()}
    assert after == before
    (note,) = mz.prepare(request_of("ch", **words, lora=[file])).notes
    assert note.startswith("oft: layers: 1 of denoiser")


def test_a_key_without_a_place_refuses(sd1: Path, tmp_path: Path) -> None:
    file = file_of(tmp_path, **{"lora_unet_nowhere.oft_blocks": torch.zeros(2, 4, 4)})
    with pytest.raises(ModelError, match=r"layers: 1 of denoiser.*1 keys without a place, 'lora_unet_nowhere"):
        mz.prepare(request_of("ch", model=sd1, lora=[file]))
    assert mz.prepare(request_of("ch", model=sd1, lora=[file], allow_partial=True)).notes
    save_file({f"unet.{PATH}.oft_blocks": torch.zeros(5, 8, 8)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"is for another base than model: its down_blocks.1.*weights of \(64, 64\)"):
        mz.prepare(request_of("ch", model=sd1, lora=[tmp_path / "other.safetensors"]))


def test_rows_of_a_layer_that_holds_several() -> None:
    """Rotations of inputs turn each row alone; those of outputs mix rows, and are not cut."""
    turn = Inputs(torch.linalg.qr(torch.randn(1, 3, 4, 4)).Q, torch.rand(6, 1) + 0.5)
    w = torch.randn(6, 12)
    cut = part_of(turn, Cut(((2, 3), (5, 6)), 6))
    assert cut is not None
    torch.testing.assert_close(cut.delta(w[[2, 5]]), turn.delta(w)[[2, 5]])
    assert part_of(Outputs(torch.randn(2, 3, 3)), Cut(((0, 3),), 6)) is None


def test_what_is_not_said_is_refused(sd1: Path, tmp_path: Path) -> None:
    """PEFT's numbers alone do not say by which of its two ways rotations are made of them."""
    turned = {f"base_model.model.{PATH}.oft_R.weight": torch.randn(16, 6)}
    system, folder = describe_system(sd1), tmp_path / "peft"
    folder.mkdir()
    save_file(turned, folder / "adapter_model.safetensors")
    save_file(turned, tmp_path / "alone.safetensors")
    with pytest.raises(ModelError, match=r"adapter_config.json must say how to make .*give the folder that PEFT wrote"):
        read_adapter(tmp_path / "alone.safetensors", system)
    for said, fits in (({"use_cayley_neumann": True}, True), ({"use_cayley_neumann": True, "coft": True}, False)):
        (folder / "adapter_config.json").write_text(json.dumps(said))
        if fits:
            assert read_adapter(folder / "adapter_model.safetensors", system).coverage.layers == 1
        else:
            with pytest.raises(ModelError, match="coft false"):
                read_adapter(folder / "adapter_model.safetensors", system)
    save_file({f"base_model.model.{PATH}.oft_R.weight": torch.randn(16, 7)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"use_cayley_neumann": True}))
    with pytest.raises(ModelError, match="7 numbers are no triangle"):
        read_adapter(folder / "adapter_model.safetensors", system)
    save_file({f"base_model.model.{PATH}.oft_r": torch.zeros(2, 4, 4)}, tmp_path / "old.safetensors")
    with pytest.raises(ModelError, match=r"rotations as PEFT before 0\.14 had them"):
        read_adapter(tmp_path / "old.safetensors", system)
