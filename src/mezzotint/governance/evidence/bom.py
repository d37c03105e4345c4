"""A bill of materials of what made the pictures: models, adapters, this program and what it computes with.

CycloneDX 1.6 as JSON (ECMA-424), its machine-learning part: components of type machine-learning-model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mezzotint.files import canonical_json, sha256
from mezzotint.governance.evidence.models import Known, Part
from mezzotint.governance.evidence.seen import Seen

LIBRARIES = ("torch", "numpy", "scipy", "safetensors", "pillow", "tokenizers", "c2pa-python", "cryptography")
SPDX = re.compile(r"[A-Za-z0-9.+-]{1,64}")


def bom(models: Sequence[Known], seen: Seen, made: str) -> dict[str, Any]:
    """made: UTC, ISO 8601.   The serial number is that of the contents."""
    parts = [_model(one, part) for one in models for part in one.parts]
    components = [*parts, *_adapters(seen), *_libraries()]
    serial = uuid5(NAMESPACE_URL, sha256(canonical_json(components)))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": made, "component": {"type": "application", "bom-ref": "mezzotint",
                     "name": "mezzotint", "version": version("mezzotint")}},
        "components": components,
        "dependencies": [{"ref": "mezzotint", "dependsOn": [one["bom-ref"] for one in components]}],
    }  # fmt: skip


def _hashes(digest: str) -> dict[str, Any]:
    sound = re.fullmatch(r"[0-9a-f]{64}", digest) is not None
    return {"hashes": [{"alg": "SHA-256", "content": digest}]} if sound else {}


def _model(one: Known, part: Part) -> dict[str, Any]:
    card = one.card
    named = {} if card is None or not card.licence else {"licenses": [_licence(card.licence)]}
    metrics = {} if card is None else card.metrics
    said: dict[str, Any] = {"modelParameters": {"architectureFamily": one.kind}} if one.kind else {}
    if metrics:
        each = [
            {"type": name, "value": f"{value:.6g}", "slice": "claimed by its card"} for name, value in metrics.items()
        ]
        said["quantitativeAnalysis"] = {"performanceMetrics": each}
    if card is not None and card.limits:
        said["considerations"] = {"technicalLimitations": [card.limits]}
    return {
        "type": "machine-learning-model", "bom-ref": f"model:{part.model}:{part.name}:{part.sha256[:16]}",
        "name": part.model if part.name == part.model else f"{part.model}/{part.name}", "version": part.sha256[:16],
        **_hashes(part.sha256), **named, **({"modelCard": said} if said else {}),
        "properties": [{"name": "mezzotint:checked", "value": {True: "same bytes here", False: "other bytes here",
                                                               None: "not here"}[part.here]},
                       {"name": "mezzotint:receipts", "value": str(part.made)}],
    }  # fmt: skip


def _licence(text: str) -> dict[str, Any]:
    """As a name: cards have identifiers that are not on SPDX's list."""
    return {"license": {"name": text[:200]}}


def _adapters(seen: Seen) -> list[dict[str, Any]]:
    found = {
        str(one["sha256"]): str(one["name"])
        for receipt in seen.receipts
        for one in (*receipt["made"]["adapters"], *receipt["made"]["embeddings"])
    }
    return [
        {"type": "machine-learning-model", "bom-ref": f"adapter:{digest[:32]}", "name": name, "version": digest[:16],
         **_hashes(digest), "description": "put on a model"}
        for digest, name in sorted(found.items())
    ]  # fmt: skip


def _libraries() -> list[dict[str, Any]]:
    made = []
    for name in LIBRARIES:
        try:
            number, licence = version(name), metadata(name).json.get("license_expression")
        except PackageNotFoundError:
            continue
        named = {"licenses": [{"license": {"name": licence}}]} if licence else {}
        purl = f"pkg:pypi/{name}@{number.replace('+', '%2B')}"
        made.append({"type": "library", "bom-ref": purl, "name": name, "version": number, "purl": purl, **named})
    return made
