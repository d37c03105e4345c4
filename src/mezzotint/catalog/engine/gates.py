"""What an asset has to pass: the prompt gate before it is made, gates of pictures after.  The licence gate decides on a
recipe, when that is made ready.  A gate that cannot run blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mezzotint.errors import StorageError
from mezzotint.governance.safety.prompt.audit import write_down
from mezzotint.governance.safety.prompt.gate import Gate, Text
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.making.checked import texts_beside
from mezzotint.making.image import Image
from mezzotint.making.released import Withheld, judged
from mezzotint.making.request import Request

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.gate import OutputGate

State = Literal["allowed", "blocked", "unchecked"]


@dataclass(frozen=True)
class Said:
    """What a gate says: whether the asset may leave, and its verdict's document.   sealed: as ``Withheld`` has it."""

    state: State
    document: Mapping[str, Any]
    sealed: bytes | None = None


Look = Callable[[Image], Image | Withheld]
"""A gate of pictures: one with the verdict in its receipt, or withheld."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """The output gate, as ``generate`` has it."""

    gate: OutputGate

    def __call__(self, image: Image) -> Image | Withheld:
        """Raises StorageError."""
        return judged(self.gate, image)


@dataclass(frozen=True, eq=False)
class Prompts:
    """The prompt gate, as ``generate`` has it."""

    gate: Gate

    def __call__(self, prompt: str, asked: Request) -> Said:
        """The verdict on a prompt and all that is said beside it.   asked: the recipe's request."""
        texts = [Text("prompt", prompt), *texts_beside(asked)]
        verdict = self.gate.check(texts)
        if self.gate.policy.passes(verdict.decision):
            return Said("allowed", verdict.document)
        with suppress(StorageError):  # the refusal stands, written down or not
            write_down(verdict, [one.text for one in texts])
        return Said("unchecked" if verdict.decision == Decision.COULD_NOT_CHECK else "blocked", verdict.document)


def looked(image: Image, look: Look) -> Image | Said:
    """A picture that may leave, or what keeps it.  A gate that fails has not checked.   Raises StorageError."""
    try:
        found = look(image)
    except StorageError:
        raise
    except Exception as error:  # whatever it is: a gate that cannot run blocks
        return Said("unchecked", {"error": f"{type(error).__name__}: {error}"[:300]})
    if isinstance(found, Image):
        return found
    state: State = "unchecked" if found.decision == Decision.COULD_NOT_CHECK else "blocked"
    return Said(state, found.receipt.output_check or {}, found.sealed)
