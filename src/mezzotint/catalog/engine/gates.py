"""What an asset has to pass: the prompt gate before it is made, gates of pictures after.  The licence gate decides on a
recipe, when that is made ready.  A gate that cannot run blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from mezzotint.catalog.plan.words import Words
from mezzotint.errors import StorageError
from mezzotint.governance.safety.prompt.audit import write_down
from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.making.checked import texts_beside
from mezzotint.making.image import Image
from mezzotint.making.request import Request

State = Literal["allowed", "blocked", "unchecked"]


@dataclass(frozen=True)
class Said:
    """What a gate says: whether the asset may leave, and its verdict's document."""

    state: State
    document: Mapping[str, Any]


Look = Callable[[Image], Said]
"""A gate of pictures."""

LOOKS: tuple[Look, ...] = ()
"""The gates that every picture has to pass before it is named; a gate of pictures joins here."""


@dataclass(frozen=True)
class Prompts:
    """The prompt gate, as ``generate`` has it.  Raises GateError, UsageError, InputError where it cannot run at all."""

    words: Words

    @cached_property
    def gate(self) -> Gate:
        return load()

    def __call__(self, prompt: str, asked: Request) -> Said:
        """The verdict on a prompt and all that is said beside it.   asked: the recipe's request."""
        texts = [Text("prompt", prompt), *texts_beside(asked)]
        verdict = self.gate.check(texts)
        if self.gate.policy.passes(verdict.decision):
            return Said("allowed", verdict.document)
        with suppress(StorageError):  # the refusal stands, written down or not
            write_down(verdict, [one.text for one in texts])
        return Said("unchecked" if verdict.decision == Decision.COULD_NOT_CHECK else "blocked", verdict.document)


def looked(image: Image, looks: Sequence[Look]) -> Said | None:
    """The first gate that does not let a picture pass; None where all do.  One that fails has not checked."""
    for look in looks:
        try:
            said = look(image)
        except Exception as error:  # whatever it is: a gate that cannot run blocks
            said = Said("unchecked", {"error": f"{type(error).__name__}: {error}"[:300]})
        if said.state != "allowed":
            return said
    return None
