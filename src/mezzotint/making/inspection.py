"""``inspect``: what a file or folder is, without trusting it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, MezzotintError
from mezzotint.files import read_bytes, sha256, sha256_file, user_path
from mezzotint.pretrained.adapter_files import adapter_paths
from mezzotint.pretrained.components import INDEX, Component, components, is_diffusers
from mezzotint.pretrained.exchange.shown import is_adapter, shown
from mezzotint.pretrained.families.known import PIPELINES
from mezzotint.pretrained.folder import JSON_NAME, WEIGHTS_NAME, describe
from mezzotint.pretrained.gguf_file import MAGIC
from mezzotint.pretrained.network import NETWORK_JSON, describe_network
from mezzotint.pretrained.original import holds_denoiser, original
from mezzotint.pretrained.single import Single
from mezzotint.pretrained.spec import to_dict
from mezzotint.pretrained.system import SYSTEM_JSON, describe_system
from mezzotint.pretrained.weights_file import header_of
from mezzotint.tensorfile import refuse_pickle

MAX_JSON_BYTES = 16 << 20
PNG_MAGIC, JPEG_MAGIC, RIFF_MAGIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"


@dataclass(frozen=True)
class Inspection:
    """kind: weights | adapter | model | system | network | diffusers | receipt | picture | run | checkpoint | json.
    facts: what was found, JSON-safe.
    """

    kind: str
    path: Path
    facts: Mapping[str, Any]


def _diffusers(path: Path) -> dict[str, Any]:
    found = components(path)
    parts = {name: _component(part) for name, part in found.parts.items()}
    known = PIPELINES.get(found.class_name)
    return {"pipeline": found.class_name, "family": known, "parts": parts, "options": dict(found.options)}


def _component(part: Component) -> dict[str, Any]:
    said: dict[str, Any] = {"library": part.library, "class": part.class_name}
    if not any(part.folder.glob("*.safetensors")):
        return said
    return {**said, "files": [p.name for p in part.files], "bytes": part.bytes, "sha256": part.sha256}


def inspect(path: str | Path) -> Inspection:
    """Summarises a file or folder; nothing in it is executed, and a pickle is not opened.

    Raises InputError (unreadable, or of no known kind), ModelError (a pickle, a lying header).
    """
    where = user_path(path)
    try:
        there = where.exists()
    except OSError as error:  # a name that is too long
        raise InputError(f"cannot read {str(where)[:100]}: {error.strerror or error}; expected a file") from error
    if not there:
        raise InputError(f"no file or folder {where}; expected one to inspect")
    return _folder(where) if where.is_dir() else _file(where)


def _folder(path: Path) -> Inspection:
    if (path / JSON_NAME).is_file():
        return Inspection("model", path, _model(path))
    if (path / SYSTEM_JSON).is_file():
        return Inspection("system", path, _system(path))
    if (path / NETWORK_JSON).is_file():
        return Inspection("network", path, _network(path))
    if (path / "state.json").is_file():
        return Inspection("checkpoint", path, _checkpoint(path))
    if (path / "run.json").is_file():
        return Inspection("run", path, {**_json(path / "run.json"), "files": _files(path)})
    if is_diffusers(path):
        return Inspection("diffusers", path, _diffusers(path))
    if files := adapter_paths(path):
        sizes = {str(one.relative_to(path)): one.stat().st_size for one in files}
        return Inspection("adapter", path, {**shown(path), "files": sizes})
    names = f"{INDEX}, {JSON_NAME}, {SYSTEM_JSON}, {NETWORK_JSON}, run.json or state.json"
    raise InputError(f"{path} is no model, system, network, run or checkpoint (no {names})")


def _file(path: Path) -> Inspection:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if head.startswith((PNG_MAGIC, JPEG_MAGIC, RIFF_MAGIC)):
        return Inspection("picture", path, _picture(path))
    refuse_pickle(path, head[:8])
    if path.suffix == ".safetensors" or head[8:9] == b"{" or head.startswith(MAGIC):
        return _safetensors(path)
    if head.lstrip().startswith(b"{"):
        return _document(path)
    raise InputError(f"{path} is of no known kind; expected safetensors, a picture, a receipt, a model or a run")


def _safetensors(path: Path) -> Inspection:
    if is_adapter(header_of(path)):
        return Inspection("adapter", path, {**shown(path), **_weights(path)})
    return Inspection("weights", path, _weights(path))


def _weights(path: Path) -> dict[str, Any]:
    header = header_of(path)
    tensors = header.entries
    known = _checkpoint_file(path) if holds_denoiser(Single(path, header)) else {}
    return {
        **known,
        "bytes": path.stat().st_size,
        "sha256": sha256_file(path),
        "tensors": len(tensors),
        "parameters": header.parameters,
        "dtypes": dict(Counter(e.dtype for e in tensors.values())),
        "metadata": dict(header.metadata),
        "shapes": {name: [e.dtype, list(e.shape)] for name, e in tensors.items()},
    }


def _checkpoint_file(path: Path) -> dict[str, str]:
    """The pipeline that a checkpoint in one file is for, or why it cannot run as it lies there."""
    try:
        return {"checkpoint": original(path).class_name}
    except MezzotintError as error:
        return {"checkpoint": str(error)}


def _checkpoint(path: Path) -> dict[str, Any]:
    """What ``state.json`` says, and each part with whether its bytes are those that it records.

    Raises InputError where it records none.
    """
    state = _json(path / "state.json")
    claims = state.pop("files", {})
    if not isinstance(claims, dict) or any("\0" in name for name in claims):
        raise InputError(f"{path / 'state.json'}: files is no table of files and hashes; expected a checkpoint's")
    sound = {name: _part(path / Path(name).name, claim) for name, claim in claims.items()}
    return {**state, "parts": sound, "intact": all(part["intact"] for part in sound.values())}


def _part(path: Path, claim: str) -> dict[str, Any]:
    try:
        facts = _weights(path)
    except MezzotintError as error:
        return {"intact": False, "fault": str(error)}
    kept = {k: facts[k] for k in ("bytes", "tensors", "parameters", "dtypes")}
    return {**kept, "intact": facts["sha256"] == claim}


def _model(path: Path) -> dict[str, Any]:
    described = describe(path)
    weights = _weights(path / WEIGHTS_NAME)
    said = to_dict(described.spec)
    return {
        "name": described.name,
        **json.loads(json.dumps(said)),
        "weights": {k: v for k, v in weights.items() if k != "shapes"},
        "hash_matches": weights["sha256"] == described.weights_sha256,
    }


def _system(path: Path) -> dict[str, Any]:
    system = describe_system(path)
    return {**_json(path / SYSTEM_JSON), "stages": [_model(member.described.folder) for member in system.members]}


def _network(path: Path) -> dict[str, Any]:
    part, weights = describe_network(path), _weights(path / WEIGHTS_NAME)
    kept = {k: v for k, v in weights.items() if k != "shapes"}
    return {**_json(path / NETWORK_JSON), "weights": kept, "hash_matches": weights["sha256"] == part.weights_sha256}


def _picture(path: Path) -> dict[str, Any]:
    from mezzotint.pictures.png import read_picture, to_pixels

    picture = read_picture(path)
    text = {k: v for k, v in picture.info.items() if isinstance(k, str) and isinstance(v, str)}
    pixels = to_pixels(picture)
    return {
        "size": list(picture.size),
        "mode": picture.mode,
        "pixels_sha256": sha256(pixels.tobytes()),
        "text": text,
    }


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bytes(path, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not a JSON table")
    return value


def _document(path: Path) -> Inspection:
    value = _json(path)
    schema = str(value.get("schema", ""))
    if not schema.startswith("mezzotint/receipt/"):
        return Inspection("json", path, value)
    from mezzotint.governance.receipt import from_dict

    try:
        from_dict(value, str(path))
        return Inspection("receipt", path, {**value, "intact": True})
    except MezzotintError as error:
        return Inspection("receipt", path, {**value, "intact": False, "fault": str(error)})


def _files(path: Path) -> dict[str, int]:
    return {p.name: p.stat().st_size for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")}
