"""A model card: what was checked against bytes, what a training run wrote, what was measured here, and apart from these
what the model's maker claims."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from mezzotint.governance.evidence.models import Known, Part
from mezzotint.governance.evidence.seen import unsaid
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.model_record import known as on_record
from mezzotint.governance.licence.record import Record
from mezzotint.pretrained.spec import Card

TASKS: Mapping[str, tuple[str, ...]] = {
    "text": ("pipeline_tag: text-to-image",),
    "nothing": ("pipeline_tag: unconditional-image-generation",),
    "classes": ("tags: [class-conditional]",),
}
"""What the hub is told of it; it has no word for a model that is told one of its classes."""


def card_page(one: Known, models: Sequence[Known] = ()) -> str:
    """As Markdown with the Hugging Face hub's front matter; sections after Mitchell et al., 2019, Model Cards for Model
    Reporting, fig. 1.   models: all of them, by which weights that a run began with have a name."""
    checked = [f"- {part.name}: weights `{part.sha256}`{_configured(part)}; {_here(part)}; made"
               f" {part.made} of the pictures whose receipts were read" for part in one.parts]  # fmt: skip
    built = [f"- network: {one.kind}; state {' x '.join(map(str, one.shape))}"] if one.kind else []
    measured = [f"- {document['n']} pictures against `{document['reference_sha256'][:12]}`: "
                + ", ".join(f"{name} {value:.4g}" for name, value in document["metrics"].items())
                for document in one.evaluations]  # fmt: skip
    return "\n".join(
        ["---", *_front(one, models), "---", "", f"# {one.name}", "",
         "## Checked", "", "Against bytes, on this machine:", "", *checked, *built, "",
         "## As its training run wrote it", "", *(_trained(one) or ["Nothing: no run that has it is here."]), "",
         "## Measured here", "", *(measured or ["Nothing: no evaluation of these weights is in the folders."]), "",
         "## Claimed", "", "By the model's maker; not checked here.", "", *_claims(one.card), ""]
    )  # fmt: skip


def _front(one: Known, models: Sequence[Known]) -> Iterator[str]:
    library, hashes = Library(), {part.sha256 for part in one.parts}
    parts = [part for digest, found in on_record(library).items() if digest in hashes for part in found]
    ids = {id for part in parts if part.role != "training_data" for id in part.licences}
    tag = "" if one.card is None else one.card.licence
    yield from _licence(tag, ids or set(library.by_tag(tag)), library)
    base = one.base or _first(one, models)
    yield from ([f"base_model: {json.dumps(base)}"] if base else [])
    data = [part.name for part in parts if part.role == "training_data"]
    yield from (["datasets:", *(f"- {json.dumps(name)}" for name in data)] if data else [])
    yield "library_name: mezzotint"
    yield from TASKS.get(one.prompts, ())


def _licence(tag: str, ids: set[str], library: Library) -> Iterator[str]:
    """Of a record: the hub's own word where it is a public licence, else "other" with its name; and where it stands."""
    found = library.get(next(iter(ids))) if len(ids) == 1 else None
    if found is None:
        yield from ["license: other", f"license_name: {json.dumps(tag)}"] if tag else ["license: unknown"]
        return
    public = found.review.status == "standard"
    yield from [f"license: {found.id.lower()}"] if public else ["license: other", f"license_name: {found.id}"]
    yield f"license_link: {json.dumps(_source(found))}"


def _source(found: Record) -> str:
    return found.terms[0].words.source


def _first(one: Known, models: Sequence[Known]) -> str:
    """The name of the model that a run began with, "" where none of those here has these weights."""
    first = "" if one.run is None else str(one.run.document.get("first", ""))
    return next((other.name for other in models for part in other.parts if first and part.sha256 == first), "")


def _trained(one: Known) -> list[str]:
    if one.run is None:
        return []
    said, words = one.run.document, ("recipe_sha256", "parameters", "first", "data_licence", "device", "dtype", "torch")
    lines = [f"- document `{one.run.path.name}`, SHA-256 `{one.run.sha256}`; the weights lie in its folder"]
    lines += [f"- {name.replace('_', ' ')}: {said[name]}" for name in ("recipe", *words) if said.get(name)]
    fields = {name: said.get("fields", {}).get(name) for name in ("seed", "steps", "batch")}
    lines += [f"- {name}: {value}" for name, value in fields.items() if value is not None]
    return lines + ([f"- used: {said['cost']['seconds']:,.0f} s of wall time"] if "cost" in said else [])


def _configured(part: Part) -> str:
    return f", configuration `{part.config_sha256}`" if part.config_sha256 else ""


def _here(part: Part) -> str:
    if part.here is None:
        return "no model of that name is here to compare with"
    return "the model here has the same bytes" if part.here else "**the model here has other bytes**"


def _claims(card: Card | None) -> list[str]:
    if card is None:
        return ["- nothing: the model is not here"]
    said = {"what it is": card.summary, "licence": card.licence, "training data": card.data, "limits": card.limits,
            "licence of the data": card.data_licence, "compute": card.compute}  # fmt: skip
    numbers = [f"- {name}: {value:.4g}" for name, value in card.metrics.items()]
    gaps = unsaid(card)
    left = [f"- not said: {', '.join(gaps)}"] if gaps else []
    return [*(f"- {name}: {text}" for name, text in said.items() if text), *numbers, *left] or ["- nothing"]
