"""Laws of what moves the weights: Muon's steps where a recipe names matrices, AdamW's elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from training_case import TinyNet, resumed, run, same, tiny

from mezzotint.errors import UsageError
from mezzotint.nets import DiTConfig, build
from mezzotint.training.checkpoint import Store
from mezzotint.training.distributed import Ranks
from mezzotint.training.loop import train
from mezzotint.training.movers import movers
from mezzotint.training.muon import Muon, orthogonal
from mezzotint.training.recipe import Every
from mezzotint.training.schedule import Optimiser
from mezzotint.training.state import begin, unpack

RATE = 0.03


def turned(steps=8):
    """A transformer whose blocks' matrices move by Muon."""
    net = DiTConfig(size=(8, 8), patch=4, width=32, depth=2, heads=1, num_classes=10)
    optimiser = replace(tiny().optimiser, orthogonal=("blocks.",), rate=1e-2)
    return tiny(steps, net=net, build=build, optimiser=optimiser)


class Two(nn.Module):
    """A hidden matrix, its bias, and a last matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(24, 40)
        self.last = nn.Linear(40, 3)


def stepped(**changes):
    """(the network, its weights before) after one step on drawn gradients."""
    torch.manual_seed(3)
    net = Two()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    moved = movers(Optimiser(rate=RATE, orthogonal=("hidden.",), **changes), net, torch.device("cpu"), torch.float32)
    moved.step(RATE)
    return net, before


def test_a_hidden_matrix_moves_by_nearly_orthogonal_steps():
    net, before = stepped()
    step = (before["hidden.weight"] - net.hidden.weight.detach()) / RATE
    values = torch.linalg.svdvals(step) / (0.2 * 40**0.5)
    # Five rounds of the quintic put every singular value between 0.7 and 1.2, whatever the gradient's were.
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_other_weights_move_by_adamw():
    net, before = stepped()
    for name in ("hidden.bias", "last.weight", "last.bias"):
        step = (before[name] - net.state_dict()[name]).abs() / RATE
        assert torch.allclose(step, torch.ones_like(step), atol=1e-4), name  # the first step of Adam is the sign


def test_the_factor_of_a_name_scales_its_steps():
    plain, half = (stepped(factors=f)[0].hidden.weight for f in ((), (("hidden.", 0.5),)))
    start = stepped()[1]["hidden.weight"]
    assert torch.allclose(half - start, (plain - start) / 2, atol=1e-7)


def test_decay_shrinks_the_matrix_by_the_rate():
    net, before = stepped(weight_decay=0.5)
    plain, _ = stepped()
    shrunk = plain.hidden.weight - before["hidden.weight"] * RATE * 0.5
    assert torch.allclose(net.hidden.weight, shrunk, atol=1e-6)


def test_it_trains():
    _, steps = run(turned(80))
    assert sum(s.loss for s in steps[-10:]) < 0.7 * sum(s.loss for s in steps[:10])


@pytest.mark.parametrize("stop", [3, 4])
def test_a_run_resumed_is_equal_to_the_bit(tmp_path, stop):
    recipe = replace(turned(), every=Every(0, 1))
    whole, _ = run(recipe)
    run(recipe, until=stop, store=Store(tmp_path))
    again, steps = resumed(recipe, tmp_path)
    assert steps[0].step == stop + 1
    assert same(again, whole)


class Headed(TinyNet):
    """A last layer for every label, which only the rows of that label reach."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.heads = nn.ModuleList([nn.Conv2d(1, 1, 1) for _ in range(11)])

    def forward(self, x: torch.Tensor, c_noise: torch.Tensor, cond: dict[str, torch.Tensor]) -> torch.Tensor:
        h = super().forward(x, c_noise, cond)
        parts = zip(h.split(1), cond["label"].tolist(), strict=True)
        return torch.cat([self.heads[label](row) for row, label in parts])


def test_a_weight_whose_first_gradient_came_late_goes_on_by_its_own_count(tmp_path):
    recipe = tiny(12, build=Headed, batch=2, every=Every(0, 1))
    whole, _ = run(recipe)
    run(recipe, until=6, store=Store(tmp_path))
    saved = Store(tmp_path).last()
    counts = {int(v) for name, v in saved.tensors["optimiser"].items() if name.startswith("step/heads.")}
    assert len(counts) > 1 and max(counts) < saved.step, "heads were reached at different steps"
    assert same(resumed(recipe, tmp_path)[0], whole)


def test_a_checkpoint_without_counts_goes_on_by_the_run_s(tmp_path):
    recipe = tiny(8, every=Every(0, 1))
    whole, _ = run(recipe)
    run(recipe, until=4, store=Store(tmp_path))
    data, saved, training = recipe.data(None), Store(tmp_path).last(), begin(recipe)
    old = {k: v for k, v in saved.tensors["optimiser"].items() if not k.startswith("step/")}
    unpack(training, replace(saved, tensors={**saved.tensors, "optimiser": old}), data.train.fingerprint)
    list(train(recipe, data, training=training))
    assert same(training, whole)


def test_a_run_goes_on_in_the_number_format_of_its_checkpoint(tmp_path, monkeypatch):
    """Which one is fast is found out by trying, and comes out otherwise on a machine with other work."""
    recipe = replace(turned(), dtype="auto", every=Every(0, 1))
    monkeypatch.setattr("mezzotint.nets.precision.best_dtype", lambda device: torch.bfloat16)
    whole, _ = run(recipe)
    run(recipe, until=3, store=Store(tmp_path))
    monkeypatch.setattr("mezzotint.nets.precision.best_dtype", lambda device: torch.float32)
    again, _ = resumed(recipe, tmp_path)
    assert again.dtype == torch.bfloat16
    assert same(again, whole)


def test_sharded_matrices_are_refused():
    with pytest.raises(UsageError, match="train with --strategy ddp"):
        begin(turned(), ranks=Ranks(0, 2, "fsdp"))


@pytest.mark.parametrize(("dtype", "apart"), [(torch.bfloat16, 0.0), (torch.float32, 0.02)])
def test_steps_are_those_of_torch_s_muon(dtype, apart):
    """To the bit in its own number format; else apart by what that rounds away."""
    torch.manual_seed(4)
    ours, theirs = (nn.ParameterList(torch.randn(shape) for shape in ((24, 40), (40, 24))) for _ in range(2))
    for a, b in zip(ours, theirs, strict=True):
        a.data.copy_(b.data)
    mine = Muon([{"params": list(ours)}], RATE, 0.1, dtype)
    peer = torch.optim.Muon(theirs, lr=RATE, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        mine.step()
        peer.step()
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() <= apart * 3 * RATE * 0.2 * 40**0.5
        assert torch.equal(mine.state[a]["momentum_buffer"], peer.state[b]["momentum_buffer"])


def test_orthogonal_keeps_directions_and_evens_their_lengths():
    torch.manual_seed(5)
    u, v = (torch.linalg.qr(torch.randn(n, 8)).Q for n in (12, 30))
    for wide in (True, False):
        x = (u * torch.linspace(0.1, 3, 8)) @ v.T
        made = orthogonal(x if wide else x.T, torch.float32)
        lengths = u.T @ (made if wide else made.T) @ v
        assert (lengths.diagonal() > 0.6).all() and (lengths.diagonal() < 1.3).all()
        assert (lengths - lengths.diagonal().diag()).abs().max() < 1e-4
