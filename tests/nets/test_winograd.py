"""Convolutions of 3 x 3 with fewer products, beside torch's own in double precision."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets import winograd
from mezzotint.nets.adapters.lora import LowRank, adapted
from mezzotint.nets.magnitude import FixedConv, MPConv
from mezzotint.nets.published.layers import Resnet

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


def test_what_gradients_autocast_or_few_pixels_ask_for_is_the_plain_one() -> None:
    x, weight, bias = drawn(2, 16, 16)
    plain = F.conv2d(x, weight, bias, padding=1)
    asked = x.clone().requires_grad_()
    made = winograd.convolved(asked, weight, bias)
    assert torch.equal(made, plain)
    (given,) = torch.autograd.grad(made.sum(), asked)
    assert given.abs().max() > 0
    with torch.inference_mode():
        assert not torch.equal(winograd.convolved(x, weight, bias), plain)
        assert torch.equal(
            winograd.convolved(x[..., :8, :8], weight, bias), F.conv2d(x[..., :8, :8], weight, bias, padding=1)
        )
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
    assert made[0].get_buffer("weight").data_ptr() == net[0].get_parameter("weight").data_ptr()
    assert not any(type(layer) is winograd.WinogradConv for layer in net)
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


def test_it_is_used_by_a_rule_and_not_by_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    winograd.present.cache_clear()
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not winograd.present()
    winograd.present.cache_clear()
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert winograd.present()
    winograd.present.cache_clear()
