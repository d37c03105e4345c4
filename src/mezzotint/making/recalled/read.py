"""``read``: the words behind a picture or a receipt, whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError
from mezzotint.files import user_path
from mezzotint.governance.receipt import beside, made_from_text, read_receipt
from mezzotint.making.recalled import a1111, comfyui, invokeai
from mezzotint.making.recalled.ours import words_of_made
from mezzotint.making.recalled.words import MAX_TEXT, Words

if TYPE_CHECKING:
    from PIL.Image import Image

USER_COMMENT, EXIF_TABLE = 0x9286, 0x8769
TEXT_ALONE = (
    "from the text in the picture, which lacks options and files; its receipt, receipts/<asset-id>.json, is whole"
)
NOISE = "another tool draws its noise in another way: the words are the same, the picture is not"


def read(file: str | Path) -> Words:
    """What was said to make a picture, as its file has it.

    Read are receipts of ours, pictures of ours that say it or have their receipt beside them, and pictures (PNG, JPEG,
    WebP) with AUTOMATIC1111's ``parameters``, ComfyUI's ``prompt`` or InvokeAI's ``invokeai_metadata`` and
    ``sd-metadata``.
    Raises InputError: unreadable, nothing of that kind in it, or a receipt that no command can say.
    """
    path = user_path(file)
    if path.suffix.lower() == ".json":
        return words_of_made(read_receipt(path).made)
    texts = texts_of(path)
    asset = texts.get("mezzotint:asset_id", "")
    if "mezzotint:made" in texts:
        return words_of_made(made_from_text(texts["mezzotint:made"], asset, str(path)))
    its = beside(path, asset)
    if its is not None:
        return words_of_made(read_receipt(its).made)
    found = _words(texts)
    if found is None:
        kept = " (its receipt, receipts/<asset-id>.json, says it)" if "mezzotint:asset_id" in texts else ""
        raise InputError(f"{path} does not say how it was made{kept}; expected the metadata of a picture tool")
    found = replace(found, notes=(*found.notes, *found.unsaid))
    return replace(found, notes=(*found.notes, TEXT_ALONE if found.source == "mezzotint" else NOISE))


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
