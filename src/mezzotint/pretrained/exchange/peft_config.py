"""PEFT's configuration of an adapter: ranks and alphas, beside the tensors or in diffusers' header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

from mezzotint.nets.adapters.contents import Held
from mezzotint.pretrained.exchange.names import Keyed
from mezzotint.pretrained.exchange.peft_lycoris import lokr_config, lokr_rank


def config(layers: Keyed, others: Sequence[str]) -> dict[str, Any]:
    """A ``LoraConfig``, ``LoHaConfig`` or ``LoKrConfig`` as JSON, of what every version of PEFT since 0.6 knows.

    others: the paths of all layers that the network has: where one of them ends as a changed layer is called, that
    layer is named by an expression that is the whole of its path.
    """
    held = {_bare(place.name): one for place, one in layers.items()}
    shared = {path for path in held if any(_bare(other).endswith(f".{path}") for other in others)}
    method = next(iter(held.values())).method
    rank, ranks = _usual({path: lokr_rank(one) if method == "lokr" else one.rank for path, one in held.items()}, shared)
    alpha, alphas = _usual({path: _alpha(one) for path, one in held.items()}, shared)
    return {
        "r": rank,
        "rank_pattern": ranks,
        "alpha_pattern": alphas,
        "target_modules": "|".join(path.replace(".", r"\.") for path in held) if shared else list(held),
        **_of_method(method, alpha, layers),
    }


def _of_method(method: str, alpha: float, layers: Keyed) -> dict[str, Any]:
    """What only one kind of configuration has."""
    if method == "loha":
        return {"peft_type": "LOHA", "alpha": alpha, "use_effective_conv2d": False}
    if method == "lokr":
        return {"peft_type": "LOKR", "alpha": alpha, **lokr_config(layers)}
    return {"peft_type": "LORA", "lora_alpha": alpha, "use_dora": method == "dora", "lora_dropout": 0.0, "bias": "none"}


def _alpha(one: Held) -> int | float:
    """A whole number as one.  PEFT scales LoKr of whole matrices too: by 1."""
    alpha = float(lokr_rank(one)) if one.rank is None else one.alpha
    assert alpha is not None
    return int(alpha) if alpha == int(alpha) else alpha


def _bare(path: str) -> str:
    """Without the step that some versions of transformers have around CLIP: the end of its path in all of them."""
    return path.removeprefix("text_model.")


def _usual(values: Mapping[str, Any], shared: Set[str]) -> tuple[Any, dict[str, Any]]:
    """The commonest value, and by layer those that are others."""
    common = Counter(values.values()).most_common(1)[0][0]
    others = {path: value for path, value in values.items() if value != common}
    return common, {f"^{path}" if path in shared else path: value for path, value in others.items()}
