"""What an adapter learns: the product as its scenes say, and to leave the base as it is everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Preconditioned
from mezzotint.diffusion.level import Level, noised
from mezzotint.nets.adapters.falling import at
from mezzotint.nets.adapters.layouts import Part
from mezzotint.nets.small_attention import SmallAttention
from mezzotint.pretrained.tunable_texts import Reading
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample
from mezzotint.tuning.scenes import PRIOR, SUBJECT
from mezzotint.tuning.settings import Settings


class Tuned(nn.Module):
    """A network with what is learnt on it, and the base it was put on, which has its own answer; not a part of it.

    t: logsnr -> schedule coordinate, of a network that is another one at each level; else None.
    """

    def __init__(self, tuned: nn.Module, base: nn.Module, t: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.tuned, self._t = tuned, t
        self._base = (base,)  # in a tuple: a child of this module would be saved and counted

    @property
    def base(self) -> nn.Module:
        return self._base[0]

    @property
    def places(self) -> Mapping[Part, str]:
        """Network of a system -> the module in this one that has what is learnt of it."""
        if not isinstance(self.tuned, Reading):
            return {"denoiser": "tuned"}
        return {"denoiser": "tuned.net", **{name: f"tuned.texts.{name}" for name in self.tuned.texts}}

    def at(self, level: Level) -> nn.Module:
        """What is asked at the rows' levels: itself, or where it is another one at each, that."""
        return self if self._t is None else at(self, self._t(level.logsnr))

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        with SmallAttention():
            y: Tensor = self.tuned(x, c_noise, cond)
        return y


@dataclass(frozen=True)
class Tune:
    r"""The weighted squared error of x0, :math:`w(\alpha,\sigma)\,\overline{m\,(D(x) - y)^2}` a row.

    Rows of the product, and those without a label: y is the picture, and m counts what is no part of what its text says
    (``scenes.Scene.counts``) ``outside`` times, and is 1 on average.  Rows of the prior: y is the base's own answer, m
    is 1, and the row counts ``prior`` times: learning without forgetting, also where there are no pictures of other
    things.

    Ruiz et al., 2023, DreamBooth, eq. 2; Li & Hoiem, 2016, Learning without Forgetting, eq. 2.
    """

    prior: float = Settings.prior
    outside: float = Settings.outside

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        assert isinstance(network, Tuned)
        x0 = recipe.codec.encode(given.images[:, :-1])
        level = recipe.levels(given.u.cpu()).to(x0)
        x, asked = noised(x0, given.eps, level), Preconditioned(network.at(level), recipe.parametrisation)
        answer = asked(x, level, given.cond).mean.float()
        labels = torch.full((len(x0),), SUBJECT) if given.labels is None else given.labels
        before = (labels == PRIOR).to(x0.device)
        target = x0.float()
        if bool(before.any()):
            target = target.clone()
            target[before] = self._before(recipe, network.base, given, before, x)
        error = (answer - target).square() * self.counted(given.images[:, -1:], before, tuple(x0.shape[-2:]))
        row = error.flatten(1).mean(1) * recipe.weight(level).to(error)
        return torch.where(before, self.prior * row, row)

    def counted(self, counts: Tensor, before: Tensor, size: tuple[int, ...]) -> Tensor:
        """How much each place counts, (b, 1, h, w), 1 on average.   counts: (b, 1, H, W) uint8.  before: (b,) bool."""
        small = F.interpolate(counts.to(before.device).float() / 255, size, mode="area")
        weight = self.outside + (1 - self.outside) * small
        # Nothing of the product and an outside of 0: nothing counts, and nothing is divided by.
        weight = weight / weight.mean((1, 2, 3), keepdim=True).clamp_min(1e-6)
        return torch.where(before[:, None, None, None], torch.ones_like(weight), weight)

    def _before(self, recipe: Recipe, base: nn.Module, given: Sample, rows: Tensor, x: Tensor) -> Tensor:
        """What the base answers on some rows."""
        level = recipe.levels(given.u.cpu()[rows.cpu()]).to(x)
        cond = {name: value[rows] for name, value in given.cond.items()}
        with torch.no_grad():
            return Preconditioned(base, recipe.parametrisation)(x[rows], level, cond).mean.float()
