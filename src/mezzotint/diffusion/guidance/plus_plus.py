"""CFG++: the guided picture, renoised with the unconditional noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.guidance.noise_of import noise_of
from mezzotint.diffusion.guidance.pair import Contrast
from mezzotint.diffusion.level import Level


@dataclass(frozen=True)
class CFGPlusPlus:
    r"""The guided mean, with :math:`\hat\varepsilon = (x - \alpha u)/\sigma` to renoise with, u the weak answer.

    guided: a ``Guided`` or ``Autoguided``, with any rule; scales of 0 … 1 (the paper's lambda) are the useful ones.
    Solvers that renoise (DDIM, Euler, Euler ancestral) take it; the others raise UsageError.  Two calls at every scale.
    Chung et al., 2024, CFG++: Manifold-constrained Classifier Free Guidance, algorithm 2.
    """

    guided: Contrast

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        strong, weak = self.guided.pair(x, level, cond)
        return replace(self.guided.merge(strong, weak, x, level), eps=noise_of(weak, x, level))
