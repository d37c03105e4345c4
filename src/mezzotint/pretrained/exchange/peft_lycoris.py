"""PEFT's configurations of LoHa and LoKr, which it makes the shapes of the tensors from."""

from __future__ import annotations

import math
from typing import Any

from mezzotint.nets.adapters.begun import largest_divisor
from mezzotint.nets.adapters.contents import Held
from mezzotint.pretrained.exchange.names import Keyed

LOHA = frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"})
LOKR = frozenset({"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"})
Pair = tuple[int, int]


def factors(n: int, factor: int) -> Pair:
    """n as PEFT factors it: by ``factor`` where that divides it, else the smaller part first and at most ``factor``;
    -1 is near the root."""
    if factor > 0 and n % factor == 0:
        return factor, n // factor
    small = largest_divisor(n, min(factor, math.isqrt(n)) if factor > 0 else math.isqrt(n))
    return small, n // small


def _sides(one: Held) -> tuple[Pair, Pair]:
    """(rows, columns) of the two factors, a convolution's kernel left out."""
    left, right = (_side(one, f"lokr_w{k}") for k in (1, 2))
    return left, right


def _side(one: Held, name: str) -> Pair:
    if name in one.tensors:
        rows, columns = one.tensors[name].shape[:2]
        return int(rows), int(columns)
    return len(one.tensors[f"{name}_a"]), int(one.tensors[f"{name}_b"].shape[1])


def decompose_factor(layers: Keyed) -> int | None:
    """The number by which PEFT makes factors of just these shapes; None where there is none."""
    for tried in [*sorted({_sides(one)[0][0] for one in layers.values()}), -1]:
        if all(_made(one, _sides(one), tried, place.kernel) for place, one in layers.items()):
            return tried
    return None


def _made(one: Held, sides: tuple[Pair, Pair], tried: int, kernel: int) -> bool:
    (left_out, left_in), (right_out, columns) = sides
    right_in = columns if "lokr_w2" in one.tensors else columns // kernel
    cut = factors(left_out * right_out, tried), factors(left_in * right_in, tried)
    return cut == ((left_out, right_out), (left_in, right_in)) and _thin(one, sides, right_in)


def _thin(one: Held, sides: tuple[Pair, Pair], right_in: int) -> bool:
    """Whether PEFT has thin matrices where the file has: where their rank is below half of a factor's longer side."""
    if one.rank is None:
        return True
    (left, (right_out, _)) = sides
    thin_right, thin_left = one.rank < max(right_out, right_in) / 2, one.rank < max(left) / 2
    return thin_right == ("lokr_w2_a" in one.tensors) and (thin_left or "lokr_w1_a" not in one.tensors)


def lokr_rank(one: Held) -> int:
    """What PEFT is told: of whole matrices a number at which it makes them whole."""
    return max(one.tensors["lokr_w2"].shape[:2]) if one.rank is None else one.rank


def lokr_config(layers: Keyed) -> dict[str, Any]:
    """What PEFT is told of LoKr beside ranks and alphas."""
    both = any("lokr_w1_a" in one.tensors for one in layers.values())
    return {"decompose_both": both, "decompose_factor": decompose_factor(layers), "use_effective_conv2d": False}
