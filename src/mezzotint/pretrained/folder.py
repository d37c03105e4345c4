"""A model is a folder: ``model.json`` (what it is), ``weights.safetensors`` and ``CARD.md`` (for people)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ModelError
from mezzotint.files import make_folder, pretty_json, read_bytes, sha256_file, write_atomic
from mezzotint.pretrained.spec import SCHEMA, Card, Spec, from_dict, to_dict
from mezzotint.tensorfile import read_header, read_tensors, refuse_pickle, write_tensors

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn

JSON_NAME, WEIGHTS_NAME, CARD_NAME = "model.json", "weights.safetensors", "CARD.md"
EXPORT_JSON = "export.json"
"""What makes a folder that of an exported model (``mezzotint.exported``), which is no model folder."""

MAX_JSON_BYTES = 1 << 20


@dataclass(frozen=True)
class Described:
    """A model folder as its ``model.json`` describes it; nothing else has been read.

    codec_sha256: of a codec's weights that lie in the same folder, else "".
    """

    name: str
    folder: Path
    spec: Spec
    weights_sha256: str
    weights_bytes: int
    codec_sha256: str = ""

    @property
    def own(self) -> Path:
        """The folder that the model is, or that its file lies in."""
        return self.folder if self.folder.is_dir() else self.folder.parent


@dataclass(frozen=True)
class Loaded:
    """A model folder with its network, in evaluation mode, parameters without gradients, on the CPU."""

    described: Described
    network: nn.Module


def card_page(name: str, card: Card, prompts: Sequence[str]) -> str:
    """CARD.md from a card."""
    parts = [f"# {card.title}", card.summary, f"Licence: {card.licence}"]
    parts += [f"## {head}\n\n{text}" for head, text in (("Data", card.data), ("Limits", card.limits)) if text]
    if card.compute or card.seed is not None:
        seed = "" if card.seed is None else f" Seed {card.seed}."
        parts.append(f"## Training\n\n{card.compute}{seed}")
    if card.metrics:
        parts.append("## Measured\n\n" + "\n".join(f"- {metric}: {value}" for metric, value in card.metrics.items()))
    if prompts:
        parts.append("## Prompts\n\n" + ", ".join(prompts))
    parts.append(f"## Use\n\n```\nmezzotint generate PROMPT --model {name}\n```")
    return "\n\n".join(parts) + "\n"


def stored(weights: Mapping[str, Tensor], kind: dtype) -> dict[str, Tensor]:
    """Matrices in ``kind``; vectors (gains, frequencies) and integers stay as they are: small, and they count."""
    return {k: w.to(kind) if w.is_floating_point() and w.ndim >= 2 else w for k, w in weights.items()}


def save_model(folder: Path, weights: Mapping[str, Tensor], spec: Spec, dtype: dtype | None = None) -> Described:
    """Writes a model folder; ``model.json``, which makes it one, comes last.

    Args: weights: the network's state dict (an EMA's, say).
        dtype: of stored matrices, e.g. torch.bfloat16; None keeps each.
    Raises: StorageError.
    """
    make_folder(folder)
    path = folder / WEIGHTS_NAME
    digest = write_tensors(path, weights if dtype is None else stored(weights, dtype), {"format": "pt"})
    size = path.stat().st_size
    write_atomic(folder / CARD_NAME, card_page(folder.name, spec.card, [label.name for label in spec.labels]))
    said = {"file": WEIGHTS_NAME, "sha256": digest, "bytes": size}
    write_atomic(folder / JSON_NAME, pretty_json({"schema": SCHEMA, "weights": said, **to_dict(spec)}))
    return Described(folder.name, folder, spec, digest, size)


def table(path: Path) -> dict[str, Any]:
    """The JSON table of a file.  Raises InputError (unreadable), ModelError (no JSON, no table)."""
    try:
        value = json.loads(read_bytes(path, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}); fetch the model again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is not a table; fetch the model again")
    return value


def describe(folder: Path) -> Described:
    """What a model folder says of itself.  Raises InputError (no model), ModelError (damaged, other schema, pickle)."""
    if folder.is_file():
        with folder.open("rb") as file:
            refuse_pickle(folder, file.read(8))
    path = folder / JSON_NAME
    if (folder / EXPORT_JSON).is_file():
        raise InputError(
            f"{folder} holds an exported model, which `mezzotint generate` alone runs; use what it was made of"
        )
    if not path.is_file():
        raise InputError(f"{folder} is not a model folder (no {JSON_NAME}); expected one, see `mezzotint models`")
    found = table(path)
    schema, weights = found.pop("schema", None), found.pop("weights", None)
    if schema != SCHEMA:
        raise ModelError(f"{path} has schema {schema!r}; this version reads {SCHEMA!r}")
    if not isinstance(weights, dict) or type(weights.get("sha256")) is not str or type(weights.get("bytes")) is not int:
        raise ModelError(f"{path}: weights must have sha256 and bytes; fetch the model again")
    try:
        return Described(folder.resolve().name, folder, from_dict(found), weights["sha256"], weights["bytes"])
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def check_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Raises ModelError naming the first tensor that is missing, unknown, misshapen or not finite."""
    want = network.state_dict()
    missing, extra = [k for k in want if k not in weights], [k for k in weights if k not in want]
    shapes = [k for k in want if k in weights and weights[k].shape != want[k].shape]
    if missing:
        raise ModelError(
            f"{path}: {len(missing)} tensors are missing, {missing[0]!r} first; the file is for another network"
        )
    if extra:
        raise ModelError(f"{path}: {len(extra)} unknown tensors, {extra[0]!r} first; the file is for another network")
    if shapes:
        k = shapes[0]
        raise ModelError(
            f"{path}: {len(shapes)} tensors have the wrong shape; {k!r} is {tuple(weights[k].shape)},"
            f" expected {tuple(want[k].shape)}; the file is for another network"
        )
    for k, w in weights.items():
        if w.is_floating_point() and not finite(w):
            raise ModelError(f"{path}: {k!r} holds values that are not finite; fetch or train the model again")


def finite(w: Tensor) -> bool:
    """Whether all of its values are finite: their sum shows it in one pass, and where that overflows they are looked at
    one by one."""
    return bool(w.sum().isfinite()) or bool(w.isfinite().all())


def verify(described: Described) -> Described:
    """The same, its weights file checked: a sound header, and the bytes that ``model.json`` records.

    Raises InputError, ModelError.
    """
    path = described.folder / WEIGHTS_NAME
    read_header(path)
    found = sha256_file(path)
    if found != described.weights_sha256:
        raise ModelError(
            f"{path} has sha256 {found[:12]}…, {JSON_NAME} records {described.weights_sha256[:12]}…;"
            " the weights were changed or damaged, fetch the model again"
        )
    return described


def load_model(folder: Path) -> Loaded:
    """A model folder, checked: header, hash, names and shapes.  Raises InputError, ModelError naming what is wrong."""
    return load_described(verify(describe(folder)))


def load_described(described: Described) -> Loaded:
    """The network of a verified folder, float32.  Raises ModelError naming what is wrong."""
    from mezzotint.nets.build import build, config_from_dict

    path = described.folder / WEIGHTS_NAME
    weights = read_tensors(path)
    try:
        with warnings.catch_warnings(action="error"):
            network = build(config_from_dict(dict(described.spec.net)))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError, Warning) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(
            f"{described.folder / JSON_NAME}: its network cannot be built ({why}); fetch it again"
        ) from error
    check_weights(network, weights, path)
    network.load_state_dict(weights)
    return Loaded(described, network.eval().requires_grad_(False))
