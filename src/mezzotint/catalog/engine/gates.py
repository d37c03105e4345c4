"""What an asset has to pass: the prompt gate before it is made, gates of pictures after.  The licence gate decides on a
recipe, when that is made ready.  A gate that cannot run blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mezzotint.errors import ProvenanceError, StorageError
from mezzotint.governance.safety.prompt.audit import write_down
from mezzotint.governance.safety.prompt.gate import Gate, Text
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.making.checked import texts_beside
from mezzotint.making.image import Image, Progress
from mezzotint.making.leaving import Leaving
from mezzotint.making.released import Withheld, judged
from mezzotint.making.request import Request

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.gate import OutputGate

State = Literal["allowed", "blocked", "unchecked", "parked"]


@dataclass(frozen=True)
class Said:
    """What a gate says: whether the asset may leave, and its verdict's document; "parked" where it is not a gate's to
    say.   sealed, empty: as ``Withheld`` has it."""

    state: State
    document: Mapping[str, Any]
    sealed: bytes | None = None
    empty: bool = False


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
    if found.empty:
        codes = ", ".join(found.codes)
        return Said("parked", {"error": f"empty, or not of its size, from its other seed too: {codes}"}, empty=True)
    state: State = "unchecked" if found.decision == Decision.COULD_NOT_CHECK else "blocked"
    return Said(state, found.receipt.output_check or {}, found.sealed)


def leaving(events: Iterable[Progress | Image], way: Leaving[Said]) -> Iterator[Progress | Image | Said]:
    """A batch's steps, and what its gates say of its pictures.   Raises StorageError."""
    for event in events:
        yield _left(event, way) if isinstance(event, Image) else event


def _left(image: Image, way: Leaving[Said]) -> Image | Said:
    try:
        return way(image)
    except ProvenanceError as error:  # a mark is required and it has no room for one
        return Said("parked", {"error": str(error)})
