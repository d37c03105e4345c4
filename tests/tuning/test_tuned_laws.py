"""Laws of a network that is tuned, ours and two in diffusers' layout: it begins as its base, adapters alone are learnt,
and what is worn does what was learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from tuning_case import tiny_lesson

from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.making.tuned.base import Base, base, worn
from mezzotint.making.tuned.learn import Lesson, tunable_of
from mezzotint.nets.adapters.trained import learnt
from mezzotint.nets.checkpointed import checkpointed
from mezzotint.pretrained.model import load
from mezzotint.pretrained.stage_model import schedule_of
from mezzotint.tuning.recipe import as_it_is, built
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.task import Tuned

METHODS = ("lora", "rslora", "dora", "pissa", "lokr", "loha", "full")


@dataclass(frozen=True, eq=False)
class Asked:
    """A lesson and three rows to ask its network, at three levels."""

    base: Base
    lesson: Lesson
    net: Tuned
    x: Tensor
    cond: dict[str, Tensor]

    def __call__(self, net: nn.Module) -> Tensor:
        level = Level(torch.tensor([1.0, 0.8, 0.3]), torch.tensor([0.05, 0.6, 0.9]))
        with torch.no_grad():
            return Preconditioned(net, self.lesson.recipe.parametrisation)(self.x, level, self.cond).mean


def asked(folder: Path, photos: Path, method: str) -> Asked:
    model = base(load(folder), "cpu", "float32")
    lesson = tiny_lesson(model, photos, Settings(Method(method, 2), 4, 4, moments=1))
    net = lesson.recipe.build(lesson.recipe.net)
    assert isinstance(net, Tuned)
    items = [lesson.data.train.open(0, print)[k] for k in range(3)]
    x = torch.randn(3, *model.stage.spec.shape, generator=torch.Generator().manual_seed(1))
    return Asked(model, lesson, net, x, dict(lesson.recipe.conditioning(items)))


def moved(net: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad:
                p.add_(0.05 * torch.randn_like(p))
    return net


@pytest.mark.parametrize("method", METHODS)
def test_it_begins_as_its_base(cascade: Path, shoot: Path, method: str) -> None:
    a = asked(cascade, shoot, method)
    begun, plain = a(a.net), a(a.net.base)
    exact = method not in ("dora", "pissa")  # weights that are taken apart and put together again
    assert torch.equal(begun, plain) if exact else torch.allclose(begun, plain, atol=1e-4)
    assert not torch.allclose(a(moved(a.net)), plain, atol=1e-3)


def test_others_models_begin_as_their_base(model: Path, shoot: Path) -> None:
    a = asked(model, shoot, "lora")
    plain = a(a.base.stage.denoiser("cpu", torch.float32).network)  # as pictures are made by it
    rounded = 1e-5 * float(plain.abs().max())  # packed weights are summed in another order
    assert torch.equal(a(a.net), a(a.net.base)) and torch.allclose(a(a.net), plain, atol=rounded)


def test_what_is_learnt_is_the_adapters_exactly(model: Path, shoot: Path) -> None:
    a = asked(model, shoot, "lora")
    free = {name for name, p in a.net.named_parameters() if p.requires_grad}
    own = {name for name, _ in a.net.named_parameters() if ".learnt." in name}
    assert free == own and len(own) == 2 * len(a.lesson.recipe.net.paths)
    assert not any(p.requires_grad for p in a.net.base.parameters())
    assert a.lesson.parameters == sum(p.numel() for n, p in a.net.named_parameters() if n in own)


def test_what_is_worn_is_what_was_learnt(model: Path, shoot: Path) -> None:
    a = asked(model, shoot, "lora")
    changes = {path: one.change for path, one in learnt(moved(a.net)).items()}
    tuned = load(replace(a.base.until.system, adapters=(worn("mug", changes, "test"),)))
    merged = a(tuned.main.denoiser("cpu", torch.float32).network)
    assert torch.allclose(merged, a(a.net), atol=1e-4) and not torch.allclose(merged, a(a.net.base), atol=1e-3)


def test_the_base_keeps_its_bytes_while_it_is_learnt_on(model: Path, shoot: Path) -> None:
    a = asked(model, shoot, "lora")
    before = {name: w.clone() for name, w in a.net.base.state_dict().items()}
    plain = a(a.net.base)
    out = moved(a.net)(a.x, torch.full((3,), 0.5), a.cond)
    out.square().sum().backward()
    assert all(torch.equal(w, before[name]) for name, w in a.net.base.state_dict().items())
    assert torch.equal(a(a.net.base), plain)
    assert all((p.grad is not None) == p.requires_grad for p in a.net.parameters())


def test_blocks_that_are_computed_once_more_learn_the_same(model: Path, shoot: Path) -> None:
    """Gradients of the adapters, to the bit; and the base's own network keeps its calls."""
    a = asked(model, shoot, "lora")
    found: list[list[Tensor]] = []
    for prepare in (as_it_is, checkpointed):
        halves, schedule = tunable_of(a.base, Method("lora", 2)), schedule_of(a.base.stage.spec)
        net = moved(built(halves, schedule, None, prepare)(a.lesson.recipe.net))
        level = Level(torch.tensor([1.0, 0.8, 0.3]), torch.tensor([0.05, 0.6, 0.9]))
        Preconditioned(net, a.lesson.recipe.parametrisation)(a.x, level, a.cond).mean.square().sum().backward()
        found.append([p.grad for p in net.parameters() if p.grad is not None])
        assert isinstance(net, Tuned)
        own, base = (any("forward" in vars(m) for m in one.modules()) for one in (net.tuned, net.base))
        assert own == (prepare is checkpointed) and not base
    plain, again = found
    assert len(plain) == len(again) > 2 and all(torch.equal(x, y) for x, y in zip(plain, again, strict=True))
