"""A network that is part of a system and no model of its own (an autoencoder, an embedding): a folder with
``network.json`` and ``weights.safetensors``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ModelError
from mezzotint.files import make_folder, pretty_json, sha256_file, write_atomic
from mezzotint.pretrained.folder import WEIGHTS_NAME, check_weights, stored, table
from mezzotint.pretrained.spec import Card, card_of
from mezzotint.tensorfile import read_header, read_tensors, write_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype, nn

NETWORK_JSON, SCHEMA = "network.json", "mezzotint/network/1"


@dataclass(frozen=True)
class Part:
    """A network folder as its ``network.json`` describes it; nothing else has been read."""

    folder: Path
    net: Mapping[str, Any]
    card: Card
    weights_sha256: str
    weights_bytes: int


def save_network(
    folder: Path, weights: Mapping[str, Tensor], net: Mapping[str, Any], card: Card, dtype: dtype | None = None
) -> Part:
    """Writes a network folder, ``network.json`` last.

    Args: net: as ``nets.config_to_dict`` spells it.  dtype: of stored matrices; None keeps each.   Raises StorageError.
    """
    path = make_folder(folder) / WEIGHTS_NAME
    digest = write_tensors(path, weights if dtype is None else stored(weights, dtype), {"format": "pt"})
    size = path.stat().st_size
    said = {"file": WEIGHTS_NAME, "sha256": digest, "bytes": size}
    document = {"schema": SCHEMA, "weights": said, "net": net, "card": asdict(card)}
    write_atomic(folder / NETWORK_JSON, pretty_json(document))
    return Part(folder, net, card, digest, size)


def describe_network(folder: Path) -> Part:
    """What a network folder says of itself.  Raises InputError (none there), ModelError (damaged, other schema)."""
    path = folder / NETWORK_JSON
    if not path.is_file():
        raise InputError(f"{folder} is not a network folder (no {NETWORK_JSON}); expected what training a part leaves")
    found = table(path)
    weights, net = found.get("weights"), found.get("net")
    if found.get("schema") != SCHEMA:
        raise ModelError(f"{path} has schema {found.get('schema')!r}; this version reads {SCHEMA!r}")
    if not isinstance(net, dict) or not isinstance(weights, dict) or type(weights.get("sha256")) is not str:
        raise ModelError(f"{path}: net and the weights' sha256 must be there; fetch it again")
    return Part(folder, net, card_of(found.get("card")), weights["sha256"], int(weights.get("bytes", 0)))


def verify_network(part: Part) -> Part:
    """The same, its weights file checked: a sound header, and the bytes that are on record.  Raises InputError,
    ModelError."""
    path = part.folder / WEIGHTS_NAME
    read_header(path)
    if sha256_file(path) != part.weights_sha256:
        raise ModelError(f"{path} is not the file that {NETWORK_JSON} records; fetch it again")
    return part


def load_network(part: Part) -> nn.Module:
    """The network, float32, evaluation mode, no gradients.  Raises InputError, ModelError naming what is wrong."""
    from mezzotint.nets.build import build, config_from_dict

    path = verify_network(part).folder / WEIGHTS_NAME
    try:
        network = build(config_from_dict(part.net))
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise ModelError(f"{part.folder / NETWORK_JSON}: its network cannot be built ({error})") from error
    weights = read_tensors(path)
    check_weights(network, weights, path)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
