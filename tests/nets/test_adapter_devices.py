"""Adapters on a device where they do not lie themselves: a file is read to the processor, the base lies elsewhere.

``meta`` stands for an accelerator: it has no values, and refuses tensors of two devices in one product as they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from net_configs import PLACES, X
from net_configs import three_layers as network
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mezzotint.nets.adapters.begun import Begin
from mezzotint.nets.adapters.changes import Change, Cut, Full, LoHa, LoKr, part_of
from mezzotint.nets.adapters.devices import beside
from mezzotint.nets.adapters.falling import adapted_at, at
from mezzotint.nets.adapters.lora import Layer, LowRank, adapted, merged
from mezzotint.nets.adapters.rotations import Inputs, Outputs, cayley
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.tuning.settings import METHODS, Method

BEGINS: Mapping[str, Begin] = {name: Method(name, 4).begin for name in METHODS}
DRAWN = ("lora", "rslora", "tlora", "dora", "lokr", "loha")
"""Methods whose start is drawn: the others begin with zeros, or (pissa) with the base's own singular vectors."""

T = torch.full((5,), 0.4)


@pytest.fixture(params=BEGINS, ids=str)
def begin(request: pytest.FixtureRequest) -> Begin:
    return BEGINS[request.param]


def elsewhere(net: nn.Module) -> nn.Module:
    return net.to("meta")


def test_what_was_learnt_is_put_on_elsewhere(begin: Begin) -> None:
    found = learnt(trained(network(), dict.fromkeys(PLACES, begin), seed=1))
    worn = adapted_at(elsewhere(network()), {path: [(one.change, 0.7)] for path, one in found.items()})
    assert {t.device.type for t in worn.state_dict().values()} == {"meta"}
    assert at(worn, T)(X.to("meta")).device.type == "meta"


def test_a_base_that_lies_elsewhere_is_learnt_on(begin: Begin) -> None:
    made = trained(elsewhere(network()), dict.fromkeys(PLACES, begin), seed=1)
    assert {p.device.type for p in made.parameters()} == {"meta"}
    at(made, T)(X.to("meta")).square().sum().backward()
    assert all(p.grad is not None for p in made.parameters() if p.requires_grad)


def test_a_network_is_moved_after_its_adapters_began(begin: Begin) -> None:
    made = elsewhere(trained(network(), dict.fromkeys(PLACES, begin), seed=1))
    assert at(made, T)(X.to("meta")).device.type == "meta"


class OnTheProcessor(TorchDispatchMode):
    """Lets a start be moved to another device, and refuses to have it drawn or made there."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        assert not any(draw in str(func) for draw in ("rand", "normal", "uniform")) or made.device.type == "cpu", func
        return made


def test_its_start_is_drawn_on_the_processor() -> None:
    """Also of a base that lies elsewhere: accelerators have generators of their own, which draw other numbers.   What
    ends up there is compared where there is an accelerator (``test_its_start_on_an_accelerator``)."""
    base = elsewhere(network())
    with OnTheProcessor():
        for name in DRAWN:
            trained(base, dict.fromkeys(PLACES, BEGINS[name]), seed=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
@pytest.mark.parametrize("name", DRAWN)
def test_its_start_on_an_accelerator(name: str) -> None:
    here, there = (trained(net, dict.fromkeys(PLACES, BEGINS[name]), 1) for net in (network(), network().to("cuda")))
    other = dict(there.named_parameters())
    assert all(torch.equal(p, other[key].cpu()) for key, p in here.named_parameters())


G = torch.Generator().manual_seed(2)
LOW = LowRank(torch.randn(2, 8, generator=G), torch.randn(16, 2, generator=G), 4.0)
THIN = (torch.randn(16, 2, generator=G), torch.randn(2, 8, generator=G))
CORE = torch.randn(2, 2, 1, generator=G)
CHANGES: dict[str, Change] = {
    "lora with a bias": replace(LOW, bias=torch.ones(16)),
    "full with a bias": Full(torch.randn(16, 8, generator=G), torch.ones(16)),
    "loha of cores": LoHa((torch.ones(2, 16), torch.ones(2, 16)), (THIN[1], THIN[1]), (CORE, CORE), 1.0),
    "lokr": LoKr(torch.ones(4, 2), torch.ones(4, 4), None, None),
    "oft that is bounded": Outputs(torch.randn(4, 4, 4, generator=G), torch.ones(16, 1)),
    "boft": Outputs(torch.randn(2, 4, 4, 4, generator=G)),
    "rotations of inputs": Inputs(cayley(torch.zeros(2, 2, 4, 4)), torch.ones(16)),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_of_any_file_is_put_on_elsewhere(case: str) -> None:
    change, layer = CHANGES[case], nn.Linear(8, 16)
    want = merged(layer.weight, [(change, 0.5)])
    got = merged(layer.weight.to("meta"), [(change, 0.5)])
    assert got.device.type == "meta" and got.shape == want.shape
    worn = adapted(elsewhere(nn.Sequential(layer)), {"0": [(change, 0.5)]})
    assert worn(torch.ones(3, 8, device="meta")).device.type == "meta"


def test_some_rows_of_a_change_are_put_on_elsewhere() -> None:
    part = part_of(CHANGES["full with a bias"], Cut(((0, 4), (12, 16)), 16))
    assert part is not None and part.delta(torch.ones(8, 8, device="meta")).device.type == "meta"
    layer: Layer = nn.Linear(8, 8, device="meta")
    worn = adapted(nn.Sequential(layer), {"0": [(part, 1.0)]})
    assert worn.get_submodule("0").bias.device.type == "meta"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_beside_the_weight_already_is_itself_and_gradients_pass(dtype: torch.dtype) -> None:
    """On one device nothing is copied, and what a file has in fewer bits is computed with in float32."""
    weight, whole = torch.zeros(16, 8, dtype=dtype), torch.randn(16, 8, generator=G).to(dtype).requires_grad_()
    there = beside(weight, whole)
    assert there.dtype == torch.float32 and torch.equal(there, whole.detach().float())
    assert (there.data_ptr() == whole.data_ptr()) == (dtype == torch.float32)
    (2 * Full(whole).delta(weight)).sum().backward()
    assert whole.grad is not None and torch.equal(whole.grad, torch.full_like(whole, 2))
