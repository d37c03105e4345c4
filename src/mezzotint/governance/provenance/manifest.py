"""What a credential says in public: made by a model, of which photographs, and hashes that lead to the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mezzotint.governance.licence.library import INDEX_SHA256
from mezzotint.governance.receipt import Made, Receipt

LABEL, LICENCE_LABEL = "org.mezzotint.generation", "org.mezzotint.licence"
PUBLIC = ("decision", "use", "rules_version")
"""What is public of a licence's decision.  Not the hash of the facts that it rests on: who guesses the facts of an
organisation could confirm the guess by it.  The receipt has that, and its hash is public."""

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE, COMPOSITE = f"{IPTC}trainedAlgorithmicMedia", f"{IPTC}compositeWithTrainedAlgorithmicMedia"
PLAIN = f"{IPTC}composite"
COMPOSED = "composed"
"""The task of a photographed product that is laid on a plain background: no model made any of it."""

EDITS = ("inpaint", "outpaint", "upscale", COMPOSED)
"""Tasks whose picture is a photograph, changed; others that are given one make a new picture."""


@dataclass(frozen=True)
class Photo:
    """A photograph that a picture was made from: its file's bytes and format, which keep a credential of its own."""

    data: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True)
class Claim:
    """What is signed of one picture.   said: of its generation, hashes alone unless the prompt is to be public.
    licence: of the decision on the declared use, None where none was declared."""

    edit: bool
    source: str
    said: Mapping[str, Any]
    photos: tuple[Photo, ...] = ()
    version: str = "0"
    licence: Mapping[str, Any] | None = None


def source_of(made: Made) -> str:
    """IPTC's digital source type: made by a model, a photograph with parts that are, or one that was composed."""
    if made.task["name"] == COMPOSED:
        return PLAIN
    return COMPOSITE if made.task["name"] in EDITS else MADE


def claim_of(receipt: Receipt, receipt_sha256: str, photos: tuple[Photo, ...], *, embed_prompt: bool) -> Claim:
    """The public side of a receipt.   embed_prompt: whether the prompt is public too."""
    made = receipt.made
    prompt = {"prompt": made.prompt} if embed_prompt else {}
    said = {"asset_id": made.asset_id, "receipt_sha256": receipt_sha256, **prompt}
    edit, version = made.task["name"] in EDITS and bool(photos), made.versions["mezzotint"]
    return Claim(edit, source_of(made), said, photos, version, licence_of(receipt))


def licence_of(receipt: Receipt) -> dict[str, Any] | None:
    """The decision on the declared use as the public may know it; None where no use was declared.

    table_sha256: of the index of the records that ship, which has the hash of each.
    """
    found = None if receipt.around is None else receipt.around.licence
    if found is None:
        return None
    return {**{name: found[name] for name in PUBLIC if name in found}, "table_sha256": INDEX_SHA256}


def manifest(claim: Claim) -> dict[str, Any]:
    """As C2PA's builder takes it (specification 2.2, sec. 18.15); the action of opening a photograph is its own."""
    agent = {"name": "mezzotint", "version": claim.version}
    action = "c2pa.edited" if claim.edit else "c2pa.created"
    actions = [{"action": action, "digitalSourceType": claim.source, "softwareAgent": agent}]
    licence = [] if claim.licence is None else [{"label": LICENCE_LABEL, "data": dict(claim.licence)}]
    return {
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": LABEL, "data": dict(claim.said)},
            *licence,
        ],
    }


def ingredient(claim: Claim, number: int) -> dict[str, Any]:
    """A photograph's place in it: what was edited, or what a model was given.  Its name stays private."""
    parent = claim.edit and number == 0
    return {"title": f"picture {number + 1}", "relationship": "parentOf" if parent else "inputTo"}


def xmp(source: str) -> str:
    """IPTC's property as an XMP packet, for readers that know no C2PA."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' Iptc4xmpExt:DigitalSourceType="{source}"/></rdf:RDF></x:xmpmeta>'
    )
