"""Between a picture that was made and whoever asked for it: the output gate.

Only an ``Image`` has pixels that are given out.  What the gate does not let pass becomes ``Withheld``, which has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mezzotint.errors import (
    GenerationFailedError,
    MezzotintError,
    OutputBlockedError,
    OutputReviewError,
    OutputUncheckedError,
    StorageError,
)
from mezzotint.governance.receipt import Receipt
from mezzotint.governance.safety.prompt.audit import write_down
from mezzotint.governance.safety.prompt.words import Decision, decision_of
from mezzotint.making.image import Image

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.gate import OutputGate
    from mezzotint.governance.safety.prompt.verdict import Verdict

_ERRORS: Mapping[Decision, tuple[type[MezzotintError], str]] = {
    Decision.BLOCK: (OutputBlockedError, "blocked"),
    Decision.COULD_NOT_CHECK: (OutputUncheckedError, "not checked, which blocks"),
    Decision.REVIEW: (OutputReviewError, "for a person to review, which blocks here"),
}


@dataclass(frozen=True)
class Withheld:
    """A picture that was made and is not given out.   receipt: its record, with the verdict; no pixels are kept.

    sealed: the box of them that only a reviewer's key opens, where the policy asks for one.
    """

    prompt: str
    seed: int
    receipt: Receipt
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def decision(self) -> Decision:
        """Of the verdict."""
        return decision_of(str(_verdict(self.receipt)["decision"]))

    @property
    def codes(self) -> tuple[str, ...]:
        """Of what decided."""
        findings = _verdict(self.receipt)["findings"]
        return tuple(sorted({one["code"] for one in findings if one["decision"] == self.decision.word}))

    @property
    def empty(self) -> bool:
        """Whether it is withheld as no picture at all: of one colour, or of another size."""
        structure = (code.startswith("MZ-O-structure-") and not code.endswith("-failed") for code in self.codes)
        return bool(self.codes) and all(structure)


def _verdict(receipt: Receipt) -> Mapping[str, Any]:
    assert receipt.output_check is not None
    return receipt.output_check


def output_gate() -> Callable[[Image], Image | Withheld]:
    """The gate: a picture with its verdict in the receipt, or withheld.

    Raises GateError where it cannot run; UsageError, InputError for a wrong policy.
    """
    from mezzotint.governance.safety.output.gate import load

    return partial(judged, load())


def judged(gate: OutputGate, image: Image) -> Image | Withheld:
    """A picture with the verdict in its receipt, or withheld.   Raises StorageError: it cannot be entered."""
    verdict = gate.check(image.pixels, image.receipt.made.size, image.receipt.first_step)
    receipt = replace(image.receipt, output_check=verdict.document)
    if gate.passes(verdict.decision):
        _remember(gate, image)
        return replace(image, receipt=receipt)
    _write_down(verdict, receipt)
    box = gate.sealed(image.pixels, image.receipt.made.asset_id, verdict)
    return Withheld(image.prompt, image.seed, receipt, box)


def _write_down(verdict: Verdict, receipt: Receipt) -> None:
    with suppress(StorageError):  # the refusal stands, written down or not
        write_down(verdict, [receipt.made.asset_id])


def _remember(gate: OutputGate, image: Image) -> None:
    """Enters a picture among the outputs whose copies are looked for, where the policy asks for that."""
    if gate.policy.outputs == "allow":
        return
    from mezzotint.governance.safety.output.copies import registry

    registry.added(registry.place(), [registry.entry("output", image.receipt.made.asset_id, image.pixels)])


def refusal(withheld: Iterable[Withheld]) -> MezzotintError:
    """One line for pictures none of which is given out."""
    several = tuple(withheld)
    worst = max(one.decision for one in several)
    codes = ", ".join(sorted({code for one in several if one.decision == worst for code in one.codes}))
    what = "the picture is" if len(several) == 1 else f"all {len(several)} pictures are"
    if all(one.empty for one in several):
        return GenerationFailedError(f"{what} empty, or not of the size that was asked: {codes}; try another seed")
    kind, said = _ERRORS[worst]
    return kind(f"{what} {said}: {codes}; say it otherwise, or try another seed")
