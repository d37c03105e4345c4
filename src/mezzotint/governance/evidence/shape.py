"""Whether a document has what is read of it here: anybody can write a file that begins as one of this program's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LARGEST = 1e300
"""Of a number; larger ones are none that anything was measured as."""

NAMED: Mapping[str, Any] = {"name": str, "sha256": str}
COST: Mapping[str, Any] = {"seconds": float, "energy_wh_estimate?": float}
VERDICT: Mapping[str, Any] = {"decision": str, "loosened": list, "files?": {"*": str}}
RANKED: Mapping[str, Any] = {"ranker_sha256": str}
STAGE: Mapping[str, Any] = {
    "model": str, "weights_sha256": str, "config_sha256": str, "codec_sha256?": str, "candidates?": RANKED,
    "classifier?": RANKED,
}  # fmt: skip
ATTACHED: Mapping[str, Any] = {"kind": str, "name": str, "sha256": str, "picture?": str, "encoder_sha256?": str}
MADE: Mapping[str, Any] = {
    "model": str, "stages": [STAGE], "adapters": [NAMED], "embeddings": [NAMED], "attached?": [ATTACHED],
    "encoder_sha256?": str, "tokens?": [{"encoder?": str}],
}  # fmt: skip
SHAPES: Mapping[str, Any] = {
    "receipt": {
        "made": MADE, "around?": {"licence?": {"decision": str}}, "mark?": {"state": str}, "cost?": COST,
        "prompt_check?": VERDICT, "output_check?": VERDICT,
    },
    "evaluation": {"model": str, "n": int, "reference_sha256": str, "metrics": {"*": float}},
    "tune": {
        "base?": str,
        "about?": {"photographs?": {"*": int}, "photographs_sha256?": {"*": str}, "photo_licence?": str},
    },
    "training-run": {
        "recipe": str, "fields?": {}, "data_licence?": str, "cost?": COST, "recipe_sha256?": str, "first?": str,
        "parameters?": int, "device?": str, "dtype?": str, "torch?": str,
    },
}  # fmt: skip
"""Of each kind, what is read of it.  "?": a word that may be missing; "*": every word; [x]: a list of such."""


def is_shaped(kind: str, document: Mapping[str, Any]) -> bool:
    """Whether a document is as those of its kind are written; of other kinds nothing is read."""
    return _fits(document, SHAPES.get(kind, {}))


def _fits(value: object, shape: Any) -> bool:
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    if isinstance(shape, Mapping):
        return isinstance(value, dict) and all(_has(value, word, inner) for word, inner in shape.items())
    if shape in (float, int):
        kinds = (float, int) if shape is float else int
        return isinstance(value, kinds) and not isinstance(value, bool) and abs(value) < LARGEST
    return isinstance(value, shape)


def _has(table: Mapping[str, Any], word: str, shape: Any) -> bool:
    if word == "*":
        return all(_fits(one, shape) for one in table.values())
    name = word.removesuffix("?")
    return _fits(table[name], shape) if name in table else name != word
