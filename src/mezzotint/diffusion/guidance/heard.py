"""How far a prompt moves the first step of a trajectory, heard while guidance merges both answers anyway."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.guidance.pair import Rule, Scale
from mezzotint.diffusion.level import Level


def moved(strong: Tensor, weak: Tensor) -> Tensor:
    r"""(B,): the root mean square over a row's D numbers of :math:`c - u`, the two estimates of x0, (B, *) each.

    The noise predictions differ by it times :math:`-\alpha/\sigma`, so :math:`\lVert\epsilon(x, y) - \epsilon(x,
    \varnothing)\rVert_2` is it times :math:`\sqrt{D}\,\alpha/\sigma`: at one level the order of prompts is the same.
    Wen, Liu, Chen & Lyu, 2024, Detecting, Explaining, and Mitigating Memorization in Diffusion Models, sec. 3.2.
    """
    return (strong.float() - weak.float()).flatten(1).square().mean(1).sqrt()


@dataclass(eq=False)
class Heard:
    """What guidance's first merge of a trajectory says.   until: log-SNR of the first step's end.

    apart: (B,), ``moved`` at the first level; None before that, and where guidance is off there.   logsnr: of that
    level.
    """

    until: float
    apart: Tensor | None = field(default=None, init=False)
    logsnr: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """Before each trajectory."""
        self.apart = None

    def around(self, rule: Rule) -> Rule:
        """The same rule, listened to."""

        def merged(strong: Posterior, weak: Posterior, scale: Scale, x: Tensor, level: Level) -> Posterior:
            if self.apart is None:
                at = float(level.logsnr.max())
                if at < self.until:
                    self.apart, self.logsnr = moved(strong.mean, weak.mean), at
            return rule(strong, weak, scale, x, level)

        return merged
