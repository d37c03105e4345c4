"""The exceptions of Mezzotint: one class a kind of fault, each with a stable ``code`` and the exit code of DESIGN
section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MezzotintError(Exception):
    """A fault the user can act on.  Its message is one line: what is wrong, what was expected, what to do."""

    code = "error"
    exit_code = 2


class UsageError(MezzotintError):
    """A wrong argument: unknown name, value out of range, options that do not go together."""

    code = "usage"


class PromptEmptyError(UsageError):
    """A prompt without a word, for a model that makes what words say."""

    code = "prompt_empty"


class InputError(MezzotintError):
    """Bad data from outside: an unreadable picture, an empty folder, a lying header."""

    code = "input"


class ModelError(MezzotintError):
    """Weights or a configuration that cannot be used: wrong keys, wrong shapes, a pickle."""

    code = "model"


class StorageError(MezzotintError):
    """A folder that cannot be written, a disk that is full."""

    code = "storage"


class NonFiniteError(MezzotintError):
    """Arithmetic left the finite numbers: a loss or a state is NaN or infinite."""

    code = "non_finite"
    exit_code = 1


class LicenceDeniedError(MezzotintError):
    """A licence forbids the declared use."""

    code = "licence_denied"
    exit_code = 4


class LicenceUnknownError(MezzotintError):
    """What licences allow in the declared use is not known, which counts as forbidden."""

    code = "licence_unknown"
    exit_code = 4


class LicenceConditionError(MezzotintError):
    """A licence's condition that is due before use is not met."""

    code = "licence_condition"
    exit_code = 4


class GateError(MezzotintError):
    """A gate that cannot run: a file of it is missing, changed or damaged.  Nothing is made without it."""

    code = "gate_broken"
    exit_code = 4


class PromptBlockedError(MezzotintError):
    """The prompt gate blocks a text."""

    code = "prompt_blocked"
    exit_code = 4


class PromptReviewError(MezzotintError):
    """The prompt gate asks for a person's look at a text, and the policy lets nothing through before that."""

    code = "prompt_review"
    exit_code = 4


class PromptUncheckedError(MezzotintError):
    """The prompt gate could not check a text."""

    code = "prompt_unchecked"
    exit_code = 4


class BudgetError(MezzotintError):
    """A cap or a budget leaves nothing for this; nothing is made."""

    code = "budget"
    exit_code = 4


class BudgetSpentError(BudgetError):
    """The same in the middle: what is made stays, and the same command goes on where there is money again."""

    code = "budget_spent"
    exit_code = 3


class OutputBlockedError(MezzotintError):
    """The output gate blocks every picture that was made."""

    code = "output_blocked"
    exit_code = 4


class GenerationFailedError(OutputBlockedError):
    """Every picture that was made is empty or of another size: nothing was judged for what it shows."""

    code = "generation_failed"


class OutputReviewError(MezzotintError):
    """The output gate asks for a person's look, and the policy lets no picture out before that."""

    code = "output_review"
    exit_code = 4


class OutputUncheckedError(MezzotintError):
    """The output gate could not check a picture."""

    code = "output_unchecked"
    exit_code = 4


class LedgerError(MezzotintError):
    """A ledger whose chain is broken, or a file that is none."""

    code = "ledger"


class ProvenanceError(MezzotintError):
    """A credential cannot be made, so the picture is not given out: a key that is missing, wrong or too old."""

    code = "provenance_failed"


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not in a closed set, with the nearest names first."""
    names = list(known)
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {kind} {name!r}; {hint}")
