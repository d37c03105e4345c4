"""``read``: the words behind a picture or a receipt, whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError
from mezzotint.governance.receipt import Made, read_receipt
from mezzotint.making.recalled import a1111, comfyui, invokeai
from mezzotint.making.recalled.words import MAX_TEXT, Words

if TYPE_CHECKING:
    from PIL.Image import Image

USER_COMMENT, EXIF_TABLE = 0x9286, 0x8769
NOISE = "another tool draws its noise in another way: the words are the same, the picture is not"


def read(file: str | Path) -> Words:
    """What was said to make a picture, as its file has it.

    Read are receipts of ours, and pictures (PNG, JPEG, WebP) with AUTOMATIC1111's ``parameters``, ComfyUI's ``prompt``
    or InvokeAI's ``invokeai_metadata`` and ``sd-metadata``.
    Raises InputError: unreadable, or nothing of that kind in it.
    """
    path = Path(file).expanduser()
    if path.suffix.lower() == ".json":
        return _of_receipt(read_receipt(path).made)
    texts = texts_of(path)
    found = _words(texts)
    if found is None:
        kept = " (its receipt, receipts/<asset-id>.json, says it)" if "mezzotint:asset_id" in texts else ""
        raise InputError(f"{path} does not say how it was made{kept}; expected the metadata of a picture tool")
    found = replace(found, notes=(*found.notes, *found.unsaid))
    return found if found.source == "mezzotint" else replace(found, notes=(*found.notes, NOISE))


def texts_of(path: Path) -> dict[str, str]:
    """The texts in a picture file, at most 1 MiB each; EXIF's user comment as ``parameters``.  Raises InputError."""
    from mezzotint.pictures.png import read_picture

    picture = read_picture(path)
    texts = {k: v for k, v in picture.info.items() if isinstance(k, str) and isinstance(v, str) and len(v) <= MAX_TEXT}
    comment = _comment(picture)
    return {"parameters": comment, **texts} if comment else texts


def _comment(picture: Image) -> str:
    value = picture.getexif().get_ifd(EXIF_TABLE).get(USER_COMMENT)
    if not isinstance(value, bytes) or len(value) > 2 * MAX_TEXT:
        return value[:MAX_TEXT] if isinstance(value, str) else ""
    code, rest = value[:8], value[8:]
    if code == b"UNICODE\0":
        encoding = "utf-16-le" if rest[1:2] == b"\0" else "utf-16-be"
        return rest.decode(encoding, "ignore")
    return rest.decode("utf-8", "ignore") if code in (b"ASCII\0\0\0", bytes(8)) else ""


def _words(texts: Mapping[str, str]) -> Words | None:
    if "invokeai_metadata" in texts:
        return invokeai.words_of(_json(texts["invokeai_metadata"]))
    if "sd-metadata" in texts:
        return invokeai.old_words_of(_json(texts["sd-metadata"]))
    if "parameters" in texts:
        return a1111.words_of(texts["parameters"])
    return comfyui.words_of(_json(texts["prompt"])) if "prompt" in texts else None


def _json(text: str) -> Mapping[str, Any]:
    """A table, empty where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _of_receipt(made: Made) -> Words:
    notes = []
    if made.task.get("name") != "generate":
        notes.append(f"made by {made.task.get('name')}: the pictures it was given are not named")
    if len(made.stage.solver) > 1 or len(made.stage.grid) > 1:
        notes.append("options of solver and grid are in the receipt and are not brought along")
    if made.embeddings:
        notes.append(f"with --embedding: {', '.join(str(one['name']) for one in made.embeddings)}")
    if made.attached:
        notes.append(f"with controls or pictures in the prompt: {', '.join(str(one['name']) for one in made.attached)}")
    return Words(
        source="mezzotint",
        prompt=made.prompt,
        negative_prompt=made.negative_prompt,
        apart=made.apart,
        steps=made.stage.steps,
        scale=made.stage.scale,
        seed=made.seed,
        size=f"{made.size[0]}x{made.size[1]}",
        solver=str(made.stage.solver["name"]),
        grid=str(made.stage.grid["name"]),
        model=made.model,
        loras=tuple((str(one["name"]), float(one["weight"])) for one in made.adapters),
        notes=tuple(notes),
    )
