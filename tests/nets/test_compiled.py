"""Compiled blocks answer as plain ones do, and leave the plain network alone."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import nn

from mezzotint.errors import UsageError
from mezzotint.nets import DiTConfig, build
from mezzotint.nets.compiled import CACHE, compile_blocks, compiled_copy, repeated_blocks

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own parts
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """What is compiled here stays here."""
    monkeypatch.setenv(CACHE, str(tmp_path_factory.getbasetemp() / "compiled"))


def small():
    """A transformer whose answers are not zero."""
    torch.manual_seed(1)
    net = build(DiTConfig(size=(8, 8), patch=4, width=32, depth=2, heads=1, num_classes=3))
    for p in net.parameters():
        nn.init.normal_(p, std=0.2)
    return net


def answer(net, gradients=False):
    """Of two rows."""
    torch.manual_seed(2)
    given = torch.randn(2, 1, 8, 8), torch.tensor([0.1, -0.7]), {"label": torch.tensor([0, 2])}
    with torch.set_grad_enabled(gradients):
        return net(*given)


def test_blocks_are_the_members_of_the_outermost_lists():
    net = small()
    assert list(repeated_blocks(net)) == list(net.blocks)


@needs_compiler
@pytest.mark.slow
def test_answers_differ_by_rounding_and_the_plain_network_stays():
    net = small()
    before = answer(net)
    fast = compiled_copy(net)
    assert torch.allclose(answer(fast), before, atol=1e-5, rtol=1e-5)
    assert all(block._compiled_call_impl is not None for block in fast.blocks)
    assert torch.equal(answer(net), before)
    assert all(block._compiled_call_impl is None for block in net.blocks)
    assert [p.data_ptr() for p in fast.parameters()] == [p.data_ptr() for p in net.parameters()]


@needs_compiler
@pytest.mark.slow
def test_gradients_differ_by_rounding():
    net, fast = small(), small()
    compile_blocks(fast)
    for each in (net, fast):
        answer(each, gradients=True).square().sum().backward()
    assert fast.state_dict().keys() == net.state_dict().keys()
    for a, b in zip(net.parameters(), fast.parameters(), strict=True):
        if a.grad is not None:
            assert torch.allclose(a.grad, b.grad, atol=1e-4, rtol=1e-3)


def test_a_network_without_blocks_is_refused():
    with pytest.raises(UsageError, match="no repeated blocks"):
        compile_blocks(nn.Linear(2, 2))


def test_no_compiler_is_said(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UsageError, match="needs a C\\+\\+ compiler"):
        compile_blocks(small())
