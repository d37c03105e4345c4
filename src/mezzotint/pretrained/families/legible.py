"""Text encoders that are learnt on: captions as tokens before a step, what they say inside it, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.pretrained.embeddings import Learned
from mezzotint.pretrained.families import stable_diffusion, stable_diffusion_xl
from mezzotint.pretrained.families.clip import Spelled, Tower
from mezzotint.pretrained.families.known import PIPELINES
from mezzotint.pretrained.system import System

IDS, WEIGHTS, SAID = "ids.", "weights.", "said"
"""Names, with an encoder's behind the first two: (B, 1, L) int64, (B, 1, L) float32, and (B,), 0 for nothing."""


TEXTS = ("text", "pooled")
"""What a network is told of texts."""


@dataclass(frozen=True, eq=False)
class Legible:
    """towers: what reads.  pooled: whether the network is told the pooled state of the tower that projects.  zeros:
    whether nothing is said by zeros, not by the empty prompt."""

    towers: tuple[Tower, ...]
    pooled: bool
    zeros: bool

    def tokens(self, captions: Sequence[str]) -> Cond:
        """Captions as the names above.  Raises UsageError for one that takes more than one chunk."""
        for caption in captions:
            if any(len(tower.chunks(caption)) > 1 for tower in self.towers):
                raise UsageError(f"the caption {caption[:80]!r}… is longer than text encoders read; say it shorter")
        made: dict[str, Tensor] = {SAID: torch.tensor([float(bool(caption)) for caption in captions])}
        for tower in self.towers:
            spelled = tower.spelled(captions, 1)
            made |= {IDS + tower.name: spelled.ids, WEIGHTS + tower.name: spelled.weights}
        return made

    def cond(self, networks: Callable[[str], nn.Module], tokens: Cond) -> Cond:
        """What a network is told of tokens: as prompts are read, differentiable; all else that it is told stays.

        networks: of each encoder, by its name.
        """
        names = [tower.name for tower in self.towers]
        found = [
            tower.read(networks(tower.name), Spelled(tokens[IDS + tower.name], tokens[WEIGHTS + tower.name]))
            for tower in self.towers
        ]
        told = {"text": torch.cat([one.text for one in found], -1)}
        if self.pooled:
            told["pooled"] = next(one.pooled for one, t in zip(found, self.towers, strict=True) if t.projects)
        if self.zeros:
            said = tokens[SAID]
            told = {name: value * said.reshape(-1, *(1,) * (value.ndim - 1)) for name, value in told.items()}
        own = {SAID, *(IDS + name for name in names), *(WEIGHTS + name for name in names)}
        return {**told, **{name: value for name, value in tokens.items() if name not in own}}


def legible(system: System, learned: tuple[Learned, ...] = ()) -> Legible:
    """The text encoders of a system, which know some words beside their own.

    Raises UsageError for a family whose encoders are not learnt on.
    """
    found = system.components
    family = "" if found is None else PIPELINES.get(found.class_name, "")
    towers: Mapping[str, Callable[[System], tuple[Tower, ...]]] = {
        "stable_diffusion": stable_diffusion.towers, "stable_diffusion_xl": stable_diffusion_xl.towers,
    }  # fmt: skip
    if found is None or family not in towers:
        raise UsageError(
            f"nothing is learnt on the text encoders of {system.name}; expected Stable Diffusion 1, 2 or XL"
        )
    read_by = tuple(replace(tower, learned=learned) for tower in towers[family](system))
    xl = family == "stable_diffusion_xl"
    return Legible(read_by, pooled=xl, zeros=xl and stable_diffusion_xl.nothing_is_zeros(found))
