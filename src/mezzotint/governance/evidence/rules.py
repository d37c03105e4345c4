"""What each action is answered with: from documents alone, never better than they say.

evidenced: the documents show it.  partial: they show a part.  not-measured: a tool could speak to it, and there is
nothing here.  organisational: this one does not; somebody has to say who does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mezzotint.governance.evidence.catalogue import Action
from mezzotint.governance.evidence.seen import EVALUATED, RECEIPT, TRAINING, TUNED, Artefact, Seen

EVIDENCED, PARTIAL, NOT_MEASURED, ORGANISATIONAL = "evidenced", "partial", "not-measured", "organisational"
STATUSES = (EVIDENCED, PARTIAL, NOT_MEASURED, ORGANISATIONAL)


@dataclass(frozen=True)
class Answer:
    """status: of ``STATUSES``.   claim: one line that the artefacts bear out, or why there is none."""

    status: str
    claim: str
    artefacts: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True)
class Item:
    """An action with its answer."""

    action: Action
    answer: Answer


Rule = Callable[[Seen], Answer]


def _refs(found: Iterable[Artefact]) -> tuple[tuple[Path, str], ...]:
    return tuple((one.path, one.sha256) for one in found)


def _share(some: Sequence[object], seen: Seen) -> str:
    return f"{len(some)} of {len(seen.of(RECEIPT))} receipts"


def _nothing(why: str) -> Answer:
    return Answer(NOT_MEASURED, why)


def licences(seen: Seen) -> Answer:
    """Decisions on the declared use."""
    found = [one for one in seen.of(RECEIPT) if "licence" in one.document.get("around", {})]
    if not found:
        return _nothing("no picture here was made under a declared use, so no licence was judged; --use declares one")
    each = [one.document["around"]["licence"] for one in found]
    counts = {word: sum(one["decision"] == word for one in each) for word in dict.fromkeys(e["decision"] for e in each)}
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    return Answer(
        PARTIAL, f"{_share(found, seen)} carry a licence decision ({said}); privacy law is not judged", _refs(found)
    )


def origin(seen: Seen) -> Answer:
    """Receipts, and a ledger that holds."""
    found, ledger = seen.of(RECEIPT), seen.ledger
    if not found:
        return _nothing("no receipts in the folders that were looked at")
    if ledger is None or ledger.fault is not None:
        what = "there is no ledger" if ledger is None or ledger.fault is None else ledger.fault.text
        return Answer(PARTIAL, f"{len(found)} receipts say how each picture was made; {what}", _refs(found))
    claim = f"{len(found)} receipts say how each picture was made; a ledger of {ledger.head.number} entries holds whole"
    return Answer(EVIDENCED, claim, _refs(found))


def history(seen: Seen) -> Answer:
    """A ledger that holds."""
    ledger = seen.ledger
    if ledger is None:
        return _nothing("no ledger here")
    if ledger.fault is not None:
        return Answer(PARTIAL, f"the ledger does not hold: {ledger.fault.text}")
    claim = f"an append-only ledger of {ledger.head.number} entries holds whole, its head is {ledger.head}"
    return Answer(EVIDENCED if ledger.head.number else PARTIAL, claim)


def origins(seen: Seen) -> Answer:
    """Of what was made, and of what it was learnt from as far as anybody says."""
    found = origin(seen)
    if found.status == NOT_MEASURED:
        return found
    runs = len([*seen.of(TRAINING), *seen.of(TUNED)])
    said = f"{runs} runs name the data they learnt from" if runs else "of training data only what cards claim is known"
    return Answer(PARTIAL, f"{found.claim}; {said}", found.artefacts)


def audited(seen: Seen) -> Answer:
    """What can be verified; which pictures were, nobody writes down."""
    found = history(seen)
    if found.status == NOT_MEASURED:
        return found
    return Answer(
        PARTIAL, f"{found.claim}; `mezzotint verify` reads signatures and marks, and keeps no list of what it read"
    )


def cards(seen: Seen) -> Answer:
    """Model cards: of what was trained here, else of what receipts name."""
    found = trained(seen)
    if found.status == EVIDENCED or not seen.receipts:
        return found
    claim = (
        "cards of the models that receipts name are beside this: hashes are checked, the rest is their makers' claim"
    )
    return Answer(PARTIAL, claim, (*found.artefacts, *_refs(seen.of(RECEIPT))))


def retention(seen: Seen) -> Answer:
    """The history is there; how long it is kept is a policy."""
    found = history(seen)
    return found if found.status != EVIDENCED else Answer(PARTIAL, f"{found.claim}; how long it is kept is a policy")


def marks(seen: Seen) -> Answer:
    """Invisible marks in pictures."""
    found = seen.saying("mark")
    held = [one for one in found if one.document["mark"]["state"] == "embedded"]
    if not found:
        return _nothing("no picture here was marked; `mezzotint keys mark` makes a key")
    claim = f"{_share(held, seen)} are of pictures with an invisible mark, {len(found) - len(held)} had no room for one"
    return Answer(PARTIAL, f"{claim}; error rates are in docs/measured.md, not measured on these pictures", _refs(held))


def gates(seen: Seen) -> Answer:
    """The gates of prompts and of pictures."""
    found = [one for one in seen.of(RECEIPT) if GATES.keys() & one.document.keys()]
    if not found:
        return _nothing("no receipt here has a verdict of the prompt gate or of the output gate")
    said = "; ".join(_verdicts(seen, field, gate) for field, gate in GATES.items() if seen.saying(field))
    return Answer(PARTIAL, f"{said}; what was refused leaves no receipt of its own", _refs(found))


GATES = {"prompt_check": "prompt gate", "output_check": "output gate"}


def _verdicts(seen: Seen, field: str, gate: str) -> str:
    found = seen.saying(field)
    passed = sum(one.document[field]["decision"] == "allow" for one in found)
    loosened = sum(bool(one.document[field]["loosened"]) for one in found)
    return f"{_share(found, seen)} have the {gate}'s verdict ({passed} allow, {loosened} by a loosened policy)"


def evaluations(seen: Seen) -> Answer:
    """Measured numbers."""
    found = seen.of(EVALUATED)
    if not found:
        return _nothing("no evaluation in the folders that were looked at; `mezzotint evaluate` makes one")
    names = ", ".join(sorted({str(one.document["model"]) for one in found}))
    return Answer(
        PARTIAL, f"{len(found)} evaluations of {names} with intervals; nobody's approval is in them", _refs(found)
    )


def copies(seen: Seen) -> Answer:
    """Copies of training pictures among what was made."""
    found = [one for one in seen.of(EVALUATED) if any("cop" in name for name in one.document.get("metrics", {}))]
    if not found:
        return _nothing(
            "no evaluation here looked for copies of training pictures; `mezzotint evaluate --metrics copies`"
        )
    return Answer(
        PARTIAL, f"{len(found)} evaluations looked for copies of training pictures; no red team did", _refs(found)
    )


def tuned(seen: Seen) -> Answer:
    """What tuning changed elsewhere."""
    found = seen.of(TUNED)
    if not found:
        return _nothing("no tuning run in the folders that were looked at")
    claim = f"{len(found)} tuned adapters were judged against their base on held-out photographs and on drift elsewhere"
    return Answer(PARTIAL, f"{claim}; safety gates are those of the base and were not measured again", _refs(found))


def trained(seen: Seen) -> Answer:
    """How models were made: by cards, which are written of models that lie beside their runs and of no other."""
    runs = seen.of(TRAINING)
    if not runs:
        return _nothing("no training run in the folders that were looked at")
    claim = f"{len(runs)} training runs are here; {len(seen.trained)} have their model beside them, of which a card is"
    whole = [one for one in seen.trained if one.is_whole]
    said = f"{claim} written; {len(whole)} of the cards leave nothing out that is asked"
    return Answer(EVIDENCED if len(whole) == len(runs) else PARTIAL, said, _refs(runs))


def adapted(seen: Seen) -> Answer:
    """What was done to models that were trained before."""
    begun = [one for one in seen.of(TRAINING) if one.document.get("first")]
    found = [*seen.of(TUNED), *begun]
    if not found:
        return _nothing("no tuning run, and no training run that began with a model, in the folders looked at")
    said = [
        one for one in seen.of(TUNED) if one.document.get("base") and one.document.get("about", {}).get("photographs")
    ]
    carded = {one.run.path for one in seen.trained if one.is_whole}
    whole = len(said) + sum(one.path in carded for one in begun)
    claim = f"{len(found)} runs changed a model; {whole} of them say what it was, and what it was changed by"
    return Answer(EVIDENCED if whole == len(found) else PARTIAL, claim, _refs(found))


def data(seen: Seen) -> Answer:
    """Which data they learnt from."""
    found = [*seen.of(TRAINING), *seen.of(TUNED)]
    if not found:
        return _nothing("no training or tuning run in the folders that were looked at")
    said = sum(
        bool(one.document.get("data_licence") or one.document.get("about", {}).get("photo_licence")) for one in found
    )
    claim = f"{len(found)} runs, {said} of which name the licence of their data, see dataset.json"
    return Answer(PARTIAL, f"{claim}; whether that is true is not checked", _refs(found))


def weights(seen: Seen) -> Answer:
    """Which weights made what."""
    found = seen.of(RECEIPT)
    if not found:
        return _nothing("no receipts in the folders that were looked at")
    kinds = {stage["weights_sha256"] for one in found for stage in one.document["made"]["stages"]}
    claim = f"receipts name {len(kinds)} sets of weights by hash, read as safetensors; bom.json lists them"
    return Answer(PARTIAL, f"{claim}; dependencies are not scanned for vulnerabilities", _refs(found))


def incidents(seen: Seen) -> Answer:
    """Incident records."""
    claim = "incident records have the nine fields, and `mezzotint evidence incident` refuses one without"
    if not seen.incidents:
        return Answer(PARTIAL, f"{claim}; none was recorded here")
    return Answer(EVIDENCED, f"{claim}; {len(seen.incidents)} are recorded here", _refs(seen.incidents))


def tracked(seen: Seen) -> Answer:
    """What is recorded; whether all of it is, nobody can see here."""
    found = incidents(seen)
    return Answer(
        PARTIAL, f"{len(seen.incidents)} incidents are recorded; near-misses only if somebody did", found.artefacts
    )


def energy(seen: Seen) -> Answer:
    """What was used."""
    found = [*seen.saying("cost"), *(one for one in seen.of(TRAINING) if "cost" in one.document)]
    if not found:
        return _nothing("no receipt or run here says what it used")
    each = [one.document["cost"] for one in found]
    seconds = sum(one["seconds"] for one in each)
    estimated = [one["energy_wh_estimate"] for one in each if "energy_wh_estimate" in one]
    said = f"{len(found)} receipts and runs say {seconds:,.0f} s of wall time in all"
    if not estimated:
        return Answer(PARTIAL, f"{said}; energy is not known: say watts in [cost]", _refs(found))
    return Answer(
        PARTIAL, f"{said}, {sum(estimated):,.1f} Wh by estimate (stated power, not metered); no water", _refs(found)
    )


def unmeasured(seen: Seen) -> Answer:
    """This report."""
    return Answer(EVIDENCED, "this report lists what is not measured, and why, in a section of its own")


def never(why: str) -> Rule:
    """What this program could measure and does not."""
    return lambda seen: _nothing(why)


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("GV-1.1-001", "GV-6.1-001", "GV-6.1-009", "MP-4.1-010"), licences),
    "MS-1.1-001": origin,
    **dict.fromkeys(("GV-1.2-001", "MP-2.1-001", "MP-2.2-001", "MG-2.2-002"), origins),
    "MS-2.8-003": history,
    **dict.fromkeys(("MS-1.1-002", "MG-2.2-007"), audited),
    "GV-1.5-003": retention,
    **dict.fromkeys(("MS-2.7-005", "MS-2.7-004"), marks),
    **dict.fromkeys(("MG-3.2-005", "GV-1.4-001", "GV-3.2-003", "MS-2.6-006", "MG-2.2-001"), gates),
    **dict.fromkeys(("GV-1.3-002", "MS-2.3-001", "MS-2.3-002", "MS-2.3-003", "MP-2.3-001"), evaluations),
    **dict.fromkeys(("MS-2.10-001", "MG-3.1-004"), copies),
    **dict.fromkeys(("MP-4.1-007", "MS-2.7-008", "MG-3.1-003"), tuned),
    "MS-2.9-002": cards,
    "MG-3.2-002": adapted,
    "MG-3.2-003": trained,
    **dict.fromkeys(("MS-2.5-005", "MP-2.1-002", "MP-4.1-004"), data),
    **dict.fromkeys(("GV-1.6-001", "GV-1.6-003", "MS-2.7-001", "MG-3.1-002"), weights),
    "GV-4.3-002": incidents,
    "MG-4.3-002": tracked,
    "MS-2.12-003": energy,
    "MS-1.1-009": unmeasured,
    **dict.fromkeys(("MP-4.1-001", "MP-4.1-009"), never(
        "pictures are searched for addresses of mail, numbers of cards and of identity that OCR reads, where it is"
        " installed (unchecked in output_check says where not); for no other personal data, and nothing counts it here"
    )),
    **dict.fromkeys(("MP-2.3-005", "MS-2.6-007", "MS-4.2-001", "MS-2.7-007"),
                    never("adversarial tests run in this project's own suite; none of their results are here")),
    "MS-2.10-003": never("training data is not searched for duplicates"),
    **dict.fromkeys(("MS-2.11-001", "MS-2.11-002", "MS-2.11-004"), never("bias in pictures is not measured")),
    "MS-2.8-001": never("violations and take-downs are not counted; the prompt gate's audit has what it refused"),
    "MG-2.2-005": never("outputs are not judged by these documents"),
    "MS-2.6-005": never("recovery from faults is tested in this project's own suite; not on this system"),
}  # fmt: skip
"""By id; ``watching`` has more."""
