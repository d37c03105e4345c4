"""``mezzotint models``: what is at hand."""

from __future__ import annotations

from typing import Any

import click

from mezzotint.cli.options import human_bytes, json_option, print_json
from mezzotint.governance.licence.ask import shelf_of, verdict
from mezzotint.governance.licence.facts import declared
from mezzotint.governance.licence.verdict import Verdict
from mezzotint.making.table import table
from mezzotint.places import places
from mezzotint.pretrained.families.known import FAMILIES
from mezzotint.pretrained.store import Found, models
from mezzotint.pretrained.system import System

SCHEMA = "mezzotint/models/3"
FAMILIES_SCHEMA = "mezzotint/families/1"


class Judging:
    """The verdict on each model in the use that mezzotint.toml declares; None where it declares none."""

    def __init__(self) -> None:
        self._said = declared()
        self._shelf = None if self._said.facts.use is None else shelf_of(self._said)

    def __call__(self, system: System) -> Verdict | None:
        return None if self._shelf is None else verdict([("denoiser", system)], (), self._said.facts, self._shelf)


def listed(found: Found, judging: Judging) -> dict[str, Any]:
    """A model as JSON."""
    base = {"name": found.name, "origin": found.origin, "folder": str(found.folder), "fault": found.fault}
    system = found.system
    if system is None:
        return base
    card, judged = system.card, judging(system)
    return {
        **base,
        "title": card.title,
        "licence": card.licence,
        "verdict": None if judged is None else brief(judged),
        "size": list(system.size),
        "bytes": system.weights_bytes,
        "weights_sha256": system.weights_sha256,
        "stages": [member.described.name for member in system.members],
        "prompts": [label.name for label in system.labels],
        "text": system.text is not None,
        "metrics": dict(card.metrics),
    }


def brief(judged: Verdict) -> dict[str, Any]:
    """A verdict as JSON, without its reasons' quotes."""
    codes = dict.fromkeys(reason.code for reason in judged.reasons if reason.decision == judged.decision)
    may = judged.refusal is None
    return {"use": judged.facts.use, "decision": judged.decision.word, "may_begin": may, "codes": list(codes)}


def row(found: Found, judging: Judging) -> tuple[str, ...]:
    """A model as a line of the table."""
    system = found.system
    if system is None:
        return (found.name, found.origin, "-", "-", "-", "-", f"unusable: {found.fault}")
    labels = ", ".join(label.name for label in system.labels)
    prompts = "any text" if system.text else labels or "(unconditional)"
    size = f"{system.size[0]}x{system.size[1]}"
    judged = judging(system)
    allowed = "-" if judged is None else judged.decision.text
    weights = human_bytes(system.weights_bytes)
    return (found.name, found.origin, system.card.licence, allowed, size, weights, prompts)


def show_families(as_json: bool) -> None:
    """The families of published models that run."""
    shown = [{"name": f.name, "pipeline": f.pipeline, "tested": f"{f.tested}-tested"} for f in FAMILIES]
    if as_json:
        print_json({"schema": FAMILIES_SCHEMA, "families": shown})
    else:
        click.echo(table([("family", "pipeline", "tested"), *(tuple(f.values()) for f in shown)]))


@click.command("models")
@click.option("--families", is_flag=True, help="List the families of published models that run, and how tested.")
@json_option
def command(families: bool, as_json: bool) -> None:
    """List the models at hand: yours in MEZZOTINT_HOME/models, those that came with mezzotint, those in the folders of
    the setting model_path, and those in the Hugging Face hub's cache.

    With a use in [licence] of mezzotint.toml, also whether licences allow that of each; `mezzotint licence` says why.
    """
    if families:
        show_families(as_json)
        return
    found, judging = models(), Judging()
    if as_json:
        print_json({"schema": SCHEMA, "models": [listed(f, judging) for f in found]})
    elif found:
        head = ("model", "origin", "licence", "verdict", "size", "weights", "prompts")
        click.echo(table([head, *(row(f, judging) for f in found)]))
    else:
        looked = ", ".join(str(folder) for _, folder in places())
        click.echo(f"no models; looked in {looked}; install mezzotint-models, or use --model PATH", err=True)
