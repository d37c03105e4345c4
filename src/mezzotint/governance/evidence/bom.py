"""A bill of materials of what made the pictures: models, adapters, this program and what it computes with.

CycloneDX 1.6 as JSON (ECMA-424), its machine-learning part: components of type machine-learning-model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mezzotint.files import canonical_json, sha256, sha256_file
from mezzotint.governance.evidence.models import Known, Part
from mezzotint.governance.evidence.seen import Seen
from mezzotint.governance.provenance.code import code_sha256

LIBRARIES = ("torch", "numpy", "scipy", "safetensors", "pillow", "tokenizers", "c2pa-python", "cryptography",
             "onnxruntime", "opencv-python-headless")  # fmt: skip
GATES = {"prompt_check": "prompt gate", "output_check": "output gate"}
SPDX = re.compile(r"[A-Za-z0-9.+-]{1,64}")


def bom(models: Sequence[Known], seen: Seen, made: str) -> dict[str, Any]:
    """made: UTC, ISO 8601.   The serial number is that of the contents."""
    parts = [_model(one, part) for one in models for part in one.parts]
    known = {part.sha256 for one in models for part in one.parts}
    components = [*parts, *_beside(seen, known), *_adapters(seen), *_filters(seen), *_libraries()]
    serial = uuid5(NAMESPACE_URL, sha256(canonical_json(components)))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": made, "component": {"type": "application", "bom-ref": "mezzotint",
                     "name": "mezzotint", "version": version("mezzotint"),
                     "properties": [{"name": "mezzotint:code_sha256", "value": code_sha256()}]}},
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


def _beside(seen: Seen, known: set[str]) -> Iterator[dict[str, Any]]:
    """Networks that ran beside the stages, each once, as receipts have their hashes.   known: listed as stages."""
    found = {
        digest: (role, name) for made in (one["made"] for one in seen.receipts) for digest, role, name in _ran(made)
    }
    for digest, (role, name) in sorted(found.items()):
        if digest not in known:
            yield _file("machine-learning-model", role, name, digest)


def _ran(made: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(SHA-256, role, name) of what a receipt says ran beside its stages."""
    model, readers = str(made["model"]), dict.fromkeys(str(one.get("encoder", "")) for one in made.get("tokens", []))
    if made.get("encoder_sha256"):
        yield str(made["encoder_sha256"]), "text encoder", ", ".join(filter(None, readers)) or f"{model}/text encoder"
    for stage in made["stages"]:
        if stage.get("codec_sha256"):
            yield str(stage["codec_sha256"]), "autoencoder", f"{model}/{stage['model']}/autoencoder"
        for word in ("candidates", "classifier"):
            if stage.get(word):
                yield str(stage[word]["ranker_sha256"]), "ranker", f"{model}/ranker"
    for one in made.get("attached", []):
        yield str(one["sha256"]), str(one["kind"]), str(one["name"])
        if one.get("encoder_sha256"):
            yield str(one["encoder_sha256"]), "picture encoder", f"{one['name']}/encoder"


def _filters(seen: Seen) -> Iterator[dict[str, Any]]:
    """Lists and models that the gates checked with, each once, as receipts have their hashes."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for word, gate in GATES.items():
        for one in seen.saying(word):
            for name, digest in one.document[word].get("files", {}).items():
                found.setdefault((str(name), str(digest)), {})[gate] = None
    for (name, digest), gates in sorted(found.items()):
        kind = "data" if name.endswith((".toml", ".json")) else "machine-learning-model"
        yield _file(kind, " and ".join(gates), name, digest)


def _file(kind: str, role: str, name: str, digest: str) -> dict[str, Any]:
    """A component that is one file, or several hashed as one."""
    reference = f"{role.replace(' ', '-')}:{name}:{digest[:16]}"
    return {"type": kind, "bom-ref": reference, "name": name, "version": digest[:16], **_hashes(digest),
            "properties": [{"name": "mezzotint:role", "value": role}]}  # fmt: skip


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


def _libraries() -> Iterator[dict[str, Any]]:
    """What is installed here, now; receipts name the versions of torch and numpy that their pictures were made by."""
    for name in LIBRARIES:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        licence, purl = (
            found.metadata.json.get("license_expression"),
            f"pkg:pypi/{name}@{found.version.replace('+', '%2B')}",
        )
        named = {"licenses": [{"license": {"name": licence}}]} if licence else {}
        yield {"type": "library", "bom-ref": purl, "name": name, "version": found.version, "purl": purl, **named,
               "properties": _installed(found)}  # fmt: skip


def _installed(found: Distribution) -> list[dict[str, str]]:
    """The hash of a distribution's RECORD, which has the hash of every file that was installed of it.  It stands as a
    property: the component's own hash would be that of its wheel, which is not kept, and the list of files differs by
    what an installer adds.   https://packaging.python.org/en/latest/specifications/recording-installed-packages/"""
    record = next((one for one in found.files or () if re.fullmatch(r"[^/]+\.dist-info/RECORD", str(one))), None)
    if record is None:
        return [{"name": "mezzotint:record_sha256", "value": "no RECORD is here"}]
    return [{"name": "mezzotint:record_sha256", "value": sha256_file(Path(str(record.locate())))},
            {"name": "mezzotint:files_checked", "value": "no"}]  # fmt: skip
