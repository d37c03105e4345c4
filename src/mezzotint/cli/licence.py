"""``mezzotint licence MODEL``: allowed, allowed with conditions, denied or unknown, with the words of the licences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, print_json, use_option
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError
from mezzotint.governance.licence.ask import shelf_of, verdict
from mezzotint.governance.licence.facts import Facts, declared, told
from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.parts import Shelf, measured
from mezzotint.governance.licence.verdict import Reason, Verdict
from mezzotint.governance.licence.words import DELIVERIES, STAGES, Decision
from mezzotint.making.table import table
from mezzotint.places import places

RECORDS_SCHEMA = "mezzotint/licences/1"
EXIT = {
    Decision.ALLOWED: 0,
    Decision.ALLOWED_WITH_CONDITIONS: 0,
    Decision.UNKNOWN: 3,
    Decision.DENIED: 4,
}
DUE = {"before_use": "before use", "with_use": "while in use", "release": "before anything is given out"}


@click.command("licence")
@click.argument("model", required=False)
@click.option("--lora", multiple=True, metavar="FILE", help="An adapter to put on; may be given again.")
@click.option("--embedding", multiple=True, metavar="FILE", help="A textual-inversion file; may be given again.")
@click.option("--control", multiple=True, metavar="DIR", help="A ControlNet; may be given again.")
@click.option("--ip-adapter", multiple=True, metavar="FILE", help="An IP-Adapter; may be given again.")
@click.option("--ip-encoder", type=PATH, help="CLIP's picture encoder of an IP-Adapter.")
@click.option("--refiner", type=PATH, help="A folder that takes over for the last steps.")
@click.option("--prior", type=PATH, help="The prior's folder, of a decoder.")
@click.option("--then", multiple=True, type=PATH, help="The folder of a stage that enlarges.")
@click.option("--parts", multiple=True, type=PATH, help="Where parts come from that a file lacks.")
@use_option
@click.option("--stage", metavar="|".join(STAGES), help="Where it runs.  [production]")
@click.option("--delivery", metavar="|".join(DELIVERIES), help="What others get.  [as mezzotint.toml declares]")
@click.option("--revenue", metavar="AMOUNT", help="Of a year, yours and your affiliates': 2e6USD.")
@click.option("--territory", metavar="CODE,CODE,…", help="Of you, your servers, users and recipients: SG,ID,EU.")
@click.option("--records", is_flag=True, help="List the licences on record.")
@json_option
def command(model: str | None, records: bool, as_json: bool, **words: Any) -> int:
    """Say whether the licences of MODEL, its text encoders, autoencoder, what is put on it and what it was trained on
    allow a use, by the facts in [licence] of mezzotint.toml and the words given here.

    The strictest component decides; what is not known is never allowed. Exit code 0: allowed, or allowed with the
    conditions that are printed. 3: unknown. 4: denied. Not legal advice: records are drafts until your counsel signs.
    """
    said = declared()
    facts = told(said.facts, **{name: words.pop(name) for name in ("use", "stage", "delivery", "revenue", "territory")})
    shelf = shelf_of(said)
    if records:
        _list(shelf.library, as_json)
        return 0
    if model is None:
        raise UsageError("no model is named; give a name or path (`mezzotint models` lists them), or --records")
    found = _verdict(model, facts, shelf, words)
    if as_json:
        print_json(found.document)
    else:
        click.echo("\n".join(lines(found)))
    return EXIT[found.decision]


def _verdict(model: str, facts: Facts, shelf: Shelf, words: dict[str, Any]) -> Verdict:
    """Of a model with what is put on it, or of a network that ships beside the models."""
    part = next((place / model for _, place in places() if _is_part(place / model)), None)
    if part is not None:
        return judge(model, measured(part, shelf), facts, shelf.library)
    from mezzotint.making.licensed import beside_of, joint_of, worn_of
    from mezzotint.making.opened import described
    from mezzotint.making.request import Request, of_words
    from mezzotint.pretrained.system import verify_system

    asked = of_words(Request, {"prompt": "", "model": model, **words})
    system = described(model, asked.parts)
    if system.components is None:
        verify_system(system)  # what is on record is known by its hash, which must be the weights' own
    systems = [("denoiser", joint_of(asked, system)), *beside_of(asked)]
    return verdict(systems, worn_of(asked), facts, shelf)


def _is_part(folder: Path) -> bool:
    """Whether a folder of what ships holds weights that are no model of their own."""
    names = ("model.json", "system.json", "model_index.json")
    return (folder / "licence.toml").is_file() and not any((folder / name).is_file() for name in names)


def lines(found: Verdict) -> Iterator[str]:
    """For people: the decision, then why, then what to do."""
    facts = found.facts
    use = (facts.use or "use not said", facts.stage, facts.delivery or "delivery not said")
    yield f"{found.decision.text.upper()}: {found.model} for {', '.join(word.replace('_', ' ') for word in use)}"
    if found.expires is not None:
        yield f"until {found.expires.isoformat()}, when a signature it rests on ends"
    for decision in (Decision.DENIED, Decision.UNKNOWN):
        yield from _section(decision.text, [r for r in found.reasons if r.decision == decision and not r.condition])
    yield from _section("conditions", list(found.conditions))
    notes = [r for r in found.reasons if r.decision == Decision.ALLOWED_WITH_CONDITIONS and not r.condition]
    yield from _section("to know", notes)
    yield from _section("components", [_plain(c.told, ", ".join(c.licences) or c.evidence) for c in found.components])


def _plain(component: str, text: str) -> Reason:
    return Reason(Decision.ALLOWED, "component", text, component=component)


def _section(title: str, reasons: list[Reason]) -> Iterator[str]:
    """A heading and its lines, nothing where there are none; the same words of several components are said once."""
    if not reasons:
        return
    yield f"\n{title}:"
    for text, parts in _grouped(reasons).items():
        yield f"  {', '.join(parts)}: {text}"


def _grouped(reasons: list[Reason]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for reason in reasons:
        parts = grouped.setdefault(_told(reason), [])
        parts += [reason.component] if reason.component not in parts else []
    return grouped


def _told(reason: Reason) -> str:
    due = f" (due {DUE[reason.condition.due]}; met: {reason.condition.met})" if reason.condition else ""
    stands = " ".join(word for word in (reason.licence, reason.clause) if word)
    quote = f'\n      {stands}: "{reason.quote}"' if reason.quote else ""
    return f"{reason.text}{due}{quote}"


def _list(library: Library, as_json: bool) -> None:
    """The licences on record."""
    found = [
        {
            "id": one.id, "name": one.name, "version": one.version, "review": one.review.status,
            "record_sha256": one.sha256, "terms": len(one.terms),
            "unverified": sum(not term.words.verified for term in one.terms),
            "not_examined": list(one.unexamined),
        }
        for one in library.all()
    ]  # fmt: skip
    if as_json:
        print_json({"schema": RECORDS_SCHEMA, "licences": found})
        return
    head = ("licence", "review", "terms", "not verified", "sha256 of its record")
    rows = [
        (str(o["id"]), str(o["review"]), str(o["terms"]), str(o["unverified"]), str(o["record_sha256"])) for o in found
    ]
    click.echo(table([head, *rows]))
