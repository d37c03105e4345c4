"""Models that receipts name, as they are found here: what is checked against bytes apart from what cards claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mezzotint.errors import MezzotintError
from mezzotint.governance.evidence.seen import EVALUATED, Seen
from mezzotint.pretrained.spec import Card
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import System, describe_system


@dataclass(frozen=True)
class Part:
    """One set of weights.   name: of its stage.  made: how many receipts name it.  here: whether the model of that name
    on this machine has the same bytes; None where none is here."""

    model: str
    name: str
    sha256: str
    config_sha256: str
    made: int
    here: bool | None


@dataclass(frozen=True)
class Known:
    """A model.   card: what its maker claims, None where it is not here.  kind: of its main network.
    evaluations: documents that measured just these weights."""

    name: str
    parts: tuple[Part, ...]
    card: Card | None
    kind: str
    shape: tuple[int, ...]
    evaluations: tuple[Mapping[str, Any], ...]


def known(seen: Seen) -> list[Known]:
    """The models of all receipts, by name."""
    names = dict.fromkeys(str(one["made"]["model"]) for one in seen.receipts)
    return [_known(name, seen, _system(name)) for name in sorted(names)]


def _system(name: str) -> System | None:
    try:
        return describe_system(find(name))
    except MezzotintError:
        return None


def _known(name: str, seen: Seen, system: System | None) -> Known:
    parts = tuple(_parts(name, seen, system))
    main = None if system is None else system.members[system.main].described
    hashes = {part.sha256 for part in parts}
    measured = tuple(
        one.document
        for one in seen.of(EVALUATED)
        if one.document.get("model") == name and hashes & set(_texts(one.document.get("about")))
    )
    kind, shape = ("", ()) if main is None else (str(main.spec.net.get("kind", "")), tuple(main.spec.shape))
    return Known(name, parts, None if system is None else system.card, kind, shape, measured)


def _parts(name: str, seen: Seen, system: System | None) -> Iterator[Part]:
    counts: dict[tuple[str, str, str], int] = {}
    for made in (one["made"] for one in seen.receipts if one["made"]["model"] == name):
        for stage in made["stages"]:
            key = (str(stage["model"]), str(stage["weights_sha256"]), str(stage["config_sha256"]))
            counts[key] = counts.get(key, 0) + 1
    there = None if system is None else {member.described.weights_sha256 for member in system.members}
    for (stage_name, digest, config), count in counts.items():
        yield Part(name, stage_name, digest, config, count, None if there is None else digest in there)


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep it is."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def card_page(one: Known) -> str:
    """A model card as Markdown with the Hugging Face hub's front matter; sections after Mitchell et al., 2019, Model
    Cards for Model Reporting, fig. 1, with checked facts and claims apart."""
    card = one.card
    licence = "unknown" if card is None else card.licence
    head = ["---", f"license: {licence}", "library_name: mezzotint", "pipeline_tag: text-to-image", "---", ""]
    checked = [f"- {part.name}: weights `{part.sha256}`, configuration `{part.config_sha256}`; {_here(part)}; made"
               f" {part.made} of the pictures whose receipts were read" for part in one.parts]  # fmt: skip
    built = [f"- network: {one.kind}; state {' x '.join(map(str, one.shape))}"] if one.kind else []
    measured = [f"- {document['n']} pictures against `{document['reference_sha256'][:12]}`: "
                + ", ".join(f"{name} {value:.4g}" for name, value in document["metrics"].items())
                for document in one.evaluations]  # fmt: skip
    return "\n".join(
        [*head, f"# {one.name}", "", "## Checked", "", "Against bytes, on this machine:", "", *checked, *built, "",
         "## Measured here", "", *(measured or ["Nothing: no evaluation of these weights is in the folders."]), "",
         "## Claimed", "", "By the model's maker; not checked here.", "", *_claims(card), ""]
    )  # fmt: skip


def _here(part: Part) -> str:
    if part.here is None:
        return "no model of that name is here to compare with"
    return "the model here has the same bytes" if part.here else "**the model here has other bytes**"


def _claims(card: Card | None) -> list[str]:
    if card is None:
        return ["- nothing: the model is not here"]
    said = {"what it is": card.summary, "licence": card.licence, "training data": card.data, "limits": card.limits,
            "compute": card.compute}  # fmt: skip
    numbers = [f"- {name}: {value:.4g}" for name, value in card.metrics.items()]
    return [*(f"- {name}: {text}" for name, text in said.items() if text), *numbers] or ["- nothing"]
