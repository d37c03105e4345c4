"""PEFT's configuration of an adapter: ranks and alphas, beside the tensors or in diffusers' header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

from mezzotint.pretrained.exchange.written import Keyed


def config(layers: Keyed, others: Sequence[str]) -> dict[str, Any]:
    """A ``LoraConfig`` as JSON, of what every version of PEFT since 0.6 knows.

    others: the paths of all layers that the network has: where one of them ends as a changed layer is called, that
    layer is named by an expression that is the whole of its path.
    """
    held = {_bare(place.name): one for place, one in layers.items()}
    shared = {path for path in held if any(_bare(other).endswith(f".{path}") for other in others)}
    rank, ranks = _usual({path: one.rank for path, one in held.items()}, shared)
    alpha, alphas = _usual({path: _plain(one.alpha) for path, one in held.items()}, shared)
    return {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": alpha,
        "rank_pattern": ranks,
        "alpha_pattern": alphas,
        "target_modules": "|".join(path.replace(".", r"\.") for path in held) if shared else list(held),
        "use_dora": any("magnitude" in one.tensors for one in held.values()),
        "lora_dropout": 0.0,
        "bias": "none",
    }


def _bare(path: str) -> str:
    """Without the step that some versions of transformers have around CLIP: the end of its path in all of them."""
    return path.removeprefix("text_model.")


def _usual(values: Mapping[str, Any], shared: Set[str]) -> tuple[Any, dict[str, Any]]:
    """The commonest value, and by layer those that are others."""
    common = Counter(values.values()).most_common(1)[0][0]
    others = {path: value for path, value in values.items() if value != common}
    return common, {f"^{path}" if path in shared else path: value for path, value in others.items()}


def _plain(alpha: float | None) -> int | float | None:
    return int(alpha) if alpha is not None and alpha == int(alpha) else alpha
