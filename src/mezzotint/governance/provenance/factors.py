"""Which of the things that determine a picture are others now: each by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mezzotint.governance.receipt import Receipt, to_dict

STAGE = {
    "weights_sha256": "weights", "codec_sha256": "codec", "config_sha256": "configuration", "solver": "solver",
    "grid": "grid", "levels_sha256": "grid", "steps": "steps", "scale": "guidance", "guidance_interval": "guidance",
    "batch": "batch shape", "link": "link", "model": "model",
}  # fmt: skip
PICTURE = {
    "adapters": "adapter", "embeddings": "embedding", "attached": "control or picture prompt", "apart": "prompt",
    "read": "prompt", "tokens": "text encoder", "encoder_sha256": "text encoder", "negative_prompt": "negative prompt",
    "files": "configuration",
}  # fmt: skip
"""What a part of ``made`` is called; others are called as they are."""


@dataclass(frozen=True)
class Factor:
    """name: threads, dtype, solver, weights, adapter, code, version of torch …   where: in the receipt.   was, now:
    None where it is not there."""

    name: str
    where: str
    was: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.name} ({self.where}): {_short(self.was)} -> {_short(self.now)}"


def factors(was: Receipt, now: Receipt) -> tuple[Factor, ...]:
    """Everything in two receipts that determines a picture and is not the same, in the receipt's order; of the code
    which rooms, where both receipts have them."""
    before, after = _flat(was), _flat(now)
    before, after = {**before, **_code(was, now)}, {**after, **_code(now, was)}
    paths = dict.fromkeys([*before, *after])
    return tuple(
        Factor(_name(path), ".".join(path), before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    )


Path = tuple[str, ...]


def _flat(receipt: Receipt) -> dict[Path, Any]:
    """Every number and text by its place."""
    return dict(_leaves(to_dict(receipt)["made"], ()))


def _code(of: Receipt, beside: Receipt) -> dict[Path, Any]:
    """What code one was of, only where that is known: by its rooms where they are all that differs, else in one."""
    if of.around is None or not of.around.code_sha256:
        return {}
    rooms, others = of.around.rooms, None if beside.around is None else beside.around.rooms
    if rooms is None or others is None or rooms == others:
        return {("code_sha256",): of.around.code_sha256}
    return {("code", room): one for room, one in rooms.items()}


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for k, one in enumerate(value):
            yield from _leaves(one, (*path, str(k)))
    else:
        yield path, value


def _name(path: Path) -> str:
    if path[0] == "stages":
        return STAGE.get(path[2], path[2])
    if path[0] == "code":
        return f"code of {path[1]}"
    if path[0] == "versions":
        return "code" if path[1] == "mezzotint" else f"version of {path[1]}"
    return "code" if path[0] == "code_sha256" else PICTURE.get(path[0], path[0])


def _short(value: Any) -> str:
    """A hash by its first digits, anything else as JSON."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:12] if len(text) == 64 and text.isalnum() else text[:100]
