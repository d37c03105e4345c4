"""Packed layers give the plain layers' answers, and nothing plain stays in memory."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from mezzotint.nets.packed import PackedGate, PackedLinear, pack, packs
from mezzotint.nets.published.layers import FeedForward

FULL = pytest.param(torch.float32, marks=pytest.mark.skipif(not packs("cpu", torch.float32), reason="no such library"))
HALF = pytest.param(
    torch.bfloat16,
    marks=pytest.mark.skipif(not packs("cpu", torch.bfloat16), reason="this processor does not multiply in bfloat16"),
)
both = pytest.mark.parametrize("dtype", [FULL, HALF])

LAYERS = {
    "map": (nn.Linear(24, 40), (3, 5, 24)),
    "map without an offset": (nn.Linear(24, 7, bias=False), (9, 24)),
    "3 x 3": (nn.Conv2d(16, 24, 3, padding=1), (2, 16, 9, 7)),
    "stride": (nn.Conv2d(16, 24, 3, stride=2, padding=1), (2, 16, 8, 8)),
    "1 x 1": (nn.Conv2d(16, 8, 1), (1, 16, 4, 4)),
    "groups": (nn.Conv2d(16, 32, 3, padding=2, dilation=2, groups=4), (2, 16, 9, 9)),
}


def drawn(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(4)).to(dtype)


def same(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    """To the bit; in float32 torch has another library's sums."""
    if found.dtype == torch.bfloat16:
        return torch.equal(found, wanted)
    return torch.allclose(found, wanted, rtol=0, atol=3e-6 * float(wanted.abs().max()))


@both
@pytest.mark.parametrize("name", LAYERS)
def test_the_same_bits(name: str, dtype: torch.dtype) -> None:
    layer, shape = copy.deepcopy(LAYERS[name][0]).to(dtype), LAYERS[name][1]
    x = drawn(*shape, dtype=dtype)
    packed = pack(nn.Sequential(copy.deepcopy(layer)))
    with torch.inference_mode():
        wanted, found = layer(x), packed(x)
        assert same(found, wanted)
        assert torch.equal(packed(x[:1]), found[:1])
    assert bool(list(packed.parameters())) == (name == "1 x 1")  # which gains nothing and stays


@both
@pytest.mark.parametrize("out", [80, 320])
def test_a_picture_is_the_same_in_every_batch(out: int, dtype: torch.dtype) -> None:
    rows, small = drawn(8, 256, 80, dtype=dtype), drawn(8, 80, 4, 4, dtype=dtype)
    for x, layer in ((rows, nn.Linear(80, out)), (small, nn.Conv2d(80, out, 3, padding=1))):
        packed = pack(nn.Sequential(layer.to(dtype)))
        with torch.inference_mode():
            whole = packed(x)
            for k in (1, 2, 5):
                assert torch.equal(packed(x[:k]), whole[:k])


@both
def test_the_layer_can_be_dropped_and_its_weights_are_not_kept_twice(dtype: torch.dtype) -> None:
    layer = nn.Linear(64, 64).to(dtype)
    kept = PackedLinear(layer.weight, layer.bias)
    wanted = layer.weight.clone()
    layer.weight.data.zero_()
    assert torch.equal(kept.packed.to_dense(), wanted)


@pytest.mark.skipif(not packs("cpu", torch.bfloat16), reason="this processor does not multiply in bfloat16")
def test_gates_are_two_maps_and_nearer_to_full_precision() -> None:
    whole = nn.Module()
    whole.ff = FeedForward(16).bfloat16().requires_grad_(False)
    x = drawn(2, 6, 16, dtype=torch.bfloat16)
    with torch.inference_mode():
        wanted = whole.ff(x, x)
        exact = copy.deepcopy(whole.ff).float()(x.float(), x.float())
        pack(whole)
        assert type(whole.ff.net.get_submodule("0.proj")) is PackedGate
        found = whole.ff(x, x)
    assert (found - exact).abs().max() <= (wanted - exact).abs().max()
    with torch.enable_grad():
        assert torch.equal(whole.ff(x, x), wanted)


TURNED = """
import torch
from mezzotint.nets.packed import PackedConv
layer = PackedConv(torch.nn.Conv2d(480, 160, 3, padding=1))
library = torch.backends.mkldnn
with torch.inference_mode():
    for shape in ((1, 480, 8, 8), (2, 480, 5, 5), (2, 480, 12, 9), (1, 480, 2, 2), (2, 480, 8, 8)):
        x = torch.randn(shape)
        layer(x)
        with library.verbose(library.VERBOSE_ON):
            layer(x)
"""


@pytest.mark.skipif(not packs("cpu", torch.float32), reason="no such library")
def test_a_kernel_is_never_turned_twice_for_a_size() -> None:
    """As the library itself says, with the instructions by which it would be turned slowest."""
    held = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", TURNED], capture_output=True, text=True, check=True, env={**os.environ, **held}
    )
    said = [line for line in done.stdout.splitlines() if "primitive,exec" in line]
    assert sum(",convolution," in line for line in said) == 5
    assert not [line for line in said if ",reorder," in line and "160x480" in line]


@pytest.mark.skipif(not packs("cpu", torch.float32), reason="no such library")
def test_gates_in_full_precision() -> None:
    whole = nn.Module()
    whole.ff = FeedForward(16).requires_grad_(False)
    x = drawn(2, 6, 16, dtype=torch.float32)
    with torch.inference_mode():
        wanted = whole.ff(x, x)
        pack(whole)
        assert type(whole.ff.net.get_submodule("0.proj")) is PackedGate
        assert same(whole.ff(x, x), wanted)


@both
@pytest.mark.parametrize("name", ["map", "3 x 3"])
def test_what_is_packed_has_gradients(name: str, dtype: torch.dtype) -> None:
    layer, shape = copy.deepcopy(LAYERS[name][0]).to(dtype).requires_grad_(False), LAYERS[name][1]
    a, b = drawn(*shape, dtype=dtype).requires_grad_(), drawn(*shape, dtype=dtype).requires_grad_()
    layer(a).sum().backward()
    pack(nn.Sequential(layer))(b).sum().backward()
    assert a.grad is not None and torch.equal(a.grad, b.grad)


def test_what_cannot_be_packed_stays() -> None:
    class Own(nn.Linear):
        pass

    net = nn.Sequential(Own(4, 4), nn.Conv2d(4, 4, 3, padding="same"), nn.Conv1d(4, 4, 1), nn.LayerNorm(4)).bfloat16()
    before = list(net)
    assert list(pack(net)) == before


def test_only_where_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not packs("cuda", torch.bfloat16) and not packs("cuda", torch.float32) and not packs("cpu", torch.float16)
    for instructions, tiles, gains in (("AVX512", False, True), ("AVX512", True, False), ("DEFAULT", False, False)):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda said=instructions: said)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda said=tiles: said)
        assert packs("cpu", torch.float32) == gains
