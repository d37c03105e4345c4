"""What an adapter's files show without a base: layout, networks, ranks, alphas, methods, passport."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import MezzotintError
from mezzotint.files import sha256_file
from mezzotint.pretrained.adapter_files import PEFT_HEAD, Files, files_of
from mezzotint.pretrained.lora_file import base_said
from mezzotint.pretrained.passport import KEY, passport_in
from mezzotint.tensorfile import Header

if TYPE_CHECKING:
    from mezzotint.nets.adapters.contents import Held

TEXTS = ("text_encoder", "text_encoder_2", "text_encoder_3")
HEADS = {
    PEFT_HEAD: "peft", "lora_unet_": "kohya", "lora_te": "kohya", "lora_transformer_": "kohya", "lycoris_": "lycoris",
    "diffusion_model.": "comfyui", "text_encoders.": "comfyui", "unet.": "diffusers", "transformer.": "diffusers",
    "text_encoder": "diffusers",
}  # fmt: skip
"""How keys begin -> the layout."""

CHANGES = ("down", "up", "diff", "w_norm", "hada_w1_a", "lokr_w1", "lokr_w1_a", "oft_blocks", "oft_R", "boft_R")
"""Tensors of which every changed layer has one."""


def is_adapter(header: Header) -> bool:
    """Whether a file is one, as its keys show: most are an adapter's."""
    from mezzotint.nets.adapters.layouts import read_key

    said = [one for name in header.entries if (one := read_key(name))]
    return 2 * len(said) > len(header.entries) and any(one.what in CHANGES for one in said)


def layout_of(keys: Iterable[str]) -> str:
    """The layout that most keys are of; "bare" of names without a beginning."""
    found = Counter(next((name for head, name in HEADS.items() if key.startswith(head)), "bare") for key in keys)
    return found.most_common(1)[0][0]


def shown(path: Path) -> dict[str, Any]:
    """JSON-safe.   Raises ModelError (no adapter, a header that lies), InputError."""
    files = files_of(path, TEXTS)
    return {
        "layout": layout_of(key for header in files.headers for key in header.entries),
        "networks": {part: _network(layers) for part, layers in _held(files).items()},
        "for": base_said(files.first),
        "passport": _passport(files),
        "intact": _intact(files),
    }


def _intact(files: Files) -> bool | None:
    """Whether the bytes behind each header are those that it says; None where one says nothing, or means other
    bytes, as a file without a passport may."""
    changed = files.altered(sha256_file) if all(files.claimed()) else None
    if changed is None or (changed and not set(changed) & set(files.ours.paths)):
        return None
    return not changed


def _held(files: Files) -> Mapping[str, list[Held]]:
    from mezzotint.nets.adapters.axes import check_tensor
    from mezzotint.nets.adapters.contents import held
    from mezzotint.nets.adapters.layouts import rank_of, read_key

    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, value in files.tensors().items():
        if said := read_key(key):
            found.setdefault((said.part, said.layer), {})[said.what] = check_tensor(key, said.what, value)
    made: dict[str, list[Held]] = {}
    for (part, layer), matrices in found.items():
        own, rank = matrices.pop("alpha", None), rank_of(matrices)
        beside = None if rank is None else files.alphas(part, layer, rank)
        made.setdefault(part, []).append(held(matrices, beside if own is None else float(own.float())))
    return made


def _network(layers: Iterable[Held]) -> dict[str, Any]:
    known = list(layers)
    return {
        "layers": len(known),
        "methods": _counted(one.method for one in known),
        "ranks": _counted(str(one.rank) for one in known if one.rank is not None),
        "alphas": _counted(f"{one.alpha:g}" for one in known if one.alpha is not None),
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    """How many of each, the commonest first."""
    return dict(Counter(values).most_common())


def _passport(files: Files) -> Mapping[str, Any] | None:
    """As a table; where it cannot be read, why."""
    try:
        found = passport_in(files.metadata, KEY)
    except MezzotintError as error:
        return {"fault": str(error)}
    return None if found is None else asdict(found)
