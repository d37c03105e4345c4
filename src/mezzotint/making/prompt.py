"""What a model is told of a prompt: labels or text, with what was understood of it; checked before torch is
imported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from unicodedata import category

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.labels import label_cond
from mezzotint.conditioning.prompts import Prompts
from mezzotint.conditioning.text import Tokens
from mezzotint.errors import PromptEmptyError, UsageError
from mezzotint.pretrained.families.known import Reading, family_of
from mezzotint.pretrained.picture_prompts import with_pictures
from mezzotint.pretrained.spec import labels_of
from mezzotint.pretrained.system import System

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond


@dataclass(frozen=True)
class Nothing:
    """An unconditional model is told nothing."""

    read: tuple[str, str] = ("", "")
    notes: tuple[str, ...] = ()
    tokens: tuple[Counted, ...] = ()
    width: int = 1

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        return {}, {}


@dataclass(frozen=True)
class Classes:
    """A class-conditional model is told a label, its null another."""

    label: int
    negative: int
    read: tuple[str, str] = ("", "")
    notes: tuple[str, ...] = ()
    tokens: tuple[Counted, ...] = ()
    width: int = 1

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        return label_cond([self.label]), label_cond([self.negative])


@dataclass(frozen=True, eq=False)
class Texts:
    """A model of text is told token states."""

    system: System
    read: tuple[str, str]
    notes: tuple[str, ...]
    tokens: tuple[Counted, ...] = ()
    width: int = 1

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        encoder, text = self.system.encoder, self.system.text
        assert encoder is not None and text is not None
        both = encoder.states(self.read, limit=text.tokens, width=text.tokens)
        return {k: v[:1] for k, v in both.items()}, {k: v[1:] for k, v in both.items()}


def told(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    """What a system is told, to make pictures of a size (width, height).

    Raises UsageError: an unknown label, a prompt for a model that takes none, or a text for an encoder that is not
    there; PromptEmptyError: no prompt for one of text.  A refiner is told the main texts.
    """
    if system.refiner is not None:
        from mezzotint.pretrained.refined import Both

        base = told(replace(system, refiner=None), said, size)
        return Both(base, told(system.refiner, Prompts(*said.main), size))
    if system.components is not None:
        read = family_of(system.components).reading(system, said, size)
        return with_pictures(read, system.attached)
    ((prompt, negative_prompt),) = said.each(1)
    if system.text is not None:
        return _texts(system, prompt, negative_prompt)
    labels = labels_of(system.labels)
    if labels is not None:
        return Classes(labels.index(prompt), labels.index(negative_prompt))
    if prompt or negative_prompt:
        raise UsageError(f"{system.name} is unconditional: a prompt has no effect on it; use ''")
    return Nothing()


def _texts(system: System, prompt: str, negative_prompt: str) -> Texts:
    if not _says(prompt):
        raise PromptEmptyError(f"{system.name} needs a prompt; try: a red armchair on a beige background, side view")
    read, notes = zip(*(_read(system, text) for text in (prompt, negative_prompt)), strict=True)
    said = tuple(note for some in notes for note in some)
    return Texts(system, (read[0], read[1]), said, counted([_Reader(system)], [(read[0], read[1])]))


def _says(prompt: str) -> bool:
    """Whether there is a word: two letters or digits, or one of a script in which one may be a word."""
    said = [c for c in prompt if c.isalnum()]
    return len(said) > 1 or any(category(c) == "Lo" for c in said)


@dataclass(frozen=True, eq=False)
class _Reader:
    """A text encoder of ours, as it counts."""

    system: System

    @property
    def name(self) -> str:
        assert self.system.text is not None
        return self.system.text.encoder

    def _tokens(self, text: str) -> Tokens:
        encoder, said = self.system.encoder, self.system.text
        assert encoder is not None and said is not None
        return encoder.tokens(text, said.tokens)

    def count(self, text: str) -> tuple[int, int]:
        found = self._tokens(text)
        return len(found.ids) - 2, found.lost

    def dropped(self, text: str) -> str:
        return " ".join(self._tokens(text).dropped)


def _read(system: System, prompt: str) -> tuple[str, list[str]]:
    """The English of a prompt, and notes on it."""
    text, encoder = system.text, system.encoder
    assert text is not None and encoder is not None
    english, notes = prompt, list[str]()
    if text.phrases == "products":
        from mezzotint.products.phrases import read

        found = read(prompt, system.taught)
        english = found.english
        if found.language:
            notes.append(f"read as {found.language}: {english}")
        if found.unknown:
            notes.append(f"not understood and left out: {', '.join(found.unknown[:8])}")
    dropped = encoder.tokens(english, text.tokens).dropped
    if dropped:
        more = f" and {len(dropped) - 8} more" if len(dropped) > 8 else ""
        notes.append(f"the prompt is too long; dropped from its end: {' '.join(dropped[:8])}{more}")
    if strange := _strange(english, set(text.words), system):
        notes.append(f"words this model has never seen: {', '.join(strange[:8])}")
    return english, notes


def _strange(english: str, known: set[str], system: System) -> list[str]:
    """The words of a text that a model has never seen; of a model that does not say what it has, none."""
    from mezzotint.products.phrases import without_names, words_of

    said = dict.fromkeys(words_of(without_names(english, system.taught)))
    return [w for w in said if w not in known and w.rstrip("s") not in known] if known else []
