"""A prompt as families read it whose one text encoder is T5's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.prompts import Prompts
from mezzotint.pretrained.families.clip import notes_of
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.t5 import T5Tower, t5_tower

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.system import System


@dataclass(frozen=True)
class T5Reading:
    """T5's states of a prompt and where there are tokens.   read: in small letters, as such models were trained."""

    t5: T5Tower
    read: tuple[str, str]
    width: int = 1

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([self.t5], [self.read])

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.t5], [self.read])

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        text, mask = self.t5.masked(self.read, dtype)
        return _told(text[:1], mask[:1]), _told(text[1:], mask[1:])


def _told(text: Tensor, mask: Tensor) -> Cond:
    return {"text": text, "text_mask": mask}


def t5_reading(system: System, said: Prompts, length: int) -> Reading:
    """What ``text_encoder`` makes of so many tokens of the prompts; padding is not read."""
    found = system.components
    assert found is not None
    t5 = t5_tower(found["tokenizer"], found["text_encoder"], length, system.adapters)
    ((prompt, negative),) = said.each(1)
    made = T5Reading(t5, (prompt.lower().strip(), negative.lower().strip()))
    return remembered(system, made, [made.read], {"towers": [t5.identity], "masked": True})
