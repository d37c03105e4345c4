"""Which data models and adapters were made from, as their runs say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mezzotint.governance.evidence.seen import TRAINING, TUNED, Artefact, Seen

SCHEMA = "mezzotint/dataset-manifest/1"


def manifest(seen: Seen) -> dict[str, Any]:
    """``schemas/dataset-manifest-1.json``."""
    return {"schema": SCHEMA, "runs": [*_tuned(seen), *_trained(seen)]}


def _tuned(seen: Seen) -> Iterator[dict[str, Any]]:
    """Photographs: how many, their hash, the licence that was declared."""
    for one in seen.of(TUNED):
        about = one.document.get("about", {})
        counts, hashes = about.get("photographs", {}), about.get("photographs_sha256", {})
        sources = [{"name": str(k), "items": count, "sha256": hashes.get(k)} for k, count in counts.items()]
        yield {
            **_run(one), "kind": "photographs of a product", "licence": about.get("photo_licence") or None,
            "sources": sources,
        }  # fmt: skip


def _trained(seen: Seen) -> Iterator[dict[str, Any]]:
    """What a recipe says of its data."""
    for one in seen.of(TRAINING):
        fields = one.document.get("fields", {})
        named = {name: str(fields[name])[:2000] for name in sorted(fields) if "data" in name}
        sources = [{"name": name, "items": None, "sha256": None, "said": said} for name, said in named.items()]
        yield {
            **_run(one), "kind": f"recipe {one.document.get('recipe')}",
            "licence": one.document.get("data_licence") or None,
            "sources": sources,
        }  # fmt: skip


def _run(one: Artefact) -> dict[str, Any]:
    return {"document": one.path.name, "folder": one.path.parent.name, "document_sha256": one.sha256}
