"""The gate: a picture in, a verdict out.  Whatever goes wrong inside is a verdict too, and one that blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mezzotint.governance.safety.filter_file import Filter
from mezzotint.governance.safety.output import filters
from mezzotint.governance.safety.output.colours import Colours, read_rules
from mezzotint.governance.safety.output.copies import registry
from mezzotint.governance.safety.output.copies.check import Copies
from mezzotint.governance.safety.output.marks import Marks
from mezzotint.governance.safety.output.nsfw import Nsfw
from mezzotint.governance.safety.output.people import People
from mezzotint.governance.safety.output.policy import OutputPolicy, declared_output
from mezzotint.governance.safety.output.remembered import Remembered
from mezzotint.governance.safety.output.sanity import Sanity
from mezzotint.governance.safety.output.sealed import Seal, seal
from mezzotint.governance.safety.output.text import Texts
from mezzotint.governance.safety.output.verdict import OUTPUT, Found, finding, together
from mezzotint.governance.safety.prompt import gate as prompt_gate
from mezzotint.governance.safety.prompt.policy import place
from mezzotint.governance.safety.prompt.verdict import Verdict, distinct
from mezzotint.governance.safety.prompt.words import HARD, Decision
from mezzotint.governance.safety.within import SECONDS, alert, within
from mezzotint.pictures.png import Pixels


class Check(Protocol):
    """One look at a picture (H, W, C) uint8."""

    @property
    def name(self) -> str: ...
    def __call__(self, pixels: Pixels) -> Found: ...


@dataclass(frozen=True, eq=False)
class OutputGate:
    """checks: the cheap ones first.  texts: the prompt gate, for what is read in pictures and for review's meaning.
    files: SHA-256 of all that was read, by name.  seal: what pictures that are withheld are sealed with; None keeps
    nothing of them.
    """

    policy: OutputPolicy
    texts: prompt_gate.Gate
    checks: tuple[Check, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    seal: Seal | None = None

    def check(
        self, pixels: Pixels, size: tuple[int, int] | None = None, first: Mapping[str, Any] | None = None
    ) -> Verdict:
        """The verdict on a picture, of which nothing is kept.   size: (width, height) that was asked.   first: what its
        first step said, as receipts have it.

        Raises nothing: what cannot be checked is could-not-check.  After a check that blocks none is asked.
        """
        found = together(self._looks(pixels, (Sanity(size), Remembered(first, self.policy), *self.checks)))
        findings = distinct(found.findings)
        decision = max((one.decision for one in findings), default=Decision.ALLOW)
        loosened = tuple(dict.fromkeys((*self.texts.policy.loosened, *self.policy.loosened)))
        return Verdict(decision, findings, self.files, loosened, self.policy.sha256, OUTPUT, found.measured)

    def passes(self, decision: Decision) -> bool:
        """Whether a picture may leave."""
        return self.texts.policy.passes(decision)

    def sealed(self, pixels: Pixels, asset_id: str, verdict: Verdict) -> bytes | None:
        """The box of a picture that is withheld; None where nothing of it is kept.

        What may not be held at all (``words.HARD``) is not, sealed or otherwise.
        """
        if self.seal is None or any(one.category in HARD for one in verdict.findings):
            return None
        return self.seal(pixels, asset_id, verdict.document)

    @staticmethod
    def _looks(pixels: Pixels, checks: Sequence[Check]) -> Iterator[Found]:
        for check in checks:
            found = _look(check, pixels)
            yield found
            if any(one.decision == Decision.BLOCK for one in found.findings):
                return


def _look(check: Check, pixels: Pixels) -> Found:
    try:
        found = within(SECONDS, lambda: check(pixels))
        if not all(map(math.isfinite, found.scores.values())):
            raise FloatingPointError("a score is no number")
        return found
    except Exception as error:  # whatever it is: a gate that cannot run blocks
        alert("output", check.name, error)
        return Found((finding("structure", "failed", check.name, Decision.COULD_NOT_CHECK, 1.0),))


def load(policy: OutputPolicy | None = None, texts: prompt_gate.Gate | None = None) -> OutputGate:
    """The gate that the settings ask for.

    Raises: GateError where a file of it is missing, changed or damaged, or one of a filter that is installed and that
    the policy does not ask; UsageError, InputError for wrong settings.
    """
    asked = declared_output() if policy is None else policy
    words = prompt_gate.load() if texts is None else texts
    known = registry.registered(registry.place(), _kinds(asked))
    # All that are installed, also what this policy does not ask: a changed file is a sign that somebody was here.
    installed = {one.name: filters.network(one, asked.folder) for one in filters.FILTERS}
    networks = {one.name: installed[one.name] for one in _wanted(asked)}
    found, read = (networks.get(one.name) for one in (filters.TEXT_FOUND, filters.TEXT_READ))
    classifiers = tuple(n for one in (filters.OPEN_NSFW, filters.IMAGE_SAFETY) if (n := networks.get(one.name)))
    checks: list[Check] = [] if asked.nsfw == "off" else [Nsfw(classifiers, asked)]
    checks += [] if asked.people == "allow" else [People(networks[filters.CENTERFACE.name], asked)]
    checks += [Copies(known, asked)]
    if words.brand is not None and words.brand.colours:
        checks.append(Colours(read_rules(words.brand.colours, "[colours] of the brand's rules")))
    checks.append(Marks(known.marks, asked))
    checks += [] if asked.text == "off" else [Texts(found, read, asked, words)]
    files = {one.name: one.sha256 for one in networks.values() if one is not None}
    registers = {"copies": known.sha256} if known.entries or known.marks else {}
    key = None if asked.quarantine_key is None else place(asked.quarantine_key)
    kept = seal(key) if asked.quarantine == "sealed" else None
    return OutputGate(asked, words, tuple(checks), {**words.files, **files, **registers}, kept)


def _kinds(policy: OutputPolicy) -> tuple[str, ...]:
    """What of the registry is asked about."""
    return tuple(kind for kind in registry.KINDS if kind != "output" or policy.outputs != "allow")


def _wanted(policy: OutputPolicy) -> Iterator[Filter]:
    """The filters of a policy."""
    yield from () if policy.nsfw == "off" else (filters.OPEN_NSFW, filters.IMAGE_SAFETY)
    yield from () if policy.people == "allow" else (filters.CENTERFACE,)
    yield from () if policy.text == "off" else (filters.TEXT_FOUND, filters.TEXT_READ)
