"""Convolutions of 3 x 3 with fewer products, beside torch's own in double precision."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad

from mezzotint.nets import winograd
from mezzotint.nets.adapters.begun import LoRA
from mezzotint.nets.adapters.lora import LowRank, adapted
from mezzotint.nets.adapters.trained import trained
from mezzotint.nets.magnitude import FixedConv, MPConv
from mezzotint.nets.published.layers import Resnet
from mezzotint.pretrained.tunable import Tunable

pytestmark = pytest.mark.skipif(
    not torch.backends.nnpack.is_available(),  # type: ignore[no-untyped-call]
    reason="this torch or processor has no NNPACK",
)

SIZES = [(1, 16, 16), (3, 16, 16), (2, 17, 23), (5, 32, 20), (1, 130, 140), (2, 256, 200), (1, 40, 2000)]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Several threads for every size."""
    before = torch.get_num_threads()
    monkeypatch.setattr(winograd, "LEAST", 0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other processors too."""
    monkeypatch.setattr(winograd, "present", lambda: True)


def drawn(count: int, height: int, width: int, fan_in: int = 24, out: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(count * height + width)
    return torch.randn(count, fan_in, height, width), torch.randn(out, fan_in, 3, 3), torch.randn(out)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("out", [20, 64])
def test_it_is_the_convolution(size: tuple[int, int, int], out: int) -> None:
    x, weight, bias = drawn(*size, out=out)
    exact = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    with torch.inference_mode():
        made = winograd.convolved(x, weight, bias)
        bare = winograd.convolved(x.to(memory_format=torch.channels_last), weight, None)
    assert (made - exact).abs().max() < 5e-5 * exact.abs().max()
    assert torch.allclose(bare, made - bias[:, None, None], atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_is_the_same_in_every_batch_and_by_any_threads(many: None, size: tuple[int, int, int]) -> None:
    x, weight, bias = drawn(*size)
    with torch.inference_mode():
        torch.set_num_threads(1)
        whole = winograd.convolved(x, weight, bias)
        for k in range(len(x)):
            assert torch.equal(winograd.convolved(x[k : k + 1], weight, bias)[0], whole[k])
        for threads in (2, 3):
            torch.set_num_threads(threads)
            assert torch.equal(winograd.convolved(x, weight, bias), whole)


@pytest.mark.parametrize("size", [(2, 16, 16), (3, 20, 37)])
def test_gradients_of_the_pictures_are_those_of_the_convolution(size: tuple[int, int, int]) -> None:
    x, weight, bias = drawn(*size)
    towards = torch.randn(size[0], 40, *size[1:])
    exact, made = x.double().requires_grad_(), x.clone().requires_grad_()
    answer = F.conv2d(exact, weight.double(), bias.double(), padding=1)
    (wanted,) = torch.autograd.grad(answer, exact, towards.double())
    (found,) = torch.autograd.grad(winograd.convolved(made, weight, bias), made, towards)
    assert (found - wanted).abs().max() < 5e-5 * wanted.abs().max()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_derivatives_forward_and_twice_are_those_of_the_convolution() -> None:
    x, weight, _ = drawn(2, 16, 16)
    along = torch.randn_like(x)
    wanted = F.conv2d(along, weight, padding=1)
    with forward_ad.dual_level():
        made = winograd.convolved(forward_ad.make_dual(x, along), weight, None)  # type: ignore[no-untyped-call]
        tangent = forward_ad.unpack_dual(made).tangent  # type: ignore[no-untyped-call]
        assert torch.allclose(tangent, wanted, atol=1e-3)
    changed = torch.func.jvp(lambda z: winograd.convolved(z, weight, None), (x,), (along,))[1]
    assert torch.allclose(changed, wanted, atol=1e-3)
    asked = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(winograd.convolved(asked**2, weight, None).sum(), asked, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), asked)
    plain = F.conv_transpose2d(torch.ones(2, 40, 16, 16), weight, padding=1)
    assert torch.allclose(second, 2 * plain, atol=1e-2)


def test_what_learns_autocast_or_few_pixels_ask_for_is_the_plain_one() -> None:
    x, weight, bias = drawn(2, 16, 16)
    plain, learnt = F.conv2d(x, weight, bias, padding=1), nn.Parameter(weight)
    made = winograd.convolved(x, learnt, bias)
    assert torch.equal(made, plain)
    (given,) = torch.autograd.grad(made.sum(), learnt)
    assert given.abs().max() > 0
    few = x[..., :8, :8]
    with torch.inference_mode():
        assert not torch.equal(winograd.convolved(x, weight, bias), plain)
        assert torch.equal(winograd.convolved(few, weight, bias), F.conv2d(few, weight, bias, padding=1))
        with torch.autocast("cpu", torch.bfloat16):
            assert winograd.convolved(x, weight, bias).dtype == torch.bfloat16


def test_only_what_gains_is_replaced_and_the_network_stays(everywhere: None) -> None:
    net = nn.Sequential(
        nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(16, 16, 3, 2, 1), nn.Conv2d(16, 16, 3), nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 3, padding=1, groups=2), nn.Conv2d(16, 16, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=2, dilation=2),
        nn.Conv2d(16, 16, 3, padding="same"),
        FixedConv(MPConv(16, 16, (3, 3)), torch.float32), FixedConv(MPConv(16, 16, (1, 1)), torch.float32),
        FixedConv(MPConv(16, 16, (3, 3, 3)), torch.float32),
    )  # fmt: skip
    made = winograd.quick(net, "cpu", torch.float32)
    assert [k for k, layer in enumerate(made) if type(layer) is winograd.WinogradConv] == [0, 9]
    assert isinstance(made[0], winograd.WinogradConv)
    assert made[0].weight.data_ptr() == net[0].get_parameter("weight").data_ptr()
    assert not any(type(layer) is winograd.WinogradConv for layer in net)
    kept = winograd.quick(net, "cpu", torch.float32, but=("0",))
    assert [k for k, layer in enumerate(kept) if type(layer) is winograd.WinogradConv] == [9]
    assert winograd.quick(net, "cpu", torch.bfloat16) is net
    assert winograd.quick(net, "cuda", torch.float32) is net


def test_additions_on_convolutions_stay_on(everywhere: None) -> None:
    torch.manual_seed(0)
    net = Resnet(32, 32, 8, 1e-5).eval().requires_grad_(False)
    low = LowRank(torch.randn(4, 32, 3, 3), torch.randn(32, 4, 1, 1), 4.0)
    with_low = adapted(net, {"conv1": [(low, 0.5)]})
    x = torch.randn(2, 32, 20, 20)
    with torch.inference_mode():
        wanted, made = with_low(x), winograd.quick(with_low, "cpu", torch.float32)(x)
        assert torch.allclose(made, wanted, atol=1e-3)
        assert not torch.allclose(net(x), wanted, atol=1e-1)


def test_what_is_learnt_beside_quick_convolutions_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net, x = Resnet(32, 32, 8, 1e-5).eval(), torch.randn(2, 32, 20, 20)
    found = []
    for here in (False, True):
        monkeypatch.setattr(winograd, "present", lambda here=here: here)
        halves = Tunable(net, lambda base: base)
        made = trained(halves.quick(but=("conv1",)), {"conv1": LoRA(4)}, seed=1)
        assert (type(made.conv2) is winograd.WinogradConv) == here
        made(x).square().sum().backward()
        found.append([p.grad.clone() for p in made.parameters() if p.grad is not None])
    assert len(found[0]) == len(found[1]) > 0
    for plain, quick in zip(*found, strict=True):
        assert torch.allclose(quick, plain, rtol=1e-3, atol=1e-3 * float(plain.abs().max()))


@pytest.mark.parametrize("size", [(2, 8, 8), (5, 4, 4), (1, 15, 16)])
def test_wide_kernels_of_small_pictures_lie_packed_and_of_large_ones_plain(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int, int]
) -> None:
    x, weight, bias = drawn(*size)
    monkeypatch.setattr(winograd, "WIDE", weight.numel())
    large = torch.randn(1, 24, 16, 16)
    layer = winograd.WinogradConv(weight, bias)
    for pictures, packed in ((large, False), (x, True), (large, False), (x, True)):
        with torch.inference_mode():
            made = layer(pictures)
        exact = F.conv2d(pictures.double(), weight.double(), bias.double(), padding=1)
        assert (made - exact).abs().max() < 5e-5 * exact.abs().max()
        assert layer.kernel.is_packed == packed and torch.equal(layer.weight, weight)
    for before in ([x], [x, large]):  # what was packed, or made plain again, where nothing was followed has gradients
        with torch.inference_mode():
            for pictures in before:
                layer(pictures)
        followed = x.clone().requires_grad_()
        (found,) = torch.autograd.grad(layer(followed).sum(), followed)
        (wanted,) = torch.autograd.grad(F.conv2d(followed, weight, bias, padding=1).sum(), followed)
        assert torch.allclose(found, wanted, atol=1e-4) and not layer.kernel.is_packed


@pytest.mark.parametrize(
    ("instructions", "tiles", "used"),
    [("AVX2", False, True), ("AVX512", False, True), ("AVX512", True, False), ("DEFAULT", False, False)],
)
def test_it_is_used_by_a_rule_and_not_by_a_race(
    monkeypatch: pytest.MonkeyPatch, instructions: str, tiles: bool, used: bool
) -> None:
    winograd.present.cache_clear()
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: instructions)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert winograd.present() == used
    winograd.present.cache_clear()
