"""What a command heeds before it makes anything, as one value: what licences say, and what the gate says of texts.

The gate has two sides: ``gates`` reads both, so that nothing is made where either cannot run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.gate import OutputGate
    from mezzotint.governance.safety.prompt.gate import Gate

Checks = Mapping[str, Mapping[str, Any]]
"""The document of a verdict, by prompt."""


@dataclass(frozen=True)
class Licensed:
    """What people should know of licences, and the decision as receipts have it; nothing where no use is declared."""

    notes: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Heeded:
    """All of it.   checks: what the prompt gate said of each prompt with the texts beside it."""

    licence: Licensed = field(default_factory=Licensed)
    checks: Checks = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Gates:
    """Both sides of the gate, read: ``pictures`` asks ``texts`` of the words that it finds in pixels."""

    texts: Gate
    pictures: OutputGate


def gates() -> Gates:
    """Those that the settings ask for.

    Raises: GateError where a file of either is missing, changed or damaged; UsageError, InputError for wrong settings.
    """
    from mezzotint.governance.safety.output import gate as output
    from mezzotint.governance.safety.prompt import gate as prompt

    texts = prompt.load()
    return Gates(texts, output.load(texts=texts))
