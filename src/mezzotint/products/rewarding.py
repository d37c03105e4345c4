r"""How a model of product latents is taught to show what it is asked for: rankers look at what it makes.

The network makes a latent z in few steps, and beside the loss of denoising, which keeps pictures like photographs, has
that of what its caption names and z does not show:

.. math:: \ell(z) = -\textstyle\sum_a w_a \ln p(a \mid z)

of kind, view and colour (``ranking.missed``), in the mean over rankers that were taught apart, since what pleases one
alone is rarely a product.  z is guided, as it is for users.  The gradient goes to the steps in which shapes are
settled, not to those that draw edges, and in each to the network's answer alone, not through what it is shown: through
a chain of guided networks it grew tenfold.
Clark et al., 2024, Directly Fine-Tuning Diffusion Models on Differentiable Rewards (DRaFT), arXiv 2309.17400; Wu et
al., 2024, Deep Reward Supervisions for Tuning Text-to-Image Diffusion Models (DRTune), arXiv 2405.00760, for the steps
that are taught and the input without a gradient; Xu et al., 2023, ImageReward, alg. 1, for the two losses in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Denoiser, Network, Posterior, Preconditioned
from mezzotint.diffusion.guidance.autoguided import Autoguided
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.ddim import ddim
from mezzotint.errors import ModelError
from mezzotint.nets.ranker import Ranker
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.products.asked import ASPECTS, Asked, asked, numbers
from mezzotint.products.ranking import missed, noisy
from mezzotint.training.conditioning import Captions, trimmed
from mezzotint.training.data.source import Item
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample, denoise

_asked = lru_cache(maxsize=1 << 16)(asked)


@dataclass(frozen=True)
class CaptionsAsking:
    """What captions say, and what they name as ``asked.numbers`` gives it."""

    captions: Captions

    def __call__(self, items: Sequence[Item]) -> Cond:
        return {**self.captions(items), **numbers([_asked(item.text or "") for item in items])}

    def null(self, rows: int) -> Cond:
        """The empty caption, which names nothing."""
        return {**self.captions.null(rows), **numbers([Asked()] * rows)}


def _texts(cond: Cond) -> Cond:
    """What the network is told, without what is asked of it."""
    return {name: value for name, value in cond.items() if name not in ASPECTS}


def _rows(given: Sample, rows: Sequence[int]) -> Sample:
    """Some of the rows."""
    where = torch.tensor(rows, device=given.images.device)
    return Sample(
        given.images[where],
        given.eps[where],
        given.u[where.to(given.u.device)],
        {name: value[where] for name, value in given.cond.items()},
        None if given.labels is None else given.labels[where],
        replace(given.draws, rows=[given.draws.rows[i] for i in rows]),
    )


@dataclass(frozen=True)
class Blind:
    """A network without a gradient through the state that it is shown.   taught: whether with one to its weights."""

    network: Network
    taught: bool

    def __call__(self, x: Tensor, noise: Tensor, cond: Cond) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.taught):
            return self.network(x.detach(), noise, cond)


@dataclass(frozen=True)
class Rewarded:
    """A ``Task``: denoising, and ``weight`` times what the network's own latents do not show of what was asked.

    rankers: frozen.  scale: of guidance, > 1.  sigmas: from pure noise to the last call, alpha = 1.   taught: the
    steps that have a gradient.   each: one row of so many of a batch makes a latent, and counts as many times.
    """

    rankers: tuple[nn.Module, ...]
    weight: float = 0.1
    scale: float = 3.0
    sigmas: tuple[float, ...] = (80.0, 25.0, 8.0, 2.7, 0.9, 0.3)
    taught: tuple[int, ...] = (2, 3, 4)
    each: int = 8

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        learnt = denoise(recipe, network, replace(given, cond=_texts(given.cond)))
        asked = [i for i, row in enumerate(given.draws.rows) if row % self.each == 0]
        lost = self.missed(recipe, network, _rows(given, asked)) if asked else learnt.new_zeros(0)
        return learnt.index_add(0, torch.tensor(asked, device=learnt.device, dtype=torch.int64), lost)

    def missed(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        """What latents made for some rows do not show, at its weight, (b,)."""
        eps = given.draws.normals(0, recipe.codec.shape).to(given.images.device)
        made = self.made(partial(self.guided, recipe, network), eps, _texts(given.cond))
        z = noisy(made, given.draws, 1)
        lost = torch.stack([missed(ranker, z, given.cond) for ranker in self.rankers]).mean(0)
        return self.each * self.weight * lost

    def guided(self, recipe: Recipe, network: nn.Module, taught: bool) -> Denoiser:
        """The network as users ask it; only its answer to the text is taught, not that to no text."""
        asked, free = (Preconditioned(Blind(network, t), recipe.parametrisation) for t in (taught, False))

        def untold(x: Tensor, level: Level, cond: Cond) -> Posterior:
            null = trimmed(_texts(recipe.conditioning.null(len(x))))
            return free(x, level, {name: value.to(x.device) for name, value in null.items()})

        return Autoguided(asked, untold, self.scale)

    def made(self, denoiser: Callable[[bool], Denoiser], eps: Tensor, told: Cond) -> Tensor:
        """The latents (B, C, H, W) that noise (B, C, H, W) becomes by DDIM.   denoiser: taught or not -> it."""
        x = eps * self.sigmas[0]
        levels = [Level(torch.tensor(1.0), torch.tensor(sigma)) for sigma in (*self.sigmas, 0.0)]
        for k, (cur, nxt) in enumerate(pairwise(levels)):
            x = ddim(x, denoiser(k in self.taught)(x, cur, told).mean, cur, nxt)
        return x


def ranker_of(part: Path) -> Ranker:
    """The trained ranker of a folder, frozen.  Raises InputError, ModelError where it is something else."""
    net = load_network(describe_network(part))
    if not isinstance(net, Ranker):
        raise ModelError(f"{part} holds no ranker; train one with: mezzotint train products-latent:ranker")
    return net.eval().requires_grad_(False)
