r"""How a model of product latents is taught to show what it is asked for: the ranker looks at what it makes.

The network makes a latent z in few steps, and beside the loss of denoising, which keeps pictures like photographs, has
that of what its caption names and z does not show:

.. math:: \ell(z) = -\textstyle\sum_a w_a \ln p(a \mid z)

of kind, view and colour (``ranking.missed``).  z is guided, as it is for users.  The gradient goes back through the
last steps, from the level at which shapes begin to be settled, and in each to the network's answer alone, not through
what it is shown: through a chain of guided networks it grew tenfold.
Clark et al., 2024, Directly Fine-Tuning Diffusion Models on Differentiable Rewards (DRaFT), arXiv 2309.17400; Wu et
al., 2024, Deep Reward Supervisions for Tuning Text-to-Image Diffusion Models (DRTune), arXiv 2405.00760, for the steps
that are taught and the input without a gradient; Xu et al., 2023, ImageReward, alg. 1, for the two losses in one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
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

    ranker: frozen.  scale: of guidance, > 1.  sigmas: from pure noise to the last call, alpha = 1; the first ``free``
    steps have no gradient.
    """

    ranker: nn.Module
    weight: float = 0.1
    scale: float = 3.0
    sigmas: tuple[float, ...] = (80.0, 25.0, 8.0, 2.7, 0.9, 0.3)
    free: int = 2

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        told = _texts(given.cond)
        learnt = denoise(recipe, network, replace(given, cond=told))
        eps = given.draws.normals(0, recipe.codec.shape).to(learnt.device)
        z = self.made(self.guided(recipe, network), eps, told)
        return learnt + self.weight * missed(self.ranker, noisy(z, given.draws, 1), given.cond)

    def guided(self, recipe: Recipe, network: nn.Module) -> Denoiser:
        """The network as users ask it; only its answer to the text is taught, not that to no text."""
        asked, free = (Preconditioned(Blind(network, taught), recipe.parametrisation) for taught in (True, False))

        def untold(x: Tensor, level: Level, cond: Cond) -> Posterior:
            null = trimmed(_texts(recipe.conditioning.null(len(x))))
            return free(x, level, {name: value.to(x.device) for name, value in null.items()})

        return Autoguided(asked, untold, self.scale)

    def made(self, denoiser: Denoiser, eps: Tensor, told: Cond) -> Tensor:
        """The latents (B, C, H, W) that noise (B, C, H, W) becomes by DDIM."""
        x = eps * self.sigmas[0]
        levels = [Level(torch.tensor(1.0), torch.tensor(sigma)) for sigma in (*self.sigmas, 0.0)]
        for k, (cur, nxt) in enumerate(pairwise(levels)):
            with torch.set_grad_enabled(torch.is_grad_enabled() and k >= self.free):
                x = ddim(x, denoiser(x, cur, told).mean, cur, nxt)
        return x


def ranker_of(part: Path) -> Ranker:
    """The trained ranker of a folder, frozen.  Raises InputError, ModelError where it is something else."""
    net = load_network(describe_network(part))
    if not isinstance(net, Ranker):
        raise ModelError(f"{part} holds no ranker; train one with: mezzotint train products-latent:ranker")
    return net.eval().requires_grad_(False)
