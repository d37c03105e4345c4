"""What a run learns to do: a task turns a batch into one loss a row.  Denoising is the plain one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Preconditioned
from mezzotint.diffusion.objective import loss
from mezzotint.training import keyed

if TYPE_CHECKING:
    from mezzotint.training.recipe import Recipe


@dataclass(frozen=True)
class Draws:
    """Keyed randomness of some rows, for whoever needs more than noise and a level; a function of its fields."""

    seed: int
    purpose: int
    step: int
    rows: Sequence[int]

    def normals(self, k: int, shape: tuple[int, ...]) -> Tensor:
        """The k-th draw, k < 100: (rows, *shape) float32 standard normals, on the CPU."""
        return keyed.normals(self.seed, self.purpose + k, self.step, self.rows, shape)

    def uniforms(self, k: int) -> Tensor:
        """The k-th draw, k < 100: (rows,) float64 in (0, 1), on the CPU."""
        return keyed.uniforms(self.seed, self.purpose + k, self.step, self.rows)


@dataclass(frozen=True)
class Sample:
    """The rows that are computed at once, on the run's device.

    images: (b, C, H, W) uint8.  eps: (b, *) float32.  u: (b,) float64, stratified.  labels: (b,) or None.
    draws: on the CPU.
    """

    images: Tensor
    eps: Tensor
    u: Tensor
    cond: Cond
    labels: Tensor | None
    draws: Draws


class Coupling:
    """The base of tasks and assignments for which a row's answer depends on the rows beside it.

    They see the rows that are computed at once, so a batch cut into parts would be another objective: ``begin`` refuses
    it.
    """


class Task(Protocol):
    """(recipe, network, b rows) -> the loss of each row, (b,) float32; called under the run's autocast.

    One whose rows depend on each other is a ``Coupling``.
    """

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor: ...


Told = Callable[[Tensor, Draws], Cond]
"""(pictures (b, C, H, W) uint8, draws) -> cond that comes from the pictures themselves: a smaller copy, an
embedding.
"""


def nothing_told(images: Tensor, draws: Draws) -> Cond:
    """The pictures say nothing of themselves."""
    return {}


def denoise(recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
    """The weighted squared error of x0 at each row's level; see ``diffusion.objective.loss``."""
    x0 = recipe.codec.encode(given.images)
    eps = recipe.assignment(x0, given.eps, given.labels)
    level = recipe.levels(given.u.cpu()).to(x0)
    told = {k: v.to(x0.device) for k, v in recipe.told(given.images, given.draws).items()}
    denoiser = Preconditioned(network, recipe.parametrisation)
    return loss(denoiser, x0, eps, level, {**given.cond, **told}, recipe.weight)
