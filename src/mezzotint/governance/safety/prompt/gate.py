"""The gate: texts in, a verdict out.  Whatever goes wrong inside is a verdict too, and one that blocks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from mezzotint.errors import GateError, InputError
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.brand import Brand, read_brand
from mezzotint.governance.safety.prompt.canonical import Canonical, canonical
from mezzotint.governance.safety.prompt.conjunction import joined
from mezzotint.governance.safety.prompt.languages import E5, Languages, languages
from mezzotint.governance.safety.prompt.lexicon import Lexicon
from mezzotint.governance.safety.prompt.match import Hit, hits
from mezzotint.governance.safety.prompt.meaning import Meaning, is_vietnamese, meaning
from mezzotint.governance.safety.prompt.names import Names, read_names
from mezzotint.governance.safety.prompt.parts import CLAUSES
from mezzotint.governance.safety.prompt.personal import personal
from mezzotint.governance.safety.prompt.policy import Policy, declared, place
from mezzotint.governance.safety.prompt.structure import fault, fault_together
from mezzotint.governance.safety.prompt.verdict import Finding, Verdict, distinct
from mezzotint.governance.safety.prompt.views import WORD, Views, views
from mezzotint.governance.safety.prompt.words import BY_SEVERITY, MARKS, SCORES, Decision
from mezzotint.governance.safety.within import SECONDS, alert, within
from mezzotint.products.phrases import read_whole

NEGATIVE = "negative_prompt"
SENTENCE = 4
"""Words of a clause that may be English in a text that is not."""

MEANT = ("prompt", "caption")
"""Fields that are sentences, whose meaning is asked; names of files and words in pictures are not."""


@dataclass(frozen=True)
class Text:
    """One text of a request, and where it stands."""

    field: str
    text: str


@dataclass(frozen=True)
class Gate:
    """Lists and policy, read and checked.   meaning, languages: of English, of others; None where it is not asked.
    today: asked at each check, for a gate may be held for long, and a year of birth is a minor's or not by the day.
    """

    lexicon: Lexicon
    policy: Policy = field(default_factory=Policy)
    names: tuple[Names, ...] = ()
    brand: Brand | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    meaning: Meaning | None = None
    languages: Languages | None = None
    today: Callable[[], date] = date.today

    def check(self, texts: Sequence[Text]) -> Verdict:
        """The verdict on the texts of one picture.  Raises nothing: what cannot be checked is could-not-check."""
        try:
            return within(SECONDS, lambda: self._judged(texts))
        except Exception as error:  # whatever it is: a gate that cannot run blocks
            alert("prompt", "all", error)
            return self._verdict([Finding("structure", "failed", "all", Decision.COULD_NOT_CHECK, 1.0)])

    def _judged(self, texts: Sequence[Text]) -> Verdict:
        """What breaks the limits is read by nothing: a megabyte would take seconds."""
        faults = tuple(_faults(texts))
        return self._verdict(faults) if faults else self._verdict(self._findings(texts), self._unread(texts))

    def _verdict(self, found: Iterable[Finding], unread: Sequence[str] = ()) -> Verdict:
        decided = distinct(replace(one, decision=self.policy.decided(one)) for one in found)
        decision = max((one.decision for one in decided), default=Decision.ALLOW)
        absent = self.meaning is None and self.policy.meaning == "auto"
        loosened = (*self.policy.loosened, *(["meaning=not-installed"] if absent else []), *unread)
        return Verdict(decision, decided, self.files, loosened, self.policy.sha256)

    def _findings(self, texts: Sequence[Text]) -> list[Finding]:
        texts = [*texts, *_in_english(texts)]
        read = [(one.field, views(one.text)) for one in texts if one.text.strip()]
        today = self.today()
        found = [(field, tuple(_hits(text, self.lexicon, field, today))) for field, text in read]
        shown = [hit for field, some in found if field != NEGATIVE for hit in some]
        away = [hit for field, some in found if field == NEGATIVE for hit in some]
        named = [one for field, text in read if field != NEGATIVE for one in self._names(text, field)]
        return [
            *_worded(shown, self.policy.soft),
            *named,
            *(one for field, text in read if field != NEGATIVE for one in _signs(text, field)),
            *(one for field, text in read if field != NEGATIVE for one in self._branded(text, field)),
            *([] if self.brand is None else self.brand.toneless([text for field, text in read if field == "prompt"])),
            *(one for field, text in read if field in MEANT for one in self._meant(text, field)),
            *_personal(texts),
            *joined(shown, away, named),
        ]

    def _names(self, read: Views, field: str) -> Iterator[Finding]:
        """Of lists: what they hold blocks."""
        for names in self.names:
            if any(names.holds(WORD.findall(v.text)) for v in read.readings if v.kind in ("plain", "joined", "leet")):
                yield Finding(names.category, "name", field, Decision.BLOCK, 1.0)

    def _meant(self, read: Views, field: str) -> Iterator[Finding]:
        if self.meaning is None:
            return
        if not self._is_foreign(read.canonical):
            yield from self.meaning.findings(read.canonical.bare, field)
            return
        yield from self.meaning.findings(self._english_in(read.canonical), field)
        if self.languages is not None:
            yield from self.languages.findings(read.canonical.accented, field)

    def _english_in(self, text: Canonical) -> str:
        """The clauses of a foreign text that the head for English can read: names of styles in a row make a text look
        foreign whose sentence is not."""
        clauses = (canonical(one) for one in CLAUSES.split(text.accented) if len(one.split()) >= SENTENCE)
        return ", ".join(one.bare for one in clauses if not self._is_foreign(one))

    def _is_foreign(self, text: Canonical) -> bool:
        """Whether the head for English cannot read a text."""
        return self.meaning is not None and (is_vietnamese(text.accented) or self.meaning.is_foreign(text.bare))

    def _unread(self, texts: Sequence[Text]) -> list[str]:
        """That there is a text whose meaning nobody here can be asked, as ``loosened`` has it."""
        if self.languages is not None or self.policy.languages != "auto":
            return []
        seen = [canonical(one.text) for one in texts if one.field in MEANT]
        asked = any(self._is_foreign(one) and not of_products(one) for one in seen)
        return ["languages=not-installed"] if asked else []

    def _branded(self, read: Views, field: str) -> Iterator[Finding]:
        return iter(()) if self.brand is None else self.brand.findings(read, field)


def _faults(texts: Sequence[Text]) -> Iterator[Finding]:
    """Limits that texts break, each alone; where none does, all together."""
    alone = [Finding("structure", rule, one.field, Decision.BLOCK, 1.0) for one in texts if (rule := fault(one.text))]
    yield from alone
    if not alone and (rule := fault_together(one.text for one in texts)):
        yield Finding("structure", rule, "all", Decision.BLOCK, 1.0)


def _hits(read: Views, lexicon: Lexicon, field: str, today: date) -> Iterator[Hit]:
    """Each term once."""
    seen: set[tuple[str, str]] = set()
    for hit in hits(read, lexicon, field, today):
        key = (hit.term.text, hit.term.category)
        if key not in seen:
            seen.add(key)
            yield hit


def _worded(shown: Collection[Hit], limit: float) -> Iterator[Finding]:
    """Of words: rule word, or hidden where it was found under a disguise alone; soft ones of a category together."""
    for hit in shown:
        if hit.mark not in MARKS and hit.term.severity in ("strong", "review"):
            rule = "word" if hit.kind == "plain" else "hidden"
            severity = hit.term.severity
            yield Finding(hit.mark, rule, hit.field, BY_SEVERITY[severity], SCORES[severity], hit.term.text)
    for category in sorted({hit.mark for hit in shown if hit.term.severity == "soft"}):
        soft = [hit for hit in shown if hit.mark == category and hit.term.severity == "soft"]
        score = min(1.0, SCORES["soft"] * len(soft))
        yield Finding(category, "soft", "all", Decision.REVIEW if score >= limit else Decision.ALLOW, score)


def _signs(read: Views, field: str) -> Iterator[Finding]:
    """Disguises that a prompt has no use for, and scripts that no list covers."""
    for anomaly in read.canonical.anomalies:
        yield Finding("evasion", anomaly, field, Decision.REVIEW, 0.6)
    for script in () if of_products(read.canonical) else read.canonical.foreign:
        yield Finding("language", script, field, Decision.REVIEW, 0.6)


def of_products(text: Canonical) -> str:
    """The English of a text in a script that no list covers, where each word of it is one of the table of products,
    colours, backgrounds and views; "" for any other."""
    return read_whole(text.accented) if text.foreign else ""


def _in_english(texts: Iterable[Text]) -> Iterator[Text]:
    """What such texts mean, for the lists and for whoever asks the meaning."""
    for one in texts:
        if english := of_products(canonical(one.text)):
            yield Text(one.field, english)


def _personal(texts: Sequence[Text]) -> Iterator[Finding]:
    for one in texts:
        rule = personal(one.text)
        if rule is not None:
            yield Finding("personal-data", rule, one.field, Decision.REVIEW, 0.6)


def load(policy: Policy | None = None) -> Gate:
    """The gate that the settings ask for.

    Raises: GateError where a file of it is missing, changed or damaged; UsageError, InputError for wrong settings.
    """
    asked = declared() if policy is None else policy
    try:
        brand = None if asked.brand is None else read_brand(place(asked.brand))
        names = tuple(read_names(place(name)) for name in asked.names)
    except InputError as error:
        raise GateError(
            f"the prompt gate cannot read a file that [safety] names, so nothing is made: {error}"
        ) from error
    files = dict(shipped.hashes())
    files |= {} if brand is None else {"brand": brand.sha256}
    files |= {f"names-{k}": one.sha256 for k, one in enumerate(names)}
    meant = None if asked.meaning == "off" else meaning()
    if meant is None and asked.meaning == "required":
        raise GateError(
            "[safety] meaning is required and its text encoder is not installed; pip install mezzotint-models"
        )
    files |= {} if meant is None else meant.files
    others = None if asked.languages == "off" or meant is None else languages()
    if others is None and asked.languages == "required":
        raise GateError(
            f"[safety] languages is required and the encoder {E5.name} is not installed, or meaning is off; {E5.get}"
        )
    files |= {} if others is None else {E5.name: E5.sha256}
    return Gate(shipped.lexicon(), asked, names, brand, files, meant, others)
