"""The network that the decoder of products-prior begins with."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mezzotint.nets import DiTConfig, TextConfig, build

PATH = Path(__file__).parents[2] / "recipes" / "starts" / "products_prior.py"
BASE = DiTConfig(
    in_channels=3, out_channels=3, size=(16, 16), patch=4, width=32, depth=5, heads=2, overlap=2,
    text=TextConfig(dim=8, mode="in_context", length=3),
)  # fmt: skip


@pytest.fixture(scope="module")
def start():
    spec = importlib.util.spec_from_file_location("products_prior_start", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(config: DiTConfig) -> torch.nn.Module:
    """A network none of whose weights is zero."""
    torch.manual_seed(1)
    net = build(config).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn_like(p) * 0.2)
    return net


def test_with_every_block_it_answers_as_the_base_that_is_told_nothing(start):
    base = drawn(BASE)
    config = start.decoder_config(BASE, BASE.depth, 6)
    net = build(config).eval()
    net.load_state_dict(start.cut(base.state_dict(), config, range(BASE.depth)))
    x, noise = torch.randn(2, 3, 16, 16), torch.tensor([0.1, -0.4])
    nothing = {"text": torch.randn(2, 3, 8), "text_mask": torch.zeros(2, 3, dtype=torch.bool)}
    with torch.inference_mode():
        torch.testing.assert_close(net(x, noise, {"vector": torch.randn(2, 6)}), base(x, noise, nothing))


def test_the_blocks_that_are_kept_are_the_base_s_with_their_offsets(start):
    base = drawn(BASE).state_dict()
    config = start.decoder_config(replace(BASE), 2, 6)
    made = start.cut(base, config, (1, 4))
    assert torch.equal(made["offsets"], base["offsets"][[1, 4]])
    assert torch.equal(made["blocks.1.mlp.up.weight"], base["blocks.4.mlp.up.weight"])
    assert not made["vector.weight"].any() and not any(name.startswith("text") for name in made)
