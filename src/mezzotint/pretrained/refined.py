"""A base and its refiner as one system: the base's state is handed over at a share of the steps.

Podell et al., 2023, SDXL: Improving Latent Diffusion Models for High-Resolution Image Synthesis, sec. 2.5; a refiner as
an expert for little noise: Balaji et al., 2022, eDiff-I, sec. 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mezzotint.conditioning.counted import Counted
from mezzotint.errors import ModelError, UsageError
from mezzotint.files import sha256
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.diffusion.level import Level

SHARE = 0.8
"""Of the steps' time that is the base's unless told otherwise."""

PREFIX = "refiner_"
"""Before the names of what the refiner is told."""

ALIKE = ("parametrisation", "schedule", "codec")


def with_refiner(base: System, refiner: System, share: float = SHARE) -> System:
    """A system of two stages.  share: of the noise's time, from the noisiest, in (0, 1).

    Raises UsageError for a share out of range or parts that are no base and refiner, ModelError where the refiner's
    states are not the base's.
    """
    if not 0 < share < 1:
        raise UsageError(f"refiner-at is {share}; expected above 0 and below 1")
    if base.components is None or refiner.components is None or len(base.members) + len(refiner.members) != 2:
        raise UsageError(f"{refiner.name} cannot refine {base.name}; expected two folders in diffusers' layout")
    one, two = (system.members[0].described.spec for system in (base, refiner))
    for name in ALIKE:
        if getattr(one, name) != getattr(two, name):
            raise ModelError(f"{refiner.name} cannot refine {base.name}: its {name} is another; use that base's own")
    if one.shape[0] != two.shape[0]:
        raise ModelError(f"{refiner.name} cannot refine {base.name}: its states have {two.shape[0]} channels")
    described = replace(refiner.members[0].described, spec=replace(two, shape=one.shape))
    second = replace(refiner.members[0], described=described, link={"name": "handover", "share": share})
    text = base.text
    if text is not None and refiner.text is not None:
        text = replace(text, sha256=sha256(f"{text.sha256}{refiner.text.sha256}".encode()))
    return replace(base, members=(*base.members, second), text=text, refiner=refiner)


def handed_over(spec: Spec, levels: Level, share: float) -> int:
    """The number of the first step that is the refiner's: the first whose level lies below the share of the noise's
    time, as diffusers' ``denoising_end`` and ``denoising_start`` count it.  Raises UsageError where a stage has none.

    levels: (N+1,), of which the last is no step's.
    """
    from mezzotint.pretrained.stage_model import parametrisation_of

    count = int(spec.schedule.get("n", 1000))
    told = parametrisation_of(spec)(levels[:-1]).noise
    first = int((told >= round(count - share * count)).sum())
    if not 0 < first < len(told):
        raise UsageError(
            f"of {len(told)} steps none is left for {'the base' if first == 0 else 'the refiner'} at a share of"
            f" {share:g}; take more steps, or another --refiner-at"
        )
    return first


@dataclass(frozen=True)
class Both:
    """What a base and a later stage, its refiner, are told of a prompt.   prefix: before the names of the latter."""

    base: Reading
    refiner: Reading
    prefix: str = PREFIX

    @property
    def read(self) -> tuple[str, str]:
        return self.base.read

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.base.notes, *self.refiner.notes)))

    @property
    def tokens(self) -> tuple[Counted, ...]:
        return (*self.base.tokens, *(replace(t, encoder=f"{self.prefix}{t.encoder}") for t in self.refiner.tokens))

    @property
    def width(self) -> int:
        """One number for both widths: prompts share a batch where both are equal."""
        return self.base.width * 1000 + self.refiner.width

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        pairs = zip(self.base.conds(dtype), self.refiner.conds(dtype), strict=True)
        cond, null = ({**a, **{self.prefix + name: value for name, value in b.items()}} for a, b in pairs)
        return cond, null
