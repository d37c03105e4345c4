"""Learnt changes of layers: they begin as nothing, they alone are learnt, a file says what they do, and the way back of
the fused layer is the derivative."""

from __future__ import annotations

import peft
import pytest
import torch
from net_configs import PLACES, X
from net_configs import three_layers as network
from torch import nn

from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.adapters.begun import OFT, Begin, DoRA, Full, LoHa, LoKr, LoRA, PiSSA, largest_divisor
from mezzotint.nets.adapters.lora import adapted
from mezzotint.nets.adapters.thin import thin_linear
from mezzotint.nets.adapters.trained import Trained, learnt, trained

METHODS: dict[str, Begin] = {
    "lora": LoRA(4), "lora, alpha": LoRA(4, 10.0), "dora": DoRA(LoRA(4)), "pissa": PiSSA(4), "lokr": LoKr(2),
    "lokr, whole": LoKr(64), "lokr, factor": LoKr(2, factor=4), "loha": LoHa(3), "oft": OFT(4),
    "full": Full(),
}  # fmt: skip


@pytest.fixture(params=METHODS, ids=str)
def begin(request: pytest.FixtureRequest) -> Begin:
    return METHODS[request.param]


def moved(net: nn.Module) -> nn.Module:
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad:
                p.add_(0.05 * torch.randn_like(p))
    return net


def test_an_adapter_begins_as_nothing(begin: Begin) -> None:
    base = network()
    want = base(X)
    made = trained(base, dict.fromkeys(PLACES, begin), seed=1)
    exact = not isinstance(begin, DoRA | PiSSA | OFT)  # their weights are taken apart and put together again
    assert torch.equal(made(X), want) if exact else torch.allclose(made(X), want, atol=1e-6)


def test_what_is_learnt_is_the_adapters_exactly(begin: Begin) -> None:
    made = trained(network(), dict.fromkeys(PLACES, begin), seed=1)
    wanted = {name for name, _ in made.named_parameters() if ".learnt." in name}
    assert {name for name, p in made.named_parameters() if p.requires_grad} == wanted
    moved(made)(X).square().sum().backward()
    for name, p in made.named_parameters():
        assert (p.grad is not None) == (name in wanted), name


def test_a_file_of_it_does_what_it_does(begin: Begin) -> None:
    base = network()
    made = moved(trained(base, dict.fromkeys(PLACES, begin), seed=1))
    found = learnt(made)
    worn = adapted(base, {path: [(one.change, 1.0)] for path, one in found.items()})
    assert set(found) == set(PLACES)
    assert torch.allclose(worn(X), made(X), atol=1e-5)
    assert not torch.allclose(worn(X), base(X), atol=1e-3)


def test_the_base_keeps_its_bytes(begin: Begin) -> None:
    base = network()
    before = {name: p.clone() for name, p in base.named_parameters()}
    made = trained(base, dict.fromkeys(PLACES, begin), seed=1)
    moved(made)(X).square().sum().backward()
    assert all(torch.equal(p, before[name]) for name, p in base.named_parameters())
    assert not any(isinstance(layer, Trained) for layer in base.modules())


def test_its_start_is_a_function_of_the_seed() -> None:
    a, b, c = (learnt(trained(network(), {"2": LoRA(4)}, seed))["2"].tensors["down"] for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_another_value_of_the_parameters_may_be_said() -> None:
    made = trained(network(), {"2": LoRA(4)}, seed=1)
    values = {name: p + 1 for name, p in made.named_parameters()}
    assert torch.equal(learnt(made, values)["2"].tensors["up"], torch.ones(24, 4))


@pytest.mark.parametrize("shape", [(10,), (7, 10), (2, 3, 10)])
def test_the_way_back_is_the_derivative(shape: tuple[int, ...]) -> None:
    torch.manual_seed(2)
    weight, bias = torch.randn(6, 10).double(), torch.randn(6).double()
    x, down, up = (torch.randn(s).double().requires_grad_() for s in (shape, (2, 10), (6, 2)))
    assert torch.autograd.gradcheck(lambda *a: thin_linear(a[0], weight, bias, a[1], a[2], 0.5), (x, down, up))


def test_the_fused_layer_is_peft_s() -> None:
    base = network()[2:]
    config = peft.LoraConfig(r=4, lora_alpha=10, target_modules=["2", "4"], init_lora_weights=False)
    theirs = peft.get_peft_model(network()[2:], config)
    ours = trained(base, {"2": LoRA(4, 10.0), "4": LoRA(4, 10.0)}, seed=1)
    x = torch.randn(5, 128)
    with torch.no_grad():
        for path in ("2", "4"):
            layer, other = ours.get_submodule(path), theirs.base_model.model.get_submodule(path)
            assert isinstance(layer, Trained)
            layer.learnt["down"].copy_(other.lora_A["default"].weight)
            layer.learnt["up"].copy_(other.lora_B["default"].weight)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    layer = ours.get_submodule("2")
    other = theirs.base_model.model.get_submodule("2")
    assert isinstance(layer, Trained)
    for mine, its in (("down", other.lora_A), ("up", other.lora_B)):
        grad = layer.learnt[mine].grad
        assert grad is not None
        assert torch.allclose(grad, its["default"].weight.grad, rtol=1e-4, atol=1e-4)


def test_a_rank_larger_than_the_layer_is_refused() -> None:
    with pytest.raises(UsageError, match=r"4: rank 13 is larger than a layer of \(12, 24\); expected at most 12"):
        trained(network(), {"4": LoRA(13)}, seed=1)


def test_a_place_without_a_layer_is_refused() -> None:
    with pytest.raises(ModelError, match="3 is a SiLU, which takes no adapter"):
        trained(network(), {"3": LoRA(2)}, seed=1)


def test_divisors() -> None:
    assert [largest_divisor(n, 8) for n in (320, 864, 7, 6, 22)] == [8, 8, 7, 6, 2]
