"""A lesson whose text encoders are learnt on, and rows to ask its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tuning_case import tiny_lesson

from mezzotint.conditioning.prompts import Prompts
from mezzotint.diffusion.denoiser import Cond, Denoiser, Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.making.prompt import told
from mezzotint.making.tuned.base import Base, base
from mezzotint.making.tuned.learn import Lesson
from mezzotint.pretrained.model import load
from mezzotint.pretrained.system import System
from mezzotint.training.data.source import Item
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.task import Tuned

LEVELS = Level(torch.tensor([1.0, 0.8, 0.1]).double(), torch.tensor([0.05, 0.6, 0.99]).double())
CAPTIONS = ("a red acme mug", "a photo of an (acme mug:1.4) on a red background", "a chair")


@dataclass(frozen=True, eq=False)
class Case:
    base: Base
    lesson: Lesson
    net: Tuned
    x: Tensor

    def cond(self, captions: Sequence[str] = CAPTIONS) -> Cond:
        """As a step has it: tokens."""
        empty = torch.zeros(1, 1, 1, dtype=torch.uint8).numpy()
        return self.lesson.recipe.conditioning([Item(text, empty, text) for text in captions])

    def __call__(self, net: nn.Module, cond: Cond | None = None) -> Tensor:
        predicts = self.lesson.recipe.parametrisation
        return Preconditioned(net, predicts)(self.x, LEVELS, self.cond() if cond is None else cond).mean

    def plain(self, system: System, denoiser: Denoiser, captions: Sequence[str] = CAPTIONS) -> Tensor:
        """As pictures are made: prompts are read by the system itself, before."""
        rows = [said(system, text)[0] for text in captions]
        cond = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
        with torch.no_grad():
            return denoiser(self.x, LEVELS, cond).mean


def said(system: System, prompt: str) -> tuple[Cond, Cond]:
    """(cond, null) as pictures are made."""
    cond, null = told(system, Prompts(prompt), system.size).conds(torch.float32)
    return {k: v.clone() for k, v in cond.items()}, {k: v.clone() for k, v in null.items()}


def case(folder: Path, photos: Path, method: Method) -> Case:
    model = base(load(folder), "cpu", "float32")
    lesson = tiny_lesson(model, photos, Settings(method, 4, 4, moments=1))
    net = lesson.recipe.build(lesson.recipe.net)
    assert isinstance(net, Tuned)
    return Case(model, lesson, net, torch.randn(3, *model.stage.spec.shape, generator=torch.Generator().manual_seed(1)))


def moved(net: nn.Module, by: float = 0.1) -> dict[str, Tensor]:
    """What is learnt, moved; by its names."""
    torch.manual_seed(3)
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad:
                p.add_(by * torch.randn_like(p))
    return {name: p.detach() for name, p in net.named_parameters() if p.requires_grad}
