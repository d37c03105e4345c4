"""The names that LoRA files give to layers: PEFT's and diffusers', its older one, kohya's, ComfyUI's and LyCORIS'.

What a key says is read without knowing the base; ``placed`` then finds the base's layer, and says of every tensor
whether it has a place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.nets.adapters.axes import check_tensor
from mezzotint.nets.adapters.changes import Change, Cut, Ranges, change_of, used_of
from mezzotint.nets.adapters.lora import cut_of, low_rank

Part = str
"""A network of a system: "denoiser", or a text encoder by the name of its folder."""

What = str
"""Which tensor of a layer: down, up, mid, alpha, magnitude, or as LyCORIS calls it."""

_WHAT: dict[str, What] = {
    "lora_A.weight": "down", "lora_B.weight": "up", "lora_A.default.weight": "down", "lora_B.default.weight": "up",
    "lora_down.weight": "down", "lora_up.weight": "up", "lora.down.weight": "down", "lora.up.weight": "up",
    "lora_linear_layer.down.weight": "down", "lora_linear_layer.up.weight": "up", "lora_mid.weight": "mid",
    "alpha": "alpha", "dora_scale": "magnitude", "lora_magnitude_vector": "magnitude",
    "lora_magnitude_vector.weight": "magnitude", "lora_magnitude_vector.default.weight": "magnitude",
    "oft_R.weight": "oft_R", "oft_R.default.weight": "oft_R", "oft_blocks": "oft_blocks", "rescale": "rescale",
    **{f"{name}{tail}": name for name in ("boft_R", "boft_s") for tail in ("", ".default")},
    "diff": "diff", "diff_b": "diff_b", "w_norm": "w_norm", "b_norm": "b_norm",
    **{name: name for name in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")},
    **{f"lokr_{w}": f"lokr_{w}" for w in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t2")},
}  # fmt: skip
_PREFIXES: tuple[tuple[str, Part], ...] = (
    ("base_model.model.", "denoiser"), ("unet.", "denoiser"), ("transformer.", "denoiser"),
    ("diffusion_model.", "denoiser"), ("model.diffusion_model.", "denoiser"), ("lora_unet_", "denoiser"),
    ("lora_transformer_", "denoiser"), ("lycoris_", "denoiser"), ("oft_unet_", "denoiser"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder_3.", "text_encoder_3"), ("text_encoders.clip_l.transformer.", "text_encoder"),
    ("text_encoders.clip_h.transformer.", "text_encoder"), ("text_encoders.clip_g.transformer.", "text_encoder_2"),
    ("text_encoders.t5xxl.transformer.", "text_encoder_3"),
    ("lora_te1_", "text_encoder"), ("lora_te2_", "text_encoder_2"), ("lora_te3_", "text_encoder_3"),
    ("lora_te_", "text_encoder"), ("text_encoder.", "text_encoder"),
)  # fmt: skip
_XLABS = re.compile(r"\.processor\.((?:qkv|proj)_lora\d?)\.(down|up)\.weight$")
_PROCESSOR = re.compile(r"\.processor\.to_(q|k|v|out)_lora\.(down|up)\.weight$")


@dataclass(frozen=True)
class Said:
    """What a key says: which network, which layer as the file spells it, which of its matrices."""

    part: Part
    layer: str
    what: What


def read_key(key: str) -> Said | None:
    """None for a key that is no LoRA's."""
    old = _PROCESSOR.search(key)
    if old is not None:
        where = "to_out.0" if old[1] == "out" else f"to_{old[1]}"
        return _split(f"{key[: old.start()]}.{where}", "down" if old[2] == "down" else "up")
    xlabs = _XLABS.search(key)
    if xlabs is not None:
        return _split(f"{key[: xlabs.start()]}.{xlabs[1]}", xlabs[2])
    for tail, what in _WHAT.items():
        if key.endswith("." + tail):
            return _split(key[: -len(tail) - 1], what)
    return None


def _split(name: str, what: What) -> Said:
    for prefix, part in _PREFIXES:
        if name.startswith(prefix):
            return Said(part, name[len(prefix) :], what)
    return Said("denoiser", name, what)


@dataclass(frozen=True)
class Coverage:
    """What became of a file's tensors.

    matched: layers of the base, part by part.  unknown: keys without a place, and alphas that only some layers have.
    alphas: how many layers have one of their own in the file; header: how many have one from what is said beside the
    tensors; those without either are scaled by 1, as their writers do.   base: where the adapter says that it was
    learnt on other weights than these, that; else "".   lacks: what its file has lost since it was written, as far as
    its header says it; else "".
    """

    matched: Mapping[Part, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    alphas: int = 0
    header: int = 0
    base: str = ""
    lacks: str = ""

    @property
    def partial(self) -> bool:
        """Whether it is put on without all that its file holds, or held."""
        return bool(self.unknown or self.lacks)

    @property
    def layers(self) -> int:
        return sum(self.matched.values())

    def __str__(self) -> str:
        parts = ", ".join(f"{n} of {part}" for part, n in self.matched.items()) or "none"
        header = f", in its header for {self.header}" if self.header else ""
        scaled = f"alpha in the file for {self.alphas} of {self.layers}{header}, 1 for the others"
        rest = f"; {len(self.unknown)} keys without a place, {self.unknown[0]!r} first" if self.unknown else ""
        base = f"; {self.base}" if self.base else ""
        lacks = f"; {self.lacks}" if self.lacks else ""
        return f"layers: {parts}; {scaled}{base}{rest}{lacks}"


Changes = dict[str, Change]
Pieces = Sequence[tuple[str, Ranges]]
"""The layers that a name in a file stands for, and which rows each has of what it says; () is all."""

Alphas = Callable[[Part, str, int], float | None]
"""(network, path, rank) -> alpha as it is said beside the tensors, None where it is not."""


def unsaid(part: Part, path: str, rank: int) -> None:
    """Nothing is said beside the tensors."""


@dataclass(frozen=True, eq=False)
class Layer:
    """What a file says of one of its layers.

    name: as the base's names have it.  pieces: the base's layers that it is.  matrices: by what they are, less alpha.
    alpha: of its own, or as it is said beside the tensors (``header``).  keys: of the file.
    """

    part: Part
    name: str
    pieces: Pieces
    matrices: Mapping[What, Tensor]
    alpha: float | None
    header: bool
    keys: Sequence[str]


Bases = Mapping[Part, Mapping[str, Pieces]]
"""The layers of each network: every name that files may give one, or several at once -> which they are."""


def layers_in(
    tensors: Mapping[str, Tensor], bases: Bases, alphas: Alphas = unsaid
) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """A file's tensors by the layers that it names, and the keys that name none of a base's, or what another key has
    said already: of two that say the same tensor of a layer neither is known to be the right one.

    alphas: what is said of layers without one of their own.   Raises ModelError for a tensor of no shape for its key.
    """
    known = {part: {_flat(name): name for name in names} for part, names in bases.items()}
    found: dict[tuple[Part, str], dict[What, Tensor]] = {}
    keys: dict[tuple[Part, str], list[str]] = {}
    unknown: list[str] = []
    for key, value in tensors.items():
        said = read_key(key)
        name = None if said is None else known.get(said.part, {}).get(_flat(said.layer))
        if said is None or name is None or said.what in found.get((said.part, name), {}):
            unknown.append(key)
            continue
        found.setdefault((said.part, name), {})[said.what] = _as_rows(key, check_tensor(key, said.what, value))
        keys.setdefault((said.part, name), []).append(key)
    made = [_layer(*where, bases, matrices, keys[where], alphas) for where, matrices in found.items()]
    return tuple(made), tuple(unknown)


def _as_rows(key: str, value: Tensor) -> Tensor:
    """PEFT has the norms of a convolution's rows in the second axis."""
    return value.transpose(0, 1) if "lora_magnitude_vector" in key and value.ndim > 2 else value


def _layer(
    part: Part, name: str, bases: Bases, matrices: Mapping[What, Tensor], keys: Sequence[str], alphas: Alphas
) -> Layer:
    pieces, own = bases[part][name], matrices.get("alpha")
    rank = rank_of(matrices)
    said = alphas(part, pieces[0][0], rank) if own is None and rank is not None else None
    alpha = said if own is None else float(own.float())
    rest = {what: value for what, value in matrices.items() if what != "alpha"}
    return Layer(part, name, pieces, rest, alpha, said is not None, keys)


def rank_of(matrices: Mapping[What, Tensor]) -> int | None:
    """Of a layer's thin matrices, None where there are none."""
    if "up" in matrices:
        return int(matrices["up"].shape[1])
    thin = next((name for name in ("hada_w1_b", "lokr_w1_b", "lokr_w2_b") if name in matrices), None)
    return None if thin is None else int(matrices[thin].shape[0])


def placed(
    tensors: Mapping[str, Tensor], bases: Bases, alphas: Alphas = unsaid
) -> tuple[dict[Part, Changes], Coverage]:
    """The changes of a file's tensors by part and layer, and what had no place.   Arguments as of ``layers_in``.

    Raises ModelError for tensors of no shape for their keys, or for each other.
    """
    layers, nowhere = layers_in(tensors, bases, alphas)
    made, unknown, header = dict[Part, Changes](), list(nowhere), 0
    for one in layers:
        changes = _changes_of(one)
        if changes is None or set(changes) & set(made.get(one.part, {})):
            unknown += one.keys
        else:
            made.setdefault(one.part, {}).update(changes)
            unknown += _unused(one)
            header += len(one.pieces) if one.header else 0
    lacking = [f"{part}: {path}.alpha" for part, those in made.items() for path, c in those.items() if not c.scaled]
    own = sum(map(len, made.values())) - len(lacking) - header
    if own and lacking:  # a writer gives all of them or none: one that is not there was lost
        unknown += lacking
    return made, Coverage({part: len(those) for part, those in made.items()}, tuple(sorted(unknown)), own, header)


def _changes_of(layer: Layer) -> Changes | None:
    """What a layer of a file does to each of the base's.   Raises ModelError where its tensors do not go together."""
    found = layer.matrices
    try:
        return _changes(change_of(found, layer.alpha, low_rank(found, layer.alpha)), layer.pieces)
    except RuntimeError as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{layer.keys[0]} and its kind do not go together ({why}); fetch the file again") from error


def _unused(layer: Layer) -> list[str]:
    """Keys that a layer's change makes nothing of: of a second change of the same layer, as differences beside LoRA."""
    used = {*used_of(layer.matrices), "alpha"}
    return [key for key in layer.keys if (said := read_key(key)) is not None and said.what not in used]


def _changes(change: Change | None, pieces: Pieces) -> Changes | None:
    """What a change does to each layer; None where it is none, or cannot be cut."""
    if change is None:
        return None
    of = sum(end - begin for _, rows in pieces for begin, end in rows)
    cuts = {path: cut_of(change, Cut(rows, of)) if rows else change for path, rows in pieces}
    return None if None in cuts.values() else {path: cut for path, cut in cuts.items() if cut is not None}


def _flat(layer: str) -> str:
    """A layer's name in the one spelling that all layouts can be brought to: kohya's has no dots."""
    return layer.removeprefix("text_model.").removeprefix("text_model_").replace(".", "_")
